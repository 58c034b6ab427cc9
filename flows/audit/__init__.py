"""History, explanation, verification, and what may be pruned."""
