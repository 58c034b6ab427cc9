"""Training by a program of the team: its settings, and its tries."""
