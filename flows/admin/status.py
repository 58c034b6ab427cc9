"""How a stream stands: what `trueup status` says."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.flows.admin.health import Health, health_of
from trueup.flows.alert.linked_pages import page_on_site
from trueup.flows.alert.unreached import unreached
from trueup.flows.app import App
from trueup.flows.check.champion import champion_of
from trueup.flows.check.timeliness import timeliness
from trueup.flows.promote.notifications import refusal_reason
from trueup.flows.promote.out_of_band import out_of_band_move
from trueup.storage.errors import ModelUnusable, NoChampion, TrueupError
from trueup.storage.leases import holder_of
from trueup.storage.promotions import PromotionKind
from trueup.storage.site_journal import journal_file, last_failure
from trueup.storage.stream import StreamSettings

_PATIENCE = 5.0  # seconds that a look at all streams waits for MLflow; then it shows what the store knows


@dataclass(frozen=True)
class StreamStatus:
    """One stream at a glance. stale: by its cron line a cycle should have ended, and none has."""

    stream: str
    records: int
    champion: int | None
    last_cycle: datetime | None  # when it ended, by the clock
    last_as_of: datetime | None
    next_cycle: datetime | None
    stale: bool
    working: str | None
    open_incidents: list[dict[str, Any]]
    pending_alerts: int
    dead_alerts: int
    undelivered: tuple[dict[str, Any], ...]  # recipient, state, alerts, since, why: whom messages do not reach
    paused: dict[str, Any] | None  # since, who, why
    health: Health
    notes: tuple[str, ...]  # what a person should know before relying on the rest
    page: str  # its page of the site, as somebody here opens it; empty: there is none


def statuses(app: App) -> Iterator[StreamStatus]:
    """Look each stream up."""
    until = time.monotonic() + _PATIENCE
    for stream in app.settings.streams.values():
        yield status_of(app, stream, until)


def status_of(app: App, stream: StreamSettings, until: float = math.inf) -> StreamStatus:
    """Look a stream up in the store and the registry; where that does not answer, the store's own last word counts.

    until: by the monotonic clock, when the registry is no longer asked.
    """
    now = app.now()
    champion, notes = _by_registry(app, stream, until)
    cycles = timeliness(app, stream, now)
    alerts = app.outbox.newest(stream.name, limit=None)
    pause = app.pauses.current(stream.name)
    return StreamStatus(
        stream=stream.name,
        records=app.counts.records(stream),
        champion=champion,
        last_cycle=cycles.last_ended,
        last_as_of=cycles.last_as_of,
        next_cycle=cycles.next_due,
        stale=cycles.overdue,
        working=holder_of(app.database, stream.name, now),
        open_incidents=[
            {
                "id": i.id, "cause": i.cause, "causes": i.causes, "severity": i.severity, "codes": i.codes,
                "opened_at": i.opened_at,
            }
            for i in app.incidents.open_ones(stream.name)
        ],
        pending_alerts=sum(a.state == "pending" for a in alerts),
        dead_alerts=sum(a.state == "dead" for a in alerts),
        undelivered=tuple(one.as_json() for one in unreached(app, stream.name)),
        paused={"since": pause.at, "who": pause.who, "why": pause.why} if pause else None,
        health=health_of(app, stream, champion, now),
        notes=(*_own_notes(app, stream), *notes),
        page=page_on_site(app, "stream", stream=stream.name),
    )


def why_no_champion(app: App, stream: StreamSettings) -> str:
    """Why a stream that was tried has no champion; empty where it has one, or none was tried.

    A champion that the registry lost, or that the store does not know, counts as none.
    """
    try:
        champion_of(app, stream)
    except NoChampion:
        tried = app.promotions.history(stream.name, limit=1)
        return refusal_reason(tried[0]) if tried else ""
    except ModelUnusable as error:
        return str(error)
    return ""


def _by_registry(app: App, stream: StreamSettings, until: float) -> tuple[int | None, tuple[str, ...]]:
    """The champion, and what there is to know of it."""
    silence = f"MLflow at {app.registry.uri} answers too slowly; not asked about '{stream.name}'."
    try:
        app.registry.need_server()
        if time.monotonic() < until:
            champion = app.registry.alias(stream.name, "champion")
            if time.monotonic() < until:
                return champion, tuple(_notes_of_champion(app, stream))
    except TrueupError as error:
        silence = str(error)
    last = app.promotions.last_committed(stream.name)
    return (last.to_version if last else None), (f"{silence} Shown is what the store knows.",)


def _own_notes(app: App, stream: StreamSettings) -> Iterator[str]:
    if app.settled is not None and app.settled.refusal:
        yield app.settled.refusal
    pause = app.pauses.current(stream.name)
    if pause:
        yield pause.said
    if app.settings.site.to and (failed := last_failure(journal_file(app.home, app.settled, app.settings.site.to))):
        yield f"The site is not up to date since {failed.at}: {failed.why} The next cycle tries again."


def _notes_of_champion(app: App, stream: StreamSettings) -> Iterator[str]:
    why = why_no_champion(app, stream)
    if why:
        yield f"no champion: {why}"
    elif stream.prediction.column and app.registry.alias(stream.name, "champion") is not None:
        from trueup.flows.check.external_predictions import notes_on_answers  # reads records, and so brings pandas

        yield from notes_on_answers(app, stream, champion_of(app, stream), app.now())
    moved = out_of_band_move(app, stream)
    last = app.promotions.last_committed(stream.name)
    if moved or (last and last.kind == PromotionKind.OUTSIDE):
        attempt = moved or last
        assert attempt is not None
        yield (
            f"v{attempt.to_version} was made champion in MLflow, not by trueup"
            + (f", in place of v{attempt.from_version}" if attempt.from_version is not None else "")
            + f"; to let another answer: trueup models promote --to VERSION --force --stream {stream.name} --why '...'"
        )
