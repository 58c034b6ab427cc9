"""Candidates, their comparison, the gate, the MLflow registry and the promotion."""
