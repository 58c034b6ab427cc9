"""What `init --from` concludes from a file: each conclusion a pure decision over column summaries, with its reason."""
