"""The tags of runs and versions in MLflow: what people ask by first, then the lineage, behind one prefix."""

from __future__ import annotations

import json
from collections.abc import Mapping

from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe

LINEAGE = "trueup."
PACKAGE = "package."  # within LINEAGE begins what says what a version was trained with
_RECIPE = "recipe"


def tags_to_ask_by(stream: StreamSettings, *, who: str, algorithm: str, feature: str, stage: str) -> dict[str, str]:
    """Algorithm, feature, owner, stage and use case, and the team's own; who: the owner where the settings name none.

    algorithm, feature: as a recipe has them.
    """
    return {
        "algorithm": algorithm,
        "feature_type": feature,
        "owner": stream.training.owner or who,
        "stage": stage,
        "use_case": stream.task,
        **stream.tags,
    }


def lineage_tags(told: Mapping[str, str], recipe: Recipe | None = None) -> dict[str, str]:
    """What is told, and how the model is made, as tags; what is not known has none."""
    made = {} if recipe is None else {_RECIPE: json.dumps(recipe.params())}
    return {LINEAGE + name: value for name, value in {**told, **made}.items() if value}


def lineage_tag(tags: Mapping[str, str], name: str) -> str | None:
    """What a tag of the lineage says; of versions from before the prefix it is the bare name."""
    return tags.get(LINEAGE + name, tags.get(name))


def recipe_in(tags: Mapping[str, str]) -> Recipe:
    """How a version was made.

    Raises:
        KeyError, ValueError: its tags do not say.
    """
    whole = tags.get(LINEAGE + _RECIPE)
    return Recipe.from_params(json.loads(whole) if whole is not None else tags)


def recorded_packages(tags: Mapping[str, str]) -> dict[str, str]:
    """The versions of the packages that a version was trained with."""
    own = {name.removeprefix(LINEAGE): number for name, number in tags.items()}
    return {name.removeprefix(PACKAGE): number for name, number in own.items() if name.startswith(PACKAGE)}
