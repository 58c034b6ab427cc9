"""Models whose file names the modules by which trueup_model was known before."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from tests.made_rows import Kind, make_rows
from trueup.storage.errors import ModelUnusable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import candidates
from trueup.training.models.fitting import answer, fit
from trueup.training.registry.trusted_types import FORMER_MODULES, SKOPS_SCHEMA, read_model, with_present_modules
from trueup_model.boosting import BoostedClassifier


def _fitted(kind: Kind) -> tuple[StreamSettings, Rows, Any]:
    """A calibrated linear model, quickly fitted."""
    stream, rows = make_rows(300, 0, kind)
    plain = next(r for r in candidates(stream) if r.model == "logistic_regression" and r.history == "all")
    return stream, rows, fit(replace(plain, calibration="sigmoid"), stream, rows, 0, 300).model


def _schema(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as stored:
        return stored.read(SKOPS_SCHEMA).decode()


def _renamed(data: bytes, names: dict[str, str]) -> bytes:
    """The same file with modules under other names."""
    schema, made = _schema(data), io.BytesIO()
    for old, new in names.items():
        schema = schema.replace(f'"{old}"', f'"{new}"')
    with zipfile.ZipFile(io.BytesIO(data)) as stored, zipfile.ZipFile(made, "w") as rewritten:
        for name in stored.namelist():
            rewritten.writestr(name, schema if name == SKOPS_SCHEMA else stored.read(name))
    return made.getvalue()


def _as_of_then(model: Any) -> bytes:
    return _renamed(skops.io.dumps(model), {now: then for then, now in FORMER_MODULES.items()})


def _former(data: bytes) -> set[str]:
    return {then for then in FORMER_MODULES if f'"{then}"' in _schema(data)}


@pytest.mark.parametrize("kind", ["text", "table"])
def test_models_under_former_names_answer_the_same(kind: Kind, tmp_path: Path) -> None:
    """Cleaning, counts of words and calibration, renamed to what they were, are read and answer to the last bit."""
    stream, rows, model = _fitted(kind)
    data = _as_of_then(model)
    words = {"training.token_counts"} if kind == "text" else set()
    assert _former(data) == {"training.cleaning", "training.calibration"} | words
    file = tmp_path / "model.skops"
    file.write_bytes(data)
    for had, given in zip(
        answer(model, stream, rows.features), answer(read_model(file, ()), stream, rows.features), strict=True
    ):
        np.testing.assert_array_equal(had, given)


def test_boosted_trees_under_their_former_name_are_read(tmp_path: Path) -> None:
    """Whether or not the libraries of the extra `boosting` are installed: the trees are text until they answer."""
    model = BoostedClassifier("xgboost", 5, (("max_depth", 3),), 0)
    model.classes_, model.booster_ = np.array(["negative", "positive"]), '{"trees": []}'
    data = _as_of_then(model)
    assert _former(data) == {"training.boosting"}
    file = tmp_path / "model.skops"
    file.write_bytes(data)
    read = read_model(file, ())
    assert type(read) is BoostedClassifier
    assert (read.get_params(), read.booster_) == (model.get_params(), model.booster_)
    assert list(read.classes_) == list(model.classes_)


def test_a_file_of_today_is_left_as_it_is() -> None:
    """Where no former name stands, not one byte is touched."""
    data = skops.io.dumps(_fitted("text")[2])
    assert with_present_modules(data) is data


def test_other_types_of_the_former_package_are_not_trusted(tmp_path: Path) -> None:
    """Only the modules that were renamed are known; any other one of a package `training` is a stranger's."""
    file = tmp_path / "model.skops"
    file.write_bytes(_renamed(skops.io.dumps(_fitted("text")[2]), {"trueup_model.cleaning": "training.other"}))
    with pytest.raises(ModelUnusable, match=r"training\.other"):
        read_model(file, ())
