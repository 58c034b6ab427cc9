"""What lies beside a training in MLflow: plots, error examples, a summary of the data."""
