"""Composition root: settings, the cycle and its Prefect flow, delivery, the command line."""
