"""What a scheduled cycle costs: processor time, lateness and memory of `trueup serve` with all that it starts."""
