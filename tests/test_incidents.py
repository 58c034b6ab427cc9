"""Incidents: what opens, widens and resolves them."""

from __future__ import annotations

from monitoring.evidence import Check, Signal, Verdict
from monitoring.incidents import changes
from monitoring.policy import Cause


def check(counted: bool = True, **verdicts: Verdict) -> Check:
    signals = tuple(
        Signal(code=code.replace("_", "-"), name=code, verdict=verdict, said="") for code, verdict in verdicts.items()
    )
    return Check(report_id="r", counted=counted, signals=signals)


def test_one_incident_a_cause() -> None:
    """Three signals of drift are one incident, a lost metric is another."""
    found = changes(check(DRF_TEXT=Verdict.BREACHED, DRF_CLASS=Verdict.BREACHED, PRF_METRIC=Verdict.BREACHED), {})
    assert dict(found.opened) == {Cause.DRIFT: ("DRF-TEXT", "DRF-CLASS"), Cause.METRIC: ("PRF-METRIC",)}


def test_an_open_incident_is_not_opened_again() -> None:
    """The same breach again says nothing; a further code widens what stands open."""
    standing = {Cause.DRIFT: ("DRF-TEXT",)}
    same = changes(check(DRF_TEXT=Verdict.BREACHED), standing)
    more = changes(check(DRF_TEXT=Verdict.BREACHED, DRF_SCORE=Verdict.BREACHED), standing)
    assert (dict(same.opened), dict(same.widened), same.resolved) == ({}, {}, ())
    assert dict(more.widened) == {Cause.DRIFT: ("DRF-TEXT", "DRF-SCORE")}


def test_a_quiet_counted_check_resolves() -> None:
    """Quiet must have been measured, by a check that counts."""
    standing = {Cause.DRIFT: ("DRF-TEXT",)}
    assert changes(check(DRF_TEXT=Verdict.OK), standing).resolved == (Cause.DRIFT,)
    assert changes(check(DRF_TEXT=Verdict.INSUFFICIENT), standing).resolved == ()
    assert changes(check(counted=False, DRF_TEXT=Verdict.OK), standing).resolved == ()


def test_a_silent_feed_does_not_wait_for_a_full_window() -> None:
    """What is judged by time opens and resolves on any check."""
    opened = changes(check(counted=False, DQ_VOLUME=Verdict.BREACHED, DRF_TEXT=Verdict.BREACHED), {})
    assert dict(opened.opened) == {Cause.FEED: ("DQ-VOLUME",)}
    assert changes(check(counted=False, DQ_VOLUME=Verdict.OK), {Cause.FEED: ("DQ-VOLUME",)}).resolved == (Cause.FEED,)
