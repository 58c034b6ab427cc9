"""Fitting a recipe, answering with it, and measuring it."""
