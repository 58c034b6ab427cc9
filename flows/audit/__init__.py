"""Who looks: history, explanation, verification, and what may be pruned."""
