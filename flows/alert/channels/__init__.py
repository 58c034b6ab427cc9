"""The ways out for an alert: one file a channel, each with its own escaping."""
