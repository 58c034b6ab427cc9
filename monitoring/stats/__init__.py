"""Statistics on plain arrays: tests of ranks, counts, shares and words; metrics; how much a metric fell."""
