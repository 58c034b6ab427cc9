"""A file's times looked through before anything is stored: what cannot be read, or reads two ways, refuses the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from trueup.feedback.chunks import Chunk
from trueup.feedback.times.fitting import fitting_formats, reads, ways_of
from trueup.feedback.times.reading import Times
from trueup.feedback.times.time_columns import arrivals, event_times, joined
from trueup.feedback.times.time_formats import EPOCHS, ISO, ISO_WORD, declared_format
from trueup.storage.errors import InputError
from trueup.storage.formatting import counted_noun, percent
from trueup.storage.stream import OrderTime, StreamSettings

UNREAD_SHARE = 0.05   # of a file's times: where more of them cannot be read, the file is refused whole
UNREAD_LEAST = 5      # but not for so few that each costs its own row
_MIXED_SHARE = 0.01   # of the values: above it another format is no slip of the pen
_KEPT = 300           # unreadable values that are looked at more closely
_TRIED = 100          # of those: each must be read by what is advised
_SHOWN = 60           # characters
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{12,13}(?:\.\d+)?|\d{15,16}|\d{18,19}")


@dataclass
class _Column:
    """What was seen of one time column so far."""

    read: int = 0
    unread: int = 0
    kept: list[tuple[int, str]] = field(default_factory=list)
    doubled: list[tuple[int, str]] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    disputed: tuple[int, str] | None = None

    def add(self, texts: np.ndarray, times: Times, lines: np.ndarray) -> None:
        missing = np.array([t is None for t in texts], dtype=bool)
        bad = np.isnat(times.last) & ~missing & ~times.skipped
        self.read += int((~np.isnat(times.last)).sum())
        self.unread += int(bad.sum())
        for kept, where in ((self.kept, bad), (self.doubled, times.doubled), (self.skipped, times.skipped)):
            room = _KEPT - len(kept)
            kept += [(int(lines[k]), str(texts[k])) for k in np.flatnonzero(where)[:room]]
        if self.disputed is None and times.disputed.any():
            k = int(times.disputed.argmax())
            self.disputed = (int(lines[k]), str(texts[k]))


@dataclass(frozen=True)
class Dated:
    """What a survey looks at of n rows: each time as its text and what it was read as.

    count: of the rows and the broken lines between them. event, arrived: None where the stream has no such time.
    """

    count: int
    lines: np.ndarray
    event: tuple[np.ndarray, Times] | None
    arrived: tuple[np.ndarray, Times] | None


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
            formats read differently, or more than UNREAD_SHARE of unreadable times; the message names the column, a
            value and its line, and says which `time_format` would read it.
    """
    event, arrived, rows, count = _Column(), _Column(), 0, 0
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


def _zone_notes(seen: _Column, column: str, stream: StreamSettings, name: str) -> Iterator[str]:
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
    return "1 row lies" if n == 1 else f"{'at least ' if n == _KEPT else ''}{n:,} rows lie"


def _judge(seen: _Column, column: str, stream: StreamSettings, name: str) -> None:
    declared = declared_format(stream.time_format)
    if seen.disputed:
        line, value = seen.disputed
        ways = [f for f in stream.time_formats if reads(value, f, stream.time_locale, stream.time_zone)]
        told = " and ".join(f"'{f or ISO_WORD}'" for f in ways)
        raise InputError(
            f"{name}: column '{column}': '{_short(value)}' in line {line} has a different meaning in {told}. "
            "Nothing was stored. Leave out the format that does not apply, or write these rows in a way that only one "
            "format reads."
        )
    if not seen.unread:
        return
    line, value = seen.kept[0]
    if not seen.read:
        raise InputError(
            f"{name}: column '{column}' cannot be read as time: no row follows {declared}, such as '{_short(value)}' "
            f"in line {line}. Nothing was stored. {_advice([v for _, v in seen.kept])}"
        )
    foreign = [(n, v) for n, v in seen.kept if fitting_formats(v) or _epoch_of(v)]
    unread = seen.unread / (seen.read + seen.unread)
    share = len(foreign) / len(seen.kept) * unread
    if foreign and share >= _MIXED_SHARE:
        line, value = foreign[0]
        raise InputError(
            f"{name}: column '{column}' mixes formats: {declared} is that of {counted_noun(seen.read, 'row')}, but "
            f"'{_short(value)}' in line {line} is written in another way, and so are about {percent(share)} of the "
            "rows. Nothing was stored, since a guess could date them wrongly. Write all of them one way, or declare "
            "each way in a list. "
            f"{_advice([v for _, v in foreign])}"
        )
    if unread > UNREAD_SHARE and seen.unread >= UNREAD_LEAST:
        raise InputError(
            f"{name}: column '{column}': {percent(unread)} of the times cannot be read ({seen.unread:,} of "
            f"{seen.read + seen.unread:,}; {100 * UNREAD_SHARE:.0f} % are allowed). The first is '{_short(value)}' in "
            f"line {line}, which does not follow {declared}. Nothing was stored. Empty the cells that hold no time, or "
            "fix them."
        )


def _advice(values: list[str]) -> str:
    counts = _epoch_of(values[0])
    if counts:
        return f'If these numbers count time since 1970, set time_format = "{counts}".'
    ways = [w for w in ways_of(values[0]) if all(reads(v, w.format, w.locale, w.zone) for v in values[:_TRIED])]
    plain = [w for w in ways if "*" not in w.format] or ways
    if any(w.format == ISO for w in plain):
        return "These rows are ISO 8601: leave time_format out to read them."
    if not plain:
        return "Set time_format to how it is written, with the directives of strptime."
    locale = f" and time_locale = '{plain[0].locale}'" if plain[0].locale else ""
    options = [f"'{f}'" for f in dict.fromkeys(w.format for w in plain)]
    if len(options) > 1:
        return f"Set time_format to the one that applies ({' or '.join(options)}){locale}."
    return f"Set time_format = {options[0]}{locale}."


def _epoch_of(value: str) -> str:
    """The unit in which a number counts a time of our years, empty where it is none."""
    return next((unit for unit in EPOCHS if _EPOCH.fullmatch(value) and reads(value, unit)), "")


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
