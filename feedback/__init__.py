"""Intake of records and feedback: reading, validation, quarantine, label resolution."""
