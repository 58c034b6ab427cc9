"""Tests of `monitoring/`."""
