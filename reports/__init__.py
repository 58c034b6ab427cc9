"""What people read: stored reports, tables, mails, explanations."""
