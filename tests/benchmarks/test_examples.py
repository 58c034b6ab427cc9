"""The example streams run through the very code path of production: taken in, trained in the past, and cycled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from trueup.feedback.intake import ingest
from trueup.flows.app import open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.monitoring.check import Check, Verdict
from trueup.storage.timepoints import parse_as_of

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Course:
    """An example's file, when it is trained, how far apart its cycles lie, and which of them count."""

    example: str
    file: str
    trained: str
    step: timedelta
    counted: tuple[bool, ...]


# a month of reviews holds far fewer than a window, so a check counts only where enough months have passed
GREENLIGHT = Course("greenlight", "greenlight_play.csv", "2020-03-31", timedelta(days=60), (False, True))
FLIPKART = Course("flipkart", "flipkart_badminton.csv", "2018-12", timedelta(days=90), (False, True))
BIKE = Course("bike", "bike_sharing_hour.csv", "2011-11-30", timedelta(days=14), (True, True))
ELEC2 = Course("elec2", "elec2.csv", "1996-11-30", timedelta(days=7), (True, True))


def each(first: Course, rest: Course) -> pytest.MarkDecorator:
    """Two courses, of which `make test` runs the first."""
    slow = pytest.param(rest, id=rest.example, marks=pytest.mark.slow)
    return pytest.mark.parametrize("course", [pytest.param(first, id=first.example), slow])


@dataclass(frozen=True)
class Ran:
    """What a course left behind."""

    champion: int | None
    cycles: list[dict[str, Any]]
    checks: list[Check]


def run(course: Course, data: Path, home: Path) -> Ran:
    """Takes the whole file in, trains at a time in the past, and runs the cycles."""
    app = open_app(EXAMPLES / f"{course.example}.toml", home)
    stream = app.stream(course.example)
    taken = ingest(app.store, stream, [str(data / course.file)], now=app.now())
    assert taken.accepted > 10 * taken.quarantined
    moment = parse_as_of(course.trained)
    assert train_now(app, stream, moment)["promotion"] == {"from_version": None, "to_version": 1}
    cycles = [run_cycle(app, stream, moment + k * course.step) for k in range(1, len(course.counted) + 1)]
    found = [app.cycles.report(cycle["check"]["report_id"]) for cycle in cycles]
    champion = app.registry.alias(stream.name, "champion")
    app.close()
    return Ran(champion, cycles, [Check.from_json(kept["document"]) for kept in found if kept])


def codes(check: Check, verdict: Verdict) -> set[str]:
    """The codes of the signals with that verdict."""
    return {signal.code for signal in check.signals if signal.verdict is verdict}


@each(FLIPKART, GREENLIGHT)
def test_review_examples_run(course: Course, shared_data: Path, tmp_path: Path) -> None:
    """Text streams keep a check with every signal for each cycle, count it once its window is full, and answer."""
    ran = run(course, shared_data, tmp_path)
    assert [check.counted for check in ran.checks] == list(course.counted)
    for check in ran.checks:
        judged = codes(check, Verdict.OK) | codes(check, Verdict.BREACHED)
        assert {"DRF-TEXT", "DRF-SCORE", "DRF-CLASS", "DRF-LABEL", "DQ-DUP", "DQ-VOLUME"} <= judged
    assert "PRF-METRIC" not in codes(ran.checks[-1], Verdict.INSUFFICIENT)
    assert all(cycle["decision"]["action"] in ("none", "alert") for cycle in ran.cycles)
    assert ran.champion == 1


@each(BIKE, ELEC2)
def test_series_examples_raise_nothing_before_their_breaks(course: Course, shared_data: Path, tmp_path: Path) -> None:
    """Neighbouring hours depend on each other, and are not taken for a change because of it."""
    ran = run(course, shared_data, tmp_path)
    assert [check.counted for check in ran.checks] == list(course.counted)
    for check in ran.checks:
        assert not check.breached
        assert {"DRF-SCORE", "DRF-LABEL", "PRF-METRIC", "DQ-DUP"} <= codes(check, Verdict.OK)
    assert [cycle["decision"]["action"] for cycle in ran.cycles] == ["none"] * len(ran.cycles)
    assert ran.champion == 1
