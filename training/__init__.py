"""Candidates, search, evaluation, gate, registry."""
