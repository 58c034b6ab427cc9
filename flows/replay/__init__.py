"""Past data through the same cycle, under several policies."""
