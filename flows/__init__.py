"""The composition root: settings, the open deployment, and the loop with its sub-rooms."""
