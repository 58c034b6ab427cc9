"""Every model that the search can choose is stored without pickle, and read back from types of ours."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.made_rows import Kind, make_rows
from trueup.training.candidates.recipes import candidates, extra_packages
from trueup.training.models.fitting import answer, fit
from trueup.training.registry.trusted_types import read_model


@pytest.mark.parametrize(
    "kind", ["regression", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("text", "table"))]
)
def test_every_candidate_can_be_stored_and_answers_the_same(kind: Kind, tmp_path: Path) -> None:
    """A model of each family, calibrated as the search may have it, comes back and answers to the last bit."""
    import skops.io

    stream, rows = make_rows(300, 0, kind)
    for recipe in candidates(stream):
        if recipe.history != "all":
            continue
        chosen = recipe if kind == "regression" else replace(recipe, calibration="sigmoid")
        model = fit(chosen, stream, rows, 0, 300).model
        file = tmp_path / "model.skops"
        skops.io.dump(model, file)
        for had, given in zip(
            answer(model, stream, rows.features),
            answer(read_model(file, ()), stream, rows.features),
            strict=True,
        ):
            np.testing.assert_array_equal(had, given, err_msg=chosen.name)


def test_boosting_is_tried_where_it_is_installed() -> None:
    """XGBoost and LightGBM are candidates exactly where they can be imported."""
    stream, _ = make_rows(1, 0, "table")
    tried = {recipe.model for recipe in candidates(stream)}
    for library in ("xgboost", "lightgbm"):
        assert (library in tried) == (find_spec(library) is not None)


def test_a_boosted_model_names_the_package_it_runs_on() -> None:
    """What is stored of a boosted model pins its library as well; the other families need no more than all do."""
    stream, _ = make_rows(1, 0, "table")
    for recipe in candidates(stream):
        assert len(extra_packages(recipe)) == (recipe.model in ("xgboost", "lightgbm"))
