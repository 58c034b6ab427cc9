"""Pages as people meet them: driven in a real browser."""
