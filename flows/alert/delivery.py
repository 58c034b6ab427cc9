"""When a failed delivery is tried again, and when it is given up: pure functions of what failed.

A message's id is durable before the message is sent, and is cleared only where the server surely did not take it. So a
process that dies at any step loses nothing, and what it may have sent goes out again as the same message. There is one
window in which a reader gets it twice: the server has taken it and the process dies before that is durable. The other
order (note, then send) could lose a message: worse.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from trueup.flows.alert.channels.channel import DeliveryFailed

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    *(timedelta(hours=4),) * 6,
)
MAX_ATTEMPTS = len(BACK_OFF) + 1  # that met a server; while it is away none is used up
_SOONEST, _LATEST = timedelta(minutes=1), timedelta(hours=1)  # between two tries of a server that is away


def next_try_after(
    failure: DeliveryFailed, *, attempts: int, written_at: datetime, now: datetime, must_live: bool
) -> datetime | None:
    """When to try again after a failure; None: never by itself.

    attempts: that were counted before this one. must_live: it is never given up, as long as it matters so much.
    """
    if not failure.counts:
        found: datetime | None = next_try_of_server(now, now - written_at)
    else:
        found = None if failure.permanent else next_attempt(now, attempts + 1)
    if found is None and must_live:
        found = now + BACK_OFF[-1]
    if found is None or failure.retry_after is None:
        return found
    return max(found, now + failure.retry_after)


def next_try_of_server(now: datetime, waited: timedelta) -> datetime:
    """When to try again a server that is away: rarer the longer the message has waited, from a minute to an hour."""
    return now + min(max(waited / 4, _SOONEST), _LATEST)


def next_attempt(now: datetime, made: int, max_attempts: int = MAX_ATTEMPTS) -> datetime | None:
    """When to try again after `made` failed attempts; None once they are used up."""
    if made >= max_attempts:
        return None
    return now + BACK_OFF[min(made, len(BACK_OFF)) - 1]
