"""The demo: a made stream with a known break, and its settings."""
