"""What stored models are made of, the package `trueup_model`; needs numpy, pandas and scikit-learn, nothing else of trueup."""
