"""`trueup models explain`: why the champion is champion, and what others would have needed."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.exc import DatabaseError

from trueup.flows.app import App
from trueup.flows.audit.history import error_line
from trueup.flows.promote.mlflow_tags import attempts_of
from trueup.flows.promote.out_of_band import out_of_band_move
from trueup.reports.explanation import explain_champion, explain_others
from trueup.reports.explanation_facts import Trail, TrainingRequest
from trueup.storage.errors import TrueupError
from trueup.storage.promotions import PromotionAttempt
from trueup.storage.stream import StreamSettings


def explain(app: App, stream: StreamSettings, which: Sequence[int] = ()) -> dict[str, Any]:
    """The champion and the versions named (none: those since it came, and those that wait), told from the audit trail.

    MLflow only says who answers; where it cannot, the store does, and `notes` says so. Nothing is changed.
    """
    trail, notes = trail_of(app, stream)
    standing = explain_champion(trail)
    return {
        "champion": trail.champion,
        "because": asdict(standing) if standing else None,
        "others": [asdict(other) for other in explain_others(trail, which)],
        "notes": notes,
    }


def explain_one(app: App, stream: StreamSettings, version: int) -> list[str]:
    """The same of one version, in sentences."""
    trail, _ = trail_of(app, stream)
    standing = explain_champion(trail)
    if standing is not None and version == trail.champion:
        return list(standing.said)
    (other,) = explain_others(trail, [version])
    return [other.said, *other.needed]


def trail_of(app: App, stream: StreamSettings) -> tuple[Trail, list[str]]:
    """The stream's audit trail, and what is to be said of where it comes from."""
    kept = app.promotions.history(stream.name)
    seen = _registry(app, stream)
    known = {attempt.id for attempt in kept}
    only = [attempt for attempt in seen.attempts if attempt.id not in known]
    notes = [seen.note] if seen.note else []
    if only:
        notes.append(f"{len(only)} events are told by MLflow alone; the store lost them, and the checks that asked.")
    last = app.promotions.last_committed(stream.name)
    champion = seen.champion if seen.champion is not None or last is None else last.to_version
    history = sorted([*seen.moved, *kept, *only], key=lambda p: (p.as_of, p.at), reverse=True)
    return Trail(
        stream=stream.name,
        metric=stream.metric,
        champion=champion,
        history=history,
        versions={record.version for record in app.promotions.versions(stream.name)} | set(seen.versions),
        asked={
            cycle: _asked(steps)
            for cycle, steps in app.cycles.steps_of({p.cycle_id for p in history if p.cycle_id}).items()
            if steps.get("decide")
        },
        probation=_probation(app, stream, champion, last),
    ), notes


@dataclass(frozen=True)
class _Registry:
    """What MLflow tells: who answers, its versions, the events on them, and a move that nobody has written down."""

    champion: int | None = None
    versions: tuple[int, ...] = ()
    attempts: tuple[PromotionAttempt, ...] = ()
    moved: tuple[PromotionAttempt, ...] = ()
    note: str = ""


def _registry(app: App, stream: StreamSettings) -> _Registry:
    try:
        champion, found = app.registry.alias(stream.name, "champion"), app.registry.versions(stream.name)
        moved = out_of_band_move(app, stream)
    except (TrueupError, DatabaseError, sqlite3.DatabaseError, OSError) as error:
        return _Registry(note=f"MLflow cannot be asked, so this is told from the store alone: {error_line(error)}")
    note = ""
    if champion is None and app.promotions.last_committed(stream.name) is not None:
        note = f"MLflow names no champion, so this is told from the store. See: trueup models verify -s {stream.name}"
    if moved is not None:
        note = "The alias was moved in MLflow; the next cycle or change writes that down."
    return _Registry(
        champion=champion,
        versions=tuple(version.number for version in found),
        attempts=tuple(attempt for version in found for attempt in attempts_of(stream.name, version.tags)[0]),
        moved=(moved,) if moved else (),
        note=note,
    )


def _probation(
    app: App, stream: StreamSettings, champion: int | None, last: PromotionAttempt | None
) -> Mapping[str, Any] | None:
    """What the newest cycle says of the probation of the champion in force; None where it is on none."""
    if last is None or last.to_version != champion:
        return None
    left = app.cycles.last_step_output(stream.name, "probation", since=last.as_of)
    return left if left and left["event_id"] == last.id else None


def _asked(steps: Mapping[str, Any]) -> TrainingRequest:
    found = (steps.get("check") or {}).get("check") or {}
    return TrainingRequest(
        report_id=found.get("report_id"),
        codes=tuple(steps["decide"].get("confirmed", ())),
        reasons=tuple(steps["decide"]["reasons"]),
        first_time=found.get("first_time"),
        last_time=found.get("last_time"),
    )
