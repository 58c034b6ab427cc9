"""Appending to the store of records: what is known, what is new, and how columns go in."""
