"""Measurements whose figures stand in the docs, each by one command."""
