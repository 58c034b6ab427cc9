"""What MLflow's pages show of candidates: titles in words, and the parameters that tell them apart."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.training.candidates.recipes import EMBEDDED, OWN, TRAINER, Recipe

# MLflow's parallel coordinates show ten characters of a value: no two words of one parameter begin with the same ten.
_FEATURES = {
    "bow": "counts", "tfidf": "words", "char": "chars", "union": "words+chars", "top_words": "top words",
    "hashed": "hashed", EMBEDDED: "embeddings+words+chars", "tabular": "columns", OWN: "own", TRAINER: "trainer",
}  # fmt: skip
_HISTORY = {"all": "all rows", "newest": "newest rows", "aged": "rows by age"}
NONE = "-"  # MLflow's charts leave out a run that lacks a parameter


def title(recipe: Recipe) -> str:
    """A candidate within a sentence: linear_svm on words+chars; what others made by its name alone."""
    return algorithm(recipe) if recipe.is_own or recipe.is_foreign else f"{recipe.model} on {_FEATURES[recipe.feature]}"


def full_title(recipe: Recipe) -> str:
    """With all that tells it from the other candidates: linear_svm on words+chars, all rows, C 0.3, calibrated."""
    hyper = [f"{name} {value}" for name, value in recipe.hyper]
    calibrated = ["calibrated"] if recipe.calibration != "none" else []
    return ", ".join([title(recipe), _HISTORY[recipe.history], *hyper, *calibrated])


def algorithm(recipe: Recipe) -> str:
    """The estimator's name; of a team's own factory "module:function" the function's, since modules begin alike."""
    return recipe.model.rpartition(":")[2]


def run_params(recipe: Recipe) -> dict[str, str]:
    """A candidate as parameters of an MLflow run, each hyper-parameter one of its own."""
    return {
        "algorithm": algorithm(recipe),
        "features": _FEATURES[recipe.feature],
        "history": recipe.history,
        "calibrated": "no" if recipe.calibration == "none" else "yes",
        **{f"hyper.{name}": str(value) for name, value in recipe.hyper},
    }


def varying_params(recipes: Sequence[Recipe]) -> list[dict[str, str]]:
    """Of each candidate the parameters in which they differ; NONE where it has no such hyper-parameter."""
    each = [run_params(recipe) for recipe in recipes]
    names = dict.fromkeys(name for params in each for name in params)
    varying = [name for name in names if len({params.get(name, NONE) for params in each}) > 1]
    return [{name: params.get(name, NONE) for name in varying} for params in each]
