"""Intake of records and feedback: readers, validation, quarantine, labels."""
