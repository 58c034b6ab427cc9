"""Who answers the newest records of a stream whose model runs elsewhere, and what people are told of it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import numpy as np

from flows.answering import named, sent_answers
from flows.app import App
from flows.promotion_alerts import ELSEWHERE
from storage.promotions import VersionRecord
from storage.stream import Stream
from storage.timepoints import TICK, utc


def serving(app: App, stream: Stream, as_of: datetime) -> Counter[str]:
    """How many of the newest window of records each version answered, as the service calls it; most first."""
    times = app.reader.times(stream, as_of)
    if not len(times) or not stream.prediction.column:
        return Counter()
    policy = stream.policy
    if policy.window_records is not None:
        start = times[max(0, len(times) - policy.window_records)] - np.timedelta64(TICK)
    else:
        start = times[-1] - np.timedelta64(policy.window_span)
    rows = app.reader.read(stream, after=utc(start.item()), as_of=as_of)
    names = sent_answers(app, stream, rows)[1]
    return Counter(dict(Counter(names.tolist()).most_common()))


def known_by_name(app: App, stream: Stream) -> dict[str, VersionRecord]:
    """The registered versions by how a service calls them."""
    return {named(record): record for record in reversed(app.promotions.versions(stream.name))}


def awaited(app: App, stream: Stream, champion: VersionRecord, as_of: datetime) -> bool:
    """Whether the alias was moved to a version under whose name no answer has come since."""
    last = app.promotions.last_committed(stream.name)
    if last is None or last.kind == ELSEWHERE:
        return False
    rows = app.reader.read(stream, after=last.as_of, as_of=as_of)
    return named(champion) not in sent_answers(app, stream, rows)[1].tolist()


def called(name: str) -> str:
    """A service's version as people are told of it."""
    return f"'{name}'" if name else "a version without a name"


def note_on_answers(app: App, stream: Stream, champion: VersionRecord, as_of: datetime) -> str:
    """What a person should know of who answers; empty where it is the champion, or no service sends answers."""
    if not stream.prediction.column:
        return ""
    number, counts = f"v{champion.version}", serving(app, stream, as_of)
    total, own = counts.total(), counts[named(champion)]
    if not total:
        return f"None of the newest records came with an answer, so nothing shows whether {number} serves."
    if champion.service is None and not stream.prediction.version:
        return f"The service's answers name no version, so nothing shows whether {number} serves."
    if own == total:
        return ""
    other = next(name for name in counts if name != named(champion))
    known = known_by_name(app, stream)
    who = f"{called(other)} (v{known[other].version})" if other in known else called(other)
    if not own and awaited(app, stream, champion, as_of):
        return (
            f"{number} was handed over and does not serve yet: the newest {total} answered records are still answered "
            f"by {who}. The service finds its version by the alias `champion` in MLflow."
        )
    said = (
        f"Of the newest {total} answered records {total - own} were answered by {who} or others, not by champion "
        f"{number}; they are left out of its score and metric"
    )
    if other.isdigit() and other not in known:
        return f"{said}. {called(other)} is the number of no registered version: give the service's own models names."
    return f"{said}. Once a window passes without the champion's answers, it takes its place."
