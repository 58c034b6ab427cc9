"""Training by a program of the team: its settings, and what was asked of it."""
