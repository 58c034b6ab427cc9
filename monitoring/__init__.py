"""What a check finds and what follows from it: windows, signals, report, policy, incidents."""
