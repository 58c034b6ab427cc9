"""The benchmarks and examples, in small."""
