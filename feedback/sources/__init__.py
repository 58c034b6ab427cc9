"""Sources that records and feedback come in from by themselves: one file a kind, each pulls what is new."""
