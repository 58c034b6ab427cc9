"""When incidents open, join, widen, narrow and resolve: a pure function of a check and what is open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.severity import Severity, severity_of
from trueup.monitoring.signals.catalogue import kind_of

JOINED = (Cause.METRIC, Cause.DATA, Cause.DRIFT)  # causes that share one incident of a stream, the gravest first
CALM = 0.05  # p-value above which one quiet check resolves an incident; closer to the bound it takes two


@dataclass(frozen=True, kw_only=True)
class OpenIncident:
    """An incident as it stands open. over: those of its codes that are over."""

    id: str
    causes: tuple[Cause, ...]
    codes: tuple[str, ...]
    severity: Severity
    over: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Opening:
    """An incident to be opened. causes: the gravest first."""

    causes: tuple[Cause, ...]
    codes: tuple[str, ...]
    severity: Severity


@dataclass(frozen=True)
class Move:
    """An open incident as it stands after a check. worse: who is hurt changed, so people are told again."""

    incident: OpenIncident
    worse: bool


@dataclass(frozen=True)
class IncidentChanges:
    """What a check does to incidents. resolved: ids."""

    opened: tuple[Opening, ...] = ()
    moved: tuple[Move, ...] = ()
    resolved: tuple[str, ...] = ()


def incident_changes(
    check: Check, acted: Collection[str], standing: Sequence[OpenIncident], before: Collection[str], decided: str
) -> IncidentChanges:
    """What opens, moves and resolves.

    acted: the codes that the decision acts on. standing: the open incidents of the stream. before: what the last check
    that could move incidents breached. decided: the severity of the decision.

    Drift, metric and data breaches are one incident: what is acted on joins the one that is open. It is worse when the
    metric joins or its severity rises.

    A cause is over when none of it is breached and at least one of the incident's codes of it was measured and is
    quiet: what could not be measured (insufficient) ends nothing. One that is near its bound has to be quiet twice, so
    that an incident does not open and resolve by turns (hysteresis). An incident resolves when all its causes are over
    and none is breached. Only a counted check ends anything, except what is judged by time.
    """
    by_signals = [i for i in standing if set(i.causes) <= {*JOINED, Cause.FEED}]
    joining: dict[str, list[str]] = {}
    opening: dict[bool, list[str]] = {}
    for code in acted:
        home = _home(by_signals, kind_of(code).cause)
        if home:
            joining.setdefault(home.id, []).append(code)
        else:
            opening.setdefault(kind_of(code).cause in JOINED, []).append(code)
    moved: list[Move] = []
    resolved: list[str] = []
    for incident in by_signals:
        after = _joined(incident, joining.get(incident.id, []), decided)
        if check.counted or Cause.FEED in incident.causes:
            after, closes = _narrowed(after, check, before)
            if closes:
                resolved.append(incident.id)
                continue
        if after != incident:
            metric = Cause.METRIC in after.causes and Cause.METRIC not in incident.causes
            moved.append(Move(after, metric or after.severity != incident.severity))
    opened = tuple(
        Opening(causes=_causes(codes), codes=tuple(codes), severity=_severity(codes, decided))
        for codes in opening.values()
    )
    return IncidentChanges(opened, tuple(moved), tuple(resolved))


def ended(incident: OpenIncident, cause: Cause) -> tuple[OpenIncident, bool]:
    """The incident after something else than a check ended one of its causes, and whether all of it is over."""
    over = {*incident.over, *(code for code in incident.codes if kind_of(code).cause is cause)}
    return _over(incident, over), over >= set(incident.codes)


def _home(standing: Sequence[OpenIncident], cause: Cause) -> OpenIncident | None:
    """The open incident that a breach of this cause belongs to."""
    own = next((i for i in standing if cause in i.causes), None)
    if own or cause not in JOINED:
        return own
    return next((i for i in standing if set(i.causes) & set(JOINED)), None)


def _joined(incident: OpenIncident, codes: Sequence[str], decided: str) -> OpenIncident:
    if not codes:
        return incident
    together = tuple(dict.fromkeys((*incident.codes, *codes)))
    return OpenIncident(
        id=incident.id,
        causes=_in_order({*incident.causes, *_causes(codes)}),
        codes=together,
        severity=min(incident.severity, _severity(codes, decided)),
        over=tuple(code for code in incident.over if code not in codes),
    )


def _narrowed(incident: OpenIncident, check: Check, before: Collection[str]) -> tuple[OpenIncident, bool]:
    """The incident with what this check found to be over, and whether it resolves."""
    breached = {kind_of(s.code).cause for s in check.breached}
    quiet = {s.code for s in check.signals if _quiet(s, before)} & set(incident.codes)
    over = set(incident.over) - {s.code for s in check.breached}
    causes = _causes(incident.codes)
    for cause in causes:
        mine = {code for code in incident.codes if kind_of(code).cause is cause}
        if quiet & mine:
            over |= quiet & mine if cause in breached else mine
    resolves = bool(quiet) and over >= set(incident.codes) and not breached & set(causes)
    return _over(incident, over), resolves


def _over(incident: OpenIncident, over: Collection[str]) -> OpenIncident:
    return OpenIncident(
        id=incident.id,
        causes=incident.causes,
        codes=incident.codes,
        severity=incident.severity,
        over=tuple(code for code in incident.codes if code in over),
    )


def _severity(codes: Collection[str], decided: str) -> Severity:
    return min(severity_of(cause, decided) for cause in _causes(codes))


def _causes(codes: Collection[str]) -> tuple[Cause, ...]:
    return _in_order({kind_of(code).cause for code in codes})


def _in_order(causes: Collection[Cause]) -> tuple[Cause, ...]:
    """The gravest first."""
    order = [*JOINED, *(cause for cause in Cause if cause not in JOINED)]
    return tuple(sorted(causes, key=order.index))


def _quiet(signal: Signal, before: Collection[str]) -> bool:
    if signal.verdict is not Verdict.OK:
        return False
    return signal.code not in before or signal.p_value is None or signal.p_value > CALM
