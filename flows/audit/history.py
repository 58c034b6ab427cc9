"""The audit trail as one list: attempts, pauses and acknowledgements of the store, and what only MLflow still tells."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DatabaseError

from trueup.flows.app import App
from trueup.flows.promote.mlflow_tags import attempts_of
from trueup.monitoring.causes import Cause
from trueup.storage.erasure.erasure_log import ErasureLog
from trueup.storage.errors import TrueupError
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings
from trueup.storage.tabular import Tabular


@dataclass(frozen=True)
class AuditHistory(Tabular):
    """The events, newest first, and the champion.

    lost: why MLflow could not be asked; empty where it could. total: how many events were asked for, with those that a
    limit left out.
    """

    events: list[dict[str, Any]]
    champion: int | None
    lost: str = ""
    total: int = 0

    def narrowed(
        self, limit: int | None, *, since: datetime | None = None, kind: str | None = None, state: str | None = None
    ) -> AuditHistory:
        """The newest `limit` events that are wanted; `total` says how many there are."""
        wanted = [
            event for event in self.events
            if (since is None or event["at"] >= since)
            and kind in (None, str(event["kind"])) and state in (None, event["state"])
        ]  # fmt: skip
        return replace(self, events=wanted[:limit], total=len(wanted))

    def only(self, event_id: str) -> AuditHistory:
        """The trail with one of its events."""
        return replace(self, events=[event for event in self.events if event["id"] == event_id], total=1)

    def caption(self) -> str:
        return f"champion {'–' if self.champion is None else f'v{self.champion}'}, {len(self.events)} events"

    def records(self) -> list[dict[str, Any]]:
        columns = ("at", "who", "kind", "state", "from_version", "to_version", "why")
        return [{name: event[name] for name in columns} for event in self.events]

    def as_json(self) -> dict[str, Any]:
        lost = self.lost or None
        return {"champion": self.champion, "versions": [], "events": self.events, "lost": lost, "total": self.total}


def history(app: App, stream: StreamSettings) -> AuditHistory:
    """Everything that changed the champion, was tried, or kept it from changing.

    Each event has a `source`: "store", or "mlflow" for one that the store lost and a version's tag still tells.
    An MLflow that cannot be reached costs only what it alone knows.
    """
    kept = _of_store(app, stream)
    try:
        champion = app.registry.alias(stream.name, "champion")
        told = [event for version in app.registry.versions(stream.name)
                for event in attempts_of(stream.name, version.tags)[0]]  # fmt: skip
    except (TrueupError, DatabaseError, sqlite3.DatabaseError, OSError) as error:
        return AuditHistory(_newest_first(kept), None, error_line(error), len(kept))
    known = {event["id"] for event in kept}
    only = [_attempt(event, "mlflow") for event in told if event.id not in known]
    return AuditHistory(_newest_first([*kept, *only]), champion, total=len(kept) + len(only))


_MOVED = {
    PromotionKind.FIRST: "first champion", PromotionKind.CHALLENGER: "promoted", PromotionKind.AGAIN: "promoted",
    PromotionKind.APPROVED: "approved",
    PromotionKind.FORCED: "forced", PromotionKind.ROLLBACK: "rolled back", PromotionKind.PROBATION: "rolled back",
    PromotionKind.OUTSIDE: "moved in MLflow", PromotionKind.ELSEWHERE: "service changed",
    PromotionKind.REFERENCE: "new reference",
}  # fmt: skip
_BY_HAND = {"pause": "paused", "resume": "resumed", "resume_promotion": "promotion on", "erasure": "erased"}


def what_happened(event: Mapping[str, Any]) -> str:
    """An event of the audit trail in a word or two."""
    if event["state"] == "done":
        return _BY_HAND.get(event["kind"], str(event["kind"]))
    if event["state"] == str(PromotionState.COMMITTED):
        return _MOVED[PromotionKind(event["kind"])]
    return "waits" if event["state"] == str(PromotionState.HELD) else str(event["state"])


def error_line(error: Exception) -> str:
    """Why a side of the trail cannot be read, on one line."""
    return " ".join(str(error.orig if isinstance(error, DatabaseError) else error).split())


def _of_store(app: App, stream: StreamSettings) -> list[dict[str, Any]]:
    attempts = [_attempt(p, "store") for p in app.promotions.history(stream.name)]
    pauses = [
        _done(p.id, p.at, p.who, "pause" if p.paused else "resume", p.why) for p in app.pauses.history(stream.name)
    ]
    seen = [
        _done(i.id, i.resolved_at, i.resolved_by, "resume_promotion", i.resolved_why or "")
        for i in app.incidents.newest(stream.name, limit=None)
        if i.cause == Cause.ROLLBACK and i.resolved_by is not None
    ]
    erased = [_done(e.id, e.at, e.who, "erasure", e.why) for e in ErasureLog(app.database).of(stream.name)]
    return [*attempts, *pauses, *seen, *erased]


def _attempt(p: PromotionAttempt, source: str) -> dict[str, Any]:
    return {
        "id": p.id, "at": p.at, "as_of": p.as_of, "who": p.who, "kind": p.kind, "state": str(p.state),
        "from_version": p.from_version, "to_version": p.to_version, "why": p.why, "codes": p.codes,
        "labels": p.labels, "gate": p.gate, "cycle_id": p.cycle_id, "source": source,
    }  # fmt: skip


def _done(event_id: str, at: Any, who: str | None, kind: str, why: str) -> dict[str, Any]:
    """What a person did that moved no alias."""
    return {
        "id": event_id, "at": at, "as_of": None, "who": who, "kind": kind, "state": "done", "from_version": None,
        "to_version": None, "why": why, "codes": (), "labels": None, "gate": None, "cycle_id": None, "source": "store",
    }  # fmt: skip


def _newest_first(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(events, key=lambda event: event["at"], reverse=True)
