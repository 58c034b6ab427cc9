"""Where a stream's data comes in from by itself: its settings, and what is remembered of each place."""
