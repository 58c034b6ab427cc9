"""Incidents: what opens, widens and resolves them."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.incidents import IncidentChanges, incident_changes
from trueup.monitoring.signals.catalogue import kind_of


def check(counted: bool = True, **verdicts: Verdict) -> Check:
    signals = tuple(
        Signal(code=code.replace("_", "-"), name=code, verdict=verdict, said="") for code, verdict in verdicts.items()
    )
    return Check(report_id="r", counted=counted, signals=signals)


def moved(found: Check, standing: Mapping[Cause, tuple[str, ...]], before: tuple[str, ...] = ()) -> IncidentChanges:
    """What changes where the decision acts on all that was breached."""
    acted = [s.code for s in found.breached if found.counted or kind_of(s.code).judged_by_time]
    return incident_changes(found, acted, standing, before)


def test_one_incident_a_cause() -> None:
    """Three signals of drift are one incident, a lost metric is another."""
    found = moved(check(DRF_TEXT=Verdict.BREACHED, DRF_CLASS=Verdict.BREACHED, PRF_METRIC=Verdict.BREACHED), {})
    assert dict(found.opened) == {Cause.DRIFT: ("DRF-TEXT", "DRF-CLASS"), Cause.METRIC: ("PRF-METRIC",)}


def test_what_is_only_watched_opens_nothing_and_keeps_open_what_is() -> None:
    """A breach that is not confirmed wakes nobody; an incident of its cause does not resolve meanwhile."""
    watched = check(DRF_TEXT=Verdict.BREACHED, DRF_SCORE=Verdict.OK)
    assert incident_changes(watched, (), {}, ()) == IncidentChanges({}, {}, ())
    assert incident_changes(watched, (), {Cause.DRIFT: ("DRF-SCORE",)}, ()).resolved == ()


def test_an_open_incident_is_not_opened_again() -> None:
    """The same breach again says nothing; a further code widens what stands open."""
    standing = {Cause.DRIFT: ("DRF-TEXT",)}
    same = moved(check(DRF_TEXT=Verdict.BREACHED), standing)
    more = moved(check(DRF_TEXT=Verdict.BREACHED, DRF_SCORE=Verdict.BREACHED), standing)
    assert (dict(same.opened), dict(same.widened), same.resolved) == ({}, {}, ())
    assert dict(more.widened) == {Cause.DRIFT: ("DRF-TEXT", "DRF-SCORE")}


def test_a_quiet_counted_check_resolves() -> None:
    """Quiet must have been measured, by a check that counts."""
    standing = {Cause.DRIFT: ("DRF-TEXT",)}
    assert moved(check(DRF_TEXT=Verdict.OK), standing).resolved == (Cause.DRIFT,)
    assert moved(check(DRF_TEXT=Verdict.INSUFFICIENT), standing).resolved == ()
    assert moved(check(counted=False, DRF_TEXT=Verdict.OK), standing).resolved == ()


def test_a_signal_near_its_bound_has_to_be_quiet_twice() -> None:
    """p = .01 just after a breach keeps the incident open, p = .5 does not, and a second quiet check ends it."""
    standing = {Cause.DRIFT: ("DRF-TEXT",)}

    def quiet(p_value: float) -> Check:
        told = Signal(code="DRF-TEXT", name="words", verdict=Verdict.OK, said="", p_value=p_value)
        return Check(report_id="r", counted=True, signals=(told,))

    assert moved(quiet(0.01), standing, ("DRF-TEXT",)).resolved == ()
    assert moved(quiet(0.5), standing, ("DRF-TEXT",)).resolved == (Cause.DRIFT,)
    assert moved(quiet(0.01), standing, ()).resolved == (Cause.DRIFT,)


def test_a_silent_feed_does_not_wait_for_a_full_window() -> None:
    """What is judged by time opens and resolves on any check."""
    opened = moved(check(counted=False, DQ_VOLUME=Verdict.BREACHED, DRF_TEXT=Verdict.BREACHED), {})
    assert dict(opened.opened) == {Cause.FEED: ("DQ-VOLUME",)}
    assert moved(check(counted=False, DQ_VOLUME=Verdict.OK), {Cause.FEED: ("DQ-VOLUME",)}).resolved == (Cause.FEED,)
