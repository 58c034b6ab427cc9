"""A version is read back where nothing of its training is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.made_deployments import ONE_CANDIDATE, with_champion
from trueup.flows.app import App
from trueup.flows.gate.registered_answers import (
    difference_in_fresh_process,  # before conftest puts another in its place
)
from trueup.storage import snapshots
from trueup.storage.errors import TrueupError
from trueup.storage.promotions import VersionRecord
from trueup.training.gate.fresh_process import Reading, read_back


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A deployment with one version."""
    opened = with_champion(tmp_path_factory.mktemp("fresh"), more=ONE_CANDIDATE)
    yield opened
    opened.close()


def _record(app: App) -> VersionRecord:
    record = app.promotions.version("reviews", 1)
    assert record is not None
    return record


def _elsewhere(app: App, record: VersionRecord) -> str:
    return difference_in_fresh_process(app, app.stream("reviews"), record, None)


def test_a_registered_version_answers_the_same_in_a_fresh_process(app: App) -> None:
    """Loaded from the registry alone, it gives each reference row the answer that it gave when it was fitted."""
    assert _elsewhere(app, _record(app)) == ""


@pytest.mark.slow
def test_other_answers_are_told(app: App) -> None:
    """Compared with answers that it never gave, the version is not the model that was fitted; it says how many."""
    rows = snapshots.load(app.archive, _record(app).reference, regression=False)
    turned = rows.meta["predicted"].to_numpy(copy=True)
    turned[:3] = np.where(turned[:3] == "negative", "positive", "negative")
    name = snapshots.keep(app.archive, "reviews", rows.with_meta(predicted=turned))
    said = _elsewhere(app, replace(_record(app), reference=name))
    told = f"it answers 3 of {len(rows)} evaluation rows differently than when it was trained"
    assert said == f"in a fresh process {told}"


@pytest.mark.slow
def test_a_version_that_cannot_be_loaded_is_told(app: App) -> None:
    """A number that the registry does not hold."""
    assert "it is unusable: Version 99 of 'reviews'" in _elsewhere(app, replace(_record(app), version=99))


def test_a_store_that_fails_says_nothing_of_the_version(app: App) -> None:
    """Without its reference rows nothing is concluded: it is a failure, to be tried again, and no refusal."""
    with pytest.raises(TrueupError, match=r"lacks 'snapshots/reviews/gone\.parquet'"):
        _elsewhere(app, replace(_record(app), reference="snapshots/reviews/gone.parquet"))


def test_who_never_answers_is_not_waited_for(app: App, tmp_path: Path) -> None:
    """The time is limited, and a process that dies is told of with its last words."""
    reading = Reading(
        stream={}, version=1, reference="", archive="", home=str(tmp_path), uri="", artifact_root=str(tmp_path),
        packages=(),
    )
    assert read_back(reading, limit_s=0.01) == "it did not load and answer within 0.01 s in a fresh process"
    assert "it ended a fresh process with status 1: " in read_back(reading)
