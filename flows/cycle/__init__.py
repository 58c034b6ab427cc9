"""One cycle: its steps in order, each durable before the next."""
