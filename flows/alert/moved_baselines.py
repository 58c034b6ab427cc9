"""Changes that are over, answered by a promotion or harmless: the reference of their signals moves, people are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from trueup.flows.alert.incidents import as_open, keep_incident
from trueup.flows.alert.notices import Write, add_notice
from trueup.flows.app import App
from trueup.flows.check.answered import breached_since
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check
from trueup.monitoring.incidents import ended
from trueup.monitoring.signals.catalogue import CATALOGUE, kind_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.actors import SCHEDULE
from trueup.storage.baselines import Baseline, BaselineKind
from trueup.storage.cycles import CountedCheck, CycleRecord
from trueup.storage.incidents import Incident
from trueup.storage.promotions import GATED, ROLLBACKS, PromotionAttempt, VersionRecord
from trueup.storage.stream import StreamSettings


def answer_changes(app: App, attempt: PromotionAttempt) -> Write:
    """What a promotion answers: the drift that asked for the version, of which the version learnt.

    The signals that asked, and breached in the newest counted check that the version's training knew, are compared with
    the records since, and where answers, labels or quality changed as well, the signals of the model's answers. What
    was answered before stays so under the new champion. An open incident of drift ends.
    """
    stream = app.stream(attempt.stream)
    version = app.promotions.version(stream.name, attempt.to_version) if attempt.to_version is not None else None
    if version is None or attempt.from_version is None or attempt.kind in ROLLBACKS or stream.series:
        return lambda connection: None
    incident = _open_drift(app, stream)
    counted = _counted(app, stream, attempt.from_version, version.trained_as_of)
    asked = _asked(app, attempt) | set(incident.codes if incident else ())
    codes = [c for c in _breached(counted) if c in asked and kind_of(c).cause is Cause.DRIFT]
    why = f"on which v{version.version} was trained"
    moved = _since(
        app, stream, counted, codes, version.version, version.cut_off, BaselineKind.ANSWERED, why, attempt.who
    )
    moved += _of_model(moved, _breached(counted))
    moved += _kept(app, stream, attempt.from_version, version, {baseline.code for baseline in moved})
    over = incident if incident and codes else None

    def write(connection: Connection) -> None:
        app.baselines.add_within(connection, moved)
        if over is not None:
            began = f"{min(baseline.first_time for baseline in moved):%Y-%m-%d %H:%M} UTC"
            said = f"answered by v{version.version}, which was trained on the records since {began}"
            _end(app, stream, connection, over.id, attempt.as_of, attempt.cycle_id, BaselineKind.ANSWERED, said)

    return write


def close_harmless(app: App, stream: StreamSettings, cycle: CycleRecord, check: Check, codes: Sequence[str]) -> Write:
    """End the open incident of drift that turned out harmless so far, and move the reference of its signals."""
    incident, version = _open_drift(app, stream), app.registry.alias(stream.name, "champion")
    if not codes or incident is None or version is None or check.last_time is None:
        return lambda connection: None
    counted = _counted(app, stream, version, cycle.as_of)
    last = datetime.fromisoformat(check.last_time)
    why = "harmless so far: no challenger was better, and quality stayed as it was"
    moved = _since(app, stream, counted, codes, version, last, BaselineKind.HARMLESS, why, SCHEDULE)

    def write(connection: Connection) -> None:
        app.baselines.add_within(connection, moved)
        _end(app, stream, connection, incident.id, cycle.as_of, cycle.id, BaselineKind.HARMLESS, why)

    return write


def _asked(app: App, attempt: PromotionAttempt) -> set[str]:
    """The codes that asked for the version, also where a person promotes it later."""
    history = app.promotions.history(attempt.stream)
    judged = [p for p in history if p.to_version == attempt.to_version and p.kind in GATED]
    return {code for past in (attempt, *judged) for code in past.codes}


def _counted(app: App, stream: StreamSettings, version: int, until: datetime) -> list[CountedCheck]:
    return [check for check in app.cycles.counted_checks(stream.name, version=version) if check.as_of <= until]


def _breached(counted: Sequence[CountedCheck]) -> tuple[str, ...]:
    return tuple(s.code for s in Check.from_json(counted[0].document).breached) if counted else ()


def _since(
    app: App,
    stream: StreamSettings,
    counted: list[CountedCheck],
    codes: Iterable[str],
    version: int,
    last: datetime,
    kind: BaselineKind,
    why: str,
    who: str,
) -> list[Baseline]:
    """Baselines from the first record of the counted checks running that breached each code."""
    return [
        Baseline(
            stream=stream.name, code=code, version=version, report_id=counted[0].document["report_id"],
            first_time=began, last_time=last, at=app.now(), who=who, why=why, kind=kind,
        )
        for code in codes
        if (began := breached_since(counted, code)) is not None
    ]  # fmt: skip


def _of_model(moved: Sequence[Baseline], breached: Collection[str]) -> list[Baseline]:
    """The newest change for all signals of the model's answers, where answers, labels or quality changed with it.

    The new champion then answers the records since otherwise than those before, and rightly so.
    """
    kinds = [kind_of(code) for code in breached]
    if not moved or not any(kind.side != "inputs" or kind.cause is Cause.METRIC for kind in kinds):
        return []
    newest, codes = max(moved, key=lambda baseline: baseline.first_time), {baseline.code for baseline in moved}
    return [newest.of(kind.code) for kind in CATALOGUE if kind.side == "model" and kind.code not in codes]


def _kept(
    app: App, stream: StreamSettings, before: int, version: VersionRecord, anew: Collection[str]
) -> list[Baseline]:
    """What was answered or harmless under the champion before and did not move `anew`, under one that knows of it."""
    return [
        old.under(version.version, app.now())
        for old in app.baselines.accepted(stream.name, before).values()
        if old.kind != BaselineKind.ACCEPTED and old.first_time < version.cut_off and old.code not in anew
    ]


def _open_drift(app: App, stream: StreamSettings) -> Incident | None:
    """The open incident with a drift that is not over."""
    return next(
        (
            i for i in app.incidents.open_ones(stream.name)
            if any(kind_of(code).cause is Cause.DRIFT and code not in i.over for code in i.codes)
            and Cause.DRIFT in i.causes
        ),
        None,
    )  # fmt: skip


def _end(
    app: App,
    stream: StreamSettings,
    connection: Connection,
    incident_id: str,
    as_of: datetime,
    cycle_id: str | None,
    outcome: str,
    said: str,
) -> None:
    """End the drift of an incident; it closes where nothing else of it is left."""
    incident = next((i for i in app.incidents.open_ones(stream.name, connection) if i.id == incident_id), None)
    if incident is None:
        return  # this transaction resolved it already
    after, over = ended(as_open(incident), Cause.DRIFT)
    keep_incident(app, connection, after)
    app.incidents.change(connection, incident.id, outcome=str(outcome))
    if not over:
        return
    app.incidents.resolve(connection, incident.id, as_of)
    facts = AlertFacts(
        kind=AlertKind.INCIDENT_RESOLVED, stream=stream.name, as_of=as_of, codes=incident.codes, why=said,
        cycle_id=cycle_id, home=str(app.home),
    )  # fmt: skip
    add_notice(app, connection, stream, facts, incident)
