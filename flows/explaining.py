"""`trueup models explain`: why the champion is champion, and what others would have needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flows.app import App
from flows.outside_moves import moved_outside
from reports.explanation import Asked, Trail, because, others
from storage.errors import TrueupError
from storage.promotions import Promotion
from storage.stream import Stream

ALL = 10_000  # attempts that are looked through


def explain(app: App, stream: Stream, which: Sequence[int] = ()) -> dict[str, Any]:
    """The champion and the versions named (none: those since it came, and those that wait), told from the audit trail.

    MLflow only says who answers; where it cannot, the store does, and `notes` says so. Nothing is changed.
    """
    trail, notes = trail_of(app, stream)
    standing = because(trail)
    return {
        "champion": trail.champion,
        "because": asdict(standing) if standing else None,
        "others": [asdict(other) for other in others(trail, which)],
        "notes": notes,
    }


def trail_of(app: App, stream: Stream) -> tuple[Trail, list[str]]:
    """The stream's audit trail, and what is to be said of where it comes from."""
    history: list[Promotion] = app.promotions.history(stream.name, limit=ALL)
    champion, moved, notes = _champion(app, stream)
    history = [moved, *history] if moved else history
    return Trail(
        stream=stream.name,
        metric=stream.metric,
        champion=champion,
        history=history,
        versions=[record.version for record in app.promotions.versions(stream.name)],
        asked={
            cycle: _asked(steps)
            for cycle, steps in app.cycles.steps_of({p.cycle_id for p in history if p.cycle_id}).items()
            if steps.get("decide")
        },
    ), notes


def _champion(app: App, stream: Stream) -> tuple[int | None, Promotion | None, list[str]]:
    """Who answers, a change of it that nobody has written down yet, and notes."""
    last = app.promotions.last_committed(stream.name)
    stored = last.to_version if last else None
    try:
        present, moved = app.registry.alias(stream.name, "champion"), moved_outside(app, stream)
    except TrueupError as error:
        return stored, None, [f"MLflow cannot be asked, so this is told from the store alone. {error}"]
    if present is None and stored is not None:
        lost = f"MLflow names no champion, so this is told from the store alone, by which v{stored} was the last one."
        return stored, None, [f"{lost} See: trueup models verify --stream {stream.name}"]
    if moved is not None:
        return present, moved, ["The alias was moved in MLflow; the next cycle or change writes that down."]
    return present, None, []


def _asked(steps: Mapping[str, Any]) -> Asked:
    found = (steps.get("check") or {}).get("check") or {}
    return Asked(
        report_id=found.get("report_id"),
        codes=tuple(steps["decide"].get("confirmed", ())),
        reasons=tuple(steps["decide"]["reasons"]),
        first_time=found.get("first_time"),
        last_time=found.get("last_time"),
    )
