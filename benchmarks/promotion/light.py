"""A team's own candidate for many replays: one family instead of the whole default search."""

from __future__ import annotations

from typing import Any

from trueup.storage.stream import StreamSettings
from trueup.training.candidates.pipelines import build
from trueup.training.candidates.recipes import default_recipes
from trueup_model.cleaning import WORD, plain_text

NAME = f"{__name__}:one_family"


def one_family(stream: StreamSettings) -> Any:
    """Logistic regression over hashed words and word pairs, which is stored fast; without text a forest."""
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    if not stream.text:
        return build(next(recipe for recipe in default_recipes(stream) if recipe.model == "random_forest"), stream, 0)
    words = {"n_features": 2**15, "ngram_range": (1, 2), "token_pattern": WORD, "alternate_sign": False}
    parts = [
        (column, make_pipeline(FunctionTransformer(plain_text), HashingVectorizer(**words)), [column])
        for column in stream.text
    ]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression(C=10.0, class_weight="balanced", max_iter=500))
