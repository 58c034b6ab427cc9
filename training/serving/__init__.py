"""What stored models are made of: the package `trueup_model`, which needs numpy, pandas and scikit-learn alone."""
