"""DQ-LABELS: labels that stop, thin out or come late are a breach; those that come as ever are none."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.detection.labels import BREAK, BREAKS, FEEDS, broken, days_until_seen, healthy, look, made
from tests.made_comparisons import compared, made_records
from trueup.monitoring.check import Check, Verdict
from trueup.monitoring.policy import Action, History, PastCheck, decide
from trueup.monitoring.signals.catalogue import kind_of
from trueup.monitoring.signals.label_coverage import biased_sample
from trueup.storage.policy import Policy

T = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("feed", FEEDS)
def test_labels_that_stop_are_told_within_eight_days(feed: str) -> None:
    """Steady labels, those of working days, of a varying pace, and a batch a week; healthy ones are quiet before."""
    assert days_until_seen(feed, "gone", 1) <= 8
    assert healthy(feed, 1)[0] == 0


@pytest.mark.parametrize("how", BREAKS)
def test_the_sentence_says_how_many_are_missing_and_since_when(how: str) -> None:
    """Gone, halved, or three days later."""
    hours, known = made("steady", 2)
    known = broken(how, known, np.random.default_rng(2))
    found = look(hours, known, BREAK * 168 + 9 * 24.0)
    assert found.verdict is Verdict.BREACHED
    assert "by this age; newest label 2024-05-" in found.said
    assert found.effect is not None
    assert found.effect < -0.1


def test_three_windows_without_a_label_are_no_silence() -> None:
    """Labels that stop coming: the feed's incident opens, in checks that count or not, once a look confirms it."""
    hours, known = made("steady", 3)
    found = look(hours, broken("gone", known, np.random.default_rng(3)), BREAK * 168 + 10 * 24.0)
    assert kind_of("DQ-LABELS").judged_by_time
    check = Check(report_id="r", counted=False, signals=(found,))
    past = PastCheck(T, {"DQ-LABELS": "down"})
    decision = decide(Policy(), check, History((), (), 0, latest=past), T)
    assert (decision.action, decision.codes) == (Action.ALERT, ("DQ-LABELS",))


def test_fewer_than_eight_weeks_are_not_judged() -> None:
    """What is usual is not known yet."""
    hours, known = made("steady", 4)
    found = look(hours, known, 9 * 168.0)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "8 are needed" in found.said
    assert look(hours, known, 11 * 168.0).verdict is Verdict.OK


def test_a_biased_sample_of_labels_is_told() -> None:
    """One predicted class in ten labelled, of the other nearly all; an even share says nothing."""
    rng = np.random.default_rng(5)
    rows = made_records(400, rng)
    few = rng.random(400) < np.where(rows.meta["predicted"] == "negative", 0.1, 0.9)
    biased = rows.with_meta(label=rows.meta["label"].where(few, None))
    even = rows.with_meta(label=rows.meta["label"].where(rng.random(400) < 0.5, None))
    assert "predicted 'negative'" in biased_sample(compared(rows, biased))
    assert biased_sample(compared(rows, even)) == ""
