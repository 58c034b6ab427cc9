"""A person's data taken away for good: what was erased, known by keyed hashes alone, and how its rows go."""
