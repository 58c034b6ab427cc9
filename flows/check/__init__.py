"""The score and check steps: predictions, the comparison of a window, the check that is kept."""
