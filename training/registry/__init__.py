"""The edge to MLflow: runs, versions, aliases, and what a stored model may be made of."""
