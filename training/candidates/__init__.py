"""What can be trained: recipes, and the estimators and pipelines that they name."""
