"""Incidents: what opens, joins, widens, narrows and resolves them."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.incidents import JOINED, IncidentChanges, Move, OpenIncident, ended, incident_changes
from trueup.monitoring.severity import Severity
from trueup.monitoring.signals.catalogue import kind_of

CODES = ("DRF-TEXT", "DRF-SCORE", "PRF-METRIC", "PRF-EST", "DQ-MISSING-a", "DQ-VOLUME")


def check(counted: bool = True, **verdicts: Verdict) -> Check:
    signals = tuple(
        Signal(code=code.replace("_", "-"), name=code, verdict=verdict, said="") for code, verdict in verdicts.items()
    )
    return Check(report_id="r", counted=counted, signals=signals)


def incident(*codes: str, over: Sequence[str] = (), severity: Severity = Severity.LOW) -> OpenIncident:
    """An open incident of these codes."""
    found = {kind_of(code).cause for code in codes}
    causes = tuple(cause for cause in (*JOINED, Cause.FEED) if cause in found)
    return OpenIncident(id="i", causes=causes, codes=codes, over=tuple(over), severity=severity)


def moved(
    found: Check, *standing: OpenIncident, before: tuple[str, ...] = (), decided: str = "low"
) -> IncidentChanges:
    """What changes where the decision acts on all that was breached."""
    acted = [s.code for s in found.breached if found.counted or kind_of(s.code).judged_by_time]
    return incident_changes(found, acted, standing, before, decided)


def test_one_incident_many_causes() -> None:
    """Signals of drift, lost quality and missing values of one check are one incident, as grave as its gravest."""
    found = moved(check(DRF_TEXT=Verdict.BREACHED, DQ_MISSING_a=Verdict.BREACHED, PRF_METRIC=Verdict.BREACHED))
    (opened,) = found.opened
    assert opened.causes == (Cause.METRIC, Cause.DATA, Cause.DRIFT)
    assert opened.codes == ("DRF-TEXT", "DQ-MISSING-a", "PRF-METRIC")


def test_a_silent_feed_is_an_incident_of_its_own() -> None:
    """Beside a drift of the same check."""
    found = moved(check(DRF_TEXT=Verdict.BREACHED, DQ_VOLUME=Verdict.BREACHED))
    assert {opened.causes for opened in found.opened} == {(Cause.DRIFT,), (Cause.FEED,)}


def test_what_is_only_watched_opens_nothing_and_keeps_open_what_is() -> None:
    """A breach that is not confirmed wakes nobody; an incident of its cause does not resolve meanwhile."""
    watched = check(DRF_TEXT=Verdict.BREACHED, DRF_SCORE=Verdict.OK)
    assert incident_changes(watched, (), (), (), "none") == IncidentChanges()
    assert incident_changes(watched, (), (incident("DRF-SCORE"),), (), "none").resolved == ()


def test_an_open_incident_is_not_opened_again() -> None:
    """The same breach again says nothing; a further code of drift widens what stands open, and is not worse."""
    standing = incident("DRF-TEXT")
    assert moved(check(DRF_TEXT=Verdict.BREACHED), standing) == IncidentChanges()
    more = moved(check(DRF_TEXT=Verdict.BREACHED, DRF_SCORE=Verdict.BREACHED), standing)
    assert more == IncidentChanges(moved=(Move(incident("DRF-TEXT", "DRF-SCORE"), worse=False),))


def test_a_later_loss_of_quality_joins_and_is_worse() -> None:
    """It is told of again where users are hurt now, and where the severity rises; not where only data joins."""
    standing = incident("DRF-TEXT")
    (metric,) = moved(check(DRF_TEXT=Verdict.OK, PRF_METRIC=Verdict.BREACHED), standing, decided="high").moved
    assert metric == Move(
        incident("DRF-TEXT", "PRF-METRIC", over=("DRF-TEXT",), severity=Severity.HIGH), worse=True
    )
    (rise,) = moved(check(DRF_TEXT=Verdict.BREACHED), standing, decided="high").moved
    assert rise == Move(incident("DRF-TEXT", severity=Severity.HIGH), worse=True)
    grave = incident("DRF-TEXT", severity=Severity.HIGH)
    (data,) = moved(check(DRF_TEXT=Verdict.BREACHED, DQ_MISSING_a=Verdict.BREACHED), grave, decided="high").moved
    assert not data.worse
    assert moved(check(DRF_TEXT=Verdict.BREACHED), grave, decided="low") == IncidentChanges()


def test_an_incident_resolves_when_each_of_its_causes_is_over() -> None:
    """Drift that is over is kept as over, also while nothing of it can be measured, and the metric ends the rest."""
    standing = incident("DRF-TEXT", "PRF-METRIC")
    (narrowed,) = moved(check(DRF_TEXT=Verdict.OK, PRF_METRIC=Verdict.BREACHED), standing).moved
    assert narrowed.incident.over == ("DRF-TEXT",)
    assert not narrowed.worse
    after = narrowed.incident
    assert moved(check(DRF_TEXT=Verdict.INSUFFICIENT, PRF_METRIC=Verdict.OK), after).resolved == ("i",)
    assert moved(check(DRF_TEXT=Verdict.BREACHED, PRF_METRIC=Verdict.OK), after).resolved == ()
    assert moved(check(DRF_TEXT=Verdict.OK, PRF_METRIC=Verdict.INSUFFICIENT), after).resolved == ()


def test_a_quiet_counted_check_resolves() -> None:
    """Quiet must have been measured, by a check that counts."""
    standing = incident("DRF-TEXT")
    assert moved(check(DRF_TEXT=Verdict.OK), standing).resolved == ("i",)
    assert moved(check(DRF_TEXT=Verdict.INSUFFICIENT), standing).resolved == ()
    assert moved(check(counted=False, DRF_TEXT=Verdict.OK), standing).resolved == ()


def test_a_signal_near_its_bound_has_to_be_quiet_twice() -> None:
    """p = .01 just after a breach keeps the incident open, p = .5 does not, and a second quiet check ends it."""
    standing = incident("DRF-TEXT")

    def quiet(p_value: float) -> Check:
        told = Signal(code="DRF-TEXT", name="words", verdict=Verdict.OK, said="", p_value=p_value)
        return Check(report_id="r", counted=True, signals=(told,))

    assert moved(quiet(0.01), standing, before=("DRF-TEXT",)).resolved == ()
    assert moved(quiet(0.5), standing, before=("DRF-TEXT",)).resolved == ("i",)
    assert moved(quiet(0.01), standing).resolved == ("i",)


def test_a_silent_feed_does_not_wait_for_a_full_window() -> None:
    """What is judged by time opens and resolves on any check."""
    opened = moved(check(counted=False, DQ_VOLUME=Verdict.BREACHED, DRF_TEXT=Verdict.BREACHED))
    assert [o.codes for o in opened.opened] == [("DQ-VOLUME",)]
    assert moved(check(counted=False, DQ_VOLUME=Verdict.OK), incident("DQ-VOLUME")).resolved == ("i",)


def test_what_no_signal_opened_no_check_moves() -> None:
    """A rollback or a failing cycle ends by other means."""
    back = OpenIncident(id="i", causes=(Cause.ROLLBACK,), codes=("ROLLBACK",), severity=Severity.HIGH)
    assert moved(check(DRF_TEXT=Verdict.OK), back) == IncidentChanges()


def test_a_promotion_that_answers_a_drift_leaves_lost_quality_open() -> None:
    """The drift is over, and what is left of the incident waits for its own end."""
    after, over = ended(incident("DRF-TEXT", "PRF-METRIC"), Cause.DRIFT)
    assert (after.over, over) == (("DRF-TEXT",), False)
    assert ended(incident("DRF-TEXT", "DRF-SCORE"), Cause.DRIFT)[1]
    assert ended(after, Cause.METRIC)[1]


verdicts = st.fixed_dictionaries({code: st.sampled_from(list(Verdict)) for code in CODES})


@given(st.lists(st.tuples(verdicts, st.booleans(), st.sampled_from(["low", "high"])), max_size=8))
def test_over_any_history(past: list[tuple[dict[str, Verdict], bool, str]]) -> None:
    """At most one joined incident is open; severity and codes only grow while it is; `over` are codes of it.

    Nothing resolves while one of its causes is breached, and nothing without a code measured quiet.
    """
    standing: dict[str, OpenIncident] = {}
    number = 0
    for verdict_of, counted, decided in past:
        signals = tuple(Signal(code=c, name=c, verdict=v, said="") for c, v in verdict_of.items())
        found = Check(report_id="r", counted=counted, signals=signals)
        acted = [s.code for s in found.breached if counted or kind_of(s.code).judged_by_time]
        changes = incident_changes(found, acted, tuple(standing.values()), (), decided)
        breached = {kind_of(s.code).cause for s in found.breached}
        for gone in changes.resolved:
            assert not breached & set(standing[gone].causes)
            assert any(verdict_of[code] is Verdict.OK for code in standing[gone].codes)
            del standing[gone]
        for move in changes.moved:
            former = standing[move.incident.id]
            assert move.incident.codes[: len(former.codes)] == former.codes
            assert move.incident.severity <= former.severity  # "high" < "low"
            assert set(move.incident.over) <= set(move.incident.codes)
            assert move.worse >= (move.incident.severity != former.severity)
            standing[former.id] = move.incident
        for opening in changes.opened:
            number += 1
            standing[str(number)] = OpenIncident(
                id=str(number), causes=opening.causes, codes=opening.codes, severity=opening.severity
            )
        assert sum(bool(set(i.causes) & set(JOINED)) for i in standing.values()) <= 1
        assert set(acted) <= {code for i in standing.values() for code in i.codes}
