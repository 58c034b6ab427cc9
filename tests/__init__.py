"""Behaviour, one file each."""
