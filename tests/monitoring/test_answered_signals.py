"""Signals whose change was answered: compared with the records since, and told where the world before returns."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from tests.made_comparisons import compared, made_records, made_stream
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import AnsweredChange
from trueup.monitoring.signals.measure import measure
from trueup.storage.rows import Rows, stack

CODES = ("DRF-IN-size", "DRF-MULTI", "DRF-TEXT", "DRF-SCORE", "DRF-CLASS", "DRF-LABEL")
SINCE = datetime(2021, 6, 1, tzinfo=UTC)


def records(seed: int, n: int, *, other: bool = False) -> Rows:
    """Records of one of two worlds; those of the other are later, larger, and often hold one word."""
    made = made_records(n, np.random.default_rng(seed), positive=0.3 if other else 0.7)
    if not other:
        return made
    size = made.features["size"] + 2 * (made.features["kind"] == "a") + 1
    words = made.features["words"].where(np.arange(n) % 3 > 0, made.features["words"] + " refund")
    later = made.meta["time"] + pd.Timedelta(days=365)
    return Rows(made.features.assign(size=size, words=words), made.meta.assign(time=later))


def found(now: Rows, *, waits: str = "", known: int = 1000) -> tuple[dict[str, Signal], tuple[str, ...]]:
    """The signals of a window compared with `known` rows of the other world, in a champion's snapshot of both."""
    since = records(2, known, other=True)
    both = stack([records(1, 1500), since], list(since.features.columns))
    change = AnsweredChange(since, SINCE, "on which v2 was trained", waits)
    signals, notes = measure(made_stream(), compared(both, now, answered=dict.fromkeys(CODES, change)))
    return {signal.code: signal for signal in signals}, notes


def test_the_world_since_is_quiet_and_the_check_says_against_what() -> None:
    """Compared with the snapshot, most of which is the world before, the same window breaches."""
    now = records(3, 300, other=True)
    held, notes = found(now)
    assert {code: held[code].verdict for code in CODES} == dict.fromkeys(CODES, Verdict.OK)
    assert any(note.startswith("Compared with the records since 2021-06-01 00:00 UTC, on which v2") for note in notes)
    unmoved, _ = measure(made_stream(), compared(records(1, 1500), now))
    assert {s.code for s in unmoved if s.verdict is Verdict.BREACHED} >= set(CODES)


def test_the_world_before_is_a_change_that_is_known() -> None:
    """Every signal breaches, and says that it is as it was before."""
    held, _ = found(records(4, 300))
    for code in CODES:
        assert held[code].verdict is Verdict.BREACHED, code
        assert held[code].returned, code
        assert held[code].said.startswith("Back to the state before the last change."), code


def test_a_third_world_is_no_return() -> None:
    """Neither as before nor as since."""
    third = records(5, 300)
    held, _ = found(Rows(third.features.assign(size=third.features["size"] - 3), third.meta))
    assert held["DRF-IN-size"].verdict is Verdict.BREACHED
    assert not held["DRF-IN-size"].returned


def test_until_the_records_fill_a_window_nothing_is_judged() -> None:
    """And the signal's sentence says why."""
    held, _ = found(records(6, 300, other=True), waits="Since the change 40 records came.")
    for code in CODES:
        assert held[code].verdict is Verdict.INSUFFICIENT, code
        assert held[code].said == "Since the change 40 records came.", code


@pytest.mark.slow
def test_the_level_holds_against_the_records_since() -> None:
    """Of 30 healthy windows, each against one window since the change, no more breach than a budget of .05 lets through
    (p > .001)."""
    breached = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        since, now = made_records(150, rng), made_records(150, rng)
        change = AnsweredChange(since, SINCE, "on which v2 was trained")
        stream = made_stream(policy={"false_alarms": 0.05, "window": 150}, text=())
        signals, _ = measure(stream, compared(since, now, answered=dict.fromkeys(CODES, change)))
        breached += any(signal.verdict is Verdict.BREACHED for signal in signals)
    assert breached <= 7
