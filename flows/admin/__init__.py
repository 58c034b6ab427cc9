"""Who keeps the house: settings inferred from a file, status, doctor, pause."""
