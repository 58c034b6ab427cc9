"""Alerts measured and looked at: mails an event, every kind of message from real runs, and how clients show them."""
