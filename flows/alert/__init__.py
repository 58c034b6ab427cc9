"""The alert step: incidents, notices, and the outbox worked off: messages composed when they are sent."""
