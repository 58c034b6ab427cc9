"""The alert step: incidents, mails composed, and the outbox worked off."""
