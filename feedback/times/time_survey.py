"""A file's times looked through before anything is stored: what cannot be read, or reads two ways, refuses the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from trueup.feedback.chunks import Chunk
from trueup.feedback.times.reading import Times
from trueup.feedback.times.seen_times import KEPT_TIMES, SeenTimes
from trueup.feedback.times.time_columns import arrivals, event_times, joined
from trueup.storage.errors import InputError
from trueup.storage.stream import OrderTime, StreamSettings


@dataclass(frozen=True)
class Dated:
    """What a survey looks at of n rows: each time as its text and what it was read as.

    count: of the rows and the broken lines between them. event, arrived: None where the stream has no such time.
    """

    count: int
    lines: np.ndarray
    event: tuple[np.ndarray | pa.StringArray, Times] | None
    arrived: tuple[np.ndarray | pa.StringArray, Times] | None


def dated(stream: StreamSettings, chunk: Chunk) -> Dated:
    """The times of a chunk's rows."""
    event = arrived = None
    if not isinstance(stream.time, OrderTime):
        event = (joined(chunk.table, stream.time_columns), event_times(stream, chunk))
    if stream.label.arrived:
        arrived = (joined(chunk.table, [stream.label.arrived]), arrivals(stream, chunk))
    return Dated(len(chunk) + len(chunk.broken), chunk.lines, event, arrived)


def survey(
    stream: StreamSettings,
    parts: Iterable[Chunk | Dated],
    name: str,
    on_note: Callable[[str], None] = lambda said: None,
) -> int:
    """Look through a whole file's times before anything is stored; the number of its rows and broken lines.

    `on_note` is told of rows in an hour that the zone's clock shows twice, or skips.

    Raises:
        InputError: a time column that cannot be read, is empty, holds several formats, a value that two declared
            formats read differently, or too many unreadable times; the message names the column, a value and its
            line, and says which `time_format` would read it.
    """
    event, arrived, rows, count = SeenTimes(), SeenTimes(), 0, 0
    for part in parts:
        part = part if isinstance(part, Dated) else dated(stream, part)
        rows += len(part.lines)
        count += part.count
        for seen, found in ((event, part.event), (arrived, part.arrived)):
            if found is not None:
                seen.add(*found, part.lines)
    if not isinstance(stream.time, OrderTime):
        column = "', '".join(stream.time_columns)
        _judge(event, column, stream, name)
        if rows and not event.read:
            raise InputError(f"{name}: column '{column}' (the time) is empty in every row. Nothing was stored.")
        for note in _zone_notes(event, column, stream, name):
            on_note(note)
    if stream.label.arrived:
        _judge(arrived, stream.label.arrived, stream, name)
    return count


def _judge(seen: SeenTimes, column: str, stream: StreamSettings, name: str) -> None:
    if not (seen.disputed or seen.unread):
        return
    from trueup.feedback.times.time_refusals import refuse_unread  # it knows every format, which most files never need

    refuse_unread(seen, column, stream, name)


def _zone_notes(seen: SeenTimes, column: str, stream: StreamSettings, name: str) -> Iterator[str]:
    clock = f"the clock of {stream.time_zone}" if stream.time_zone else "the clock of its zone"
    if seen.doubled:
        line, value = seen.doubled[0]
        yield (
            f"{name}: column '{column}': {_counted(seen.doubled)} in an hour that {clock} shows twice, the first "
            f"'{value}' in line {line}; the earlier of the two times (summer time) is used"
        )
    if seen.skipped:
        line, value = seen.skipped[0]
        yield (
            f"{name}: column '{column}': {_counted(seen.skipped)} in an hour that {clock} skips, the first '{value}' "
            f"in line {line}; {'it is' if len(seen.skipped) == 1 else 'they are'} refused"
        )


def _counted(rows: list[tuple[int, str]]) -> str:
    n = len(rows)
    return "1 row lies" if n == 1 else f"{'at least ' if n == KEPT_TIMES else ''}{n:,} rows lie"
