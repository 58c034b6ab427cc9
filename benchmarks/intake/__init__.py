"""How fast data comes in, and how flat memory stays: `python -m benchmarks.intake`, written to docs/performance.md."""
