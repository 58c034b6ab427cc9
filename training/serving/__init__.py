"""What stored models are made of: the package `trueup_model`, which needs numpy, pandas and scikit-learn alone.

Models of boosted trees need XGBoost or LightGBM besides, those that read sentence embeddings the extra `embeddings`.
"""
