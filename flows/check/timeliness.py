"""Whether a stream's scheduled cycles still come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trueup.flows.app import App
from trueup.storage.stream import StreamSettings

GRACE = timedelta(minutes=10)  # a cycle may take that long beyond its time before it is called overdue


@dataclass(frozen=True)
class Timeliness:
    """Whether a stream's cycles come. last_ended, next_due: by the clock; last_as_of: the time that the last looked at.

    overdue: by its cron line a cycle should have ended, and none has. That is counted from the last cycle that
    finished, or from the first record; without a cron line or a record none is due.
    """

    last_ended: datetime | None
    last_as_of: datetime | None
    next_due: datetime | None
    overdue: bool


def timeliness(app: App, stream: StreamSettings, now: datetime) -> Timeliness:
    """Look it up in the store."""
    last = app.cycles.last_ended(stream.name)
    since = last.ended_at if last else app.counts.first_received(stream)
    due = stream.schedule.next_after(since) if since else None
    return Timeliness(
        last_ended=last.ended_at if last else None,
        last_as_of=last.as_of if last else None,
        next_due=stream.schedule.next_after(now),
        overdue=due is not None and now > due + GRACE,
    )


def streams_overdue(app: App) -> tuple[str, ...]:
    """The names of the streams whose cycle is overdue."""
    now = app.now()
    return tuple(stream.name for stream in app.settings.streams.values() if timeliness(app, stream, now).overdue)
