"""Which deliveries become one message, and which are not needed: a pure function of what waits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind

ALONE = frozenset({AlertKind.TEST})  # each is a message of its own
# For whoever was told of the incident.
LATER = frozenset({AlertKind.INCIDENT_RESOLVED, AlertKind.REFUSED, AlertKind.ACKNOWLEDGED})
OF_MODELS = frozenset({AlertKind.PROMOTION, AlertKind.APPROVAL, AlertKind.JUDGED, AlertKind.EXPIRED})  # for everybody
AGAIN = frozenset({AlertKind.REMINDER, AlertKind.ESCALATION})  # of an incident that is open, and that nobody has
MOOT = "the incident was closed, or somebody had it, before this was sent"
NEVER_TOLD = "nobody had told this recipient that the incident was open"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A notice that waits for a recipient.

    due: it may be tried by its back-off. held: somebody or something keeps it back for now (a silence, quiet hours, a
    cycle that has more to tell). waited: it was written in quiet hours of the recipient. message_id: of the message
    that may have been taken with it.
    """

    delivery: str
    recipient: str
    stream: str
    kind: str
    severity: Severity
    created_at: datetime
    incident: str | None = None
    due: bool = True
    held: bool = False
    waited: bool = False
    message_id: str | None = None


@dataclass(frozen=True)
class Batch:
    """One message to one recipient. message_id: of the message that it repeats, None for a new one."""

    recipient: str
    waiting: tuple[Waiting, ...]
    message_id: str | None = None

    @property
    def stream(self) -> str:
        """Of the newest of its notices."""
        return self.waiting[-1].stream

    @property
    def severity(self) -> Severity:
        return min(one.severity for one in self.waiting)


@dataclass(frozen=True)
class Batches:
    """Messages, in the order in which they go out, and deliveries that are not needed."""

    messages: tuple[Batch, ...]
    dropped: tuple[Waiting, ...]


def batches(waiting: Iterable[Waiting], told: Collection[tuple[str, str]]) -> Batches:
    """All that waits for one recipient of a stream is one message, once any of it is due; so is all after quiet hours.

    A message that may have been taken is repeated with what it told, and nothing else. A test is a message of its own.
    What follows the opening of an incident is not needed by whoever was never told of it, unless the message tells.
    A rise to high takes along what is held of its incident, and goes out through whatever holds.

    told: (recipient, incident) of those who were told that it is open.
    """
    messages: list[Batch] = []
    of_streams: list[Batch] = []
    dropped: list[Waiting] = []
    waits = list(waiting)
    doubted = [one for one in waits if one.message_id is not None]
    for (recipient, message_id), repeated in _grouped(doubted, lambda one: (one.recipient, one.message_id)):
        if any(one.due for one in repeated):
            messages.append(Batch(recipient, tuple(repeated), message_id))
    fresh = [one for one in waits if one.message_id is None]
    messages += [Batch(one.recipient, (one,)) for one in fresh if one.kind in ALONE and one.due and not one.held]
    merged = [one for one in fresh if one.kind not in ALONE]
    for (recipient, _), group in _grouped(merged, lambda one: (one.recipient, one.stream)):
        known = {incident for who, incident in told if who == recipient}
        known |= {one.incident for one in doubted if one.recipient == recipient and one.incident}
        together, needless = _together(group, known)
        dropped += needless
        if together:
            of_streams.append(Batch(recipient, tuple(together)))
    messages += _after_quiet_hours(of_streams)
    messages.sort(key=lambda batch: (batch.message_id is None, batch.severity, batch.waiting[0].created_at))
    return Batches(tuple(messages), tuple(dropped))


def _after_quiet_hours(found: Sequence[Batch]) -> list[Batch]:
    """The messages, of which those to one recipient that waited through quiet hours are one over all streams."""
    messages: list[Batch] = []
    over: dict[str, list[Waiting]] = {}
    for batch in found:
        waited = batch.severity is Severity.LOW and any(one.waited for one in batch.waiting)
        if waited and batch.waiting[0].kind != AlertKind.DIGEST:
            over.setdefault(batch.recipient, []).extend(batch.waiting)
        else:
            messages.append(batch)
    for recipient, waiting in over.items():
        messages.append(Batch(recipient, tuple(sorted(waiting, key=lambda one: (one.created_at, one.delivery)))))
    return messages


def _together(fresh: Sequence[Waiting], known: Collection[str]) -> tuple[list[Waiting], list[Waiting]]:
    """What is told in one message now, and what is not needed."""
    risen = {one.incident for one in fresh if one.kind == AlertKind.INCIDENT_WORSE and one.due and not one.held}
    ready = [one for one in fresh if not one.held or (one.incident and one.incident in risen)]
    if not any(one.due for one in ready):
        return [], []
    openings = {one.incident for one in fresh if one.kind not in LATER | OF_MODELS}
    kept_back = {one.incident for one in fresh if one not in ready} & openings
    after = [one for one in ready if one.kind in LATER and one.incident and one.incident not in known]
    needless = [one for one in after if one.incident not in openings]
    too_early = [one for one in after if one.incident in kept_back]
    return [one for one in ready if one not in needless and one not in too_early], needless


def _grouped(waiting: Iterable[Waiting], key: Callable[[Waiting], Any]) -> list[tuple[Any, list[Waiting]]]:
    ordered = sorted(waiting, key=lambda one: (key(one), one.created_at, one.delivery))
    return [(found, list(group)) for found, group in groupby(ordered, key)]
