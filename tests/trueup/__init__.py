"""Tests of `trueup/`, the public Python face."""
