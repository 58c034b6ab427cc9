"""Champion and challenger on the same rows: how surely one is better, and on which rows to ask."""
