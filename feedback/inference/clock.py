"""Which column is the time of a record, how it is written, and what the other times of a file are.

A time is never invented: a file without a readable one is undecided, and so are dates whose order nothing tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from trueup.feedback.inference.clock_choice import AFTER, fits_record, is_survey, record_time, share_after
from trueup.feedback.inference.clock_columns import TimeColumn, time_columns_of, times_beside
from trueup.feedback.inference.clock_parts import from_parts, is_hour, with_time_of_day
from trueup.feedback.inference.conclusion import Kind, Role, Undecided
from trueup.feedback.inference.day_order import in_their_order
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.inference.time_names import date_part, is_foreign_time, named_zones, time_name
from trueup.feedback.inference.time_readings import TimeReading, said_cells
from trueup.feedback.times.fitting import ways_of
from trueup.feedback.times.time_formats import ISO, ISO_WORD
from trueup.feedback.values import number
from trueup.storage.formatting import percent

_MIXED = 0.0005        # of the values: beside those with a zone some have none
_A_DAY = 2             # columns: year and month alone name no day
_ROW_ORDER = "If the rows are in the order in which they came, --row-order uses that order as the time"
_ORDER = 'time = { start = "2000-01-01", step = "1h" }'
_FLAG = 2              # values: a column of so few says yes or no
_LOOKED_AT = 30        # values of a column that is called like a time and is none
_WORDED = 12           # values without a digit: such a column says morning or evening
_LATER = "known only later"
_AGO = re.compile(r"(?i)\b(?:ago|yesterday|today|week|month|year|gestern|vor|hace|ayer|hier|il y a)\b")


@dataclass(frozen=True)
class Clock:
    """The time of a file's records.

    columns: those that make it, in order; empty where the file has none. formats: as `time_format` takes them ("" is
    ISO 8601); empty where it is undecided. locale, zone: as `time_locale` and `time_zone`. roles: of every column that
    is a time or is called like one. hour: the column among `columns` that holds hours, which a model may learn from.
    times: of the sampled rows, datetime64[us], NaT where unreadable; empty where undecided. others: by column the other
    times that are written as this one or as ISO 8601.
    """

    columns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    locale: str = ""
    zone: str = ""
    roles: tuple[Role, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    why: str = ""
    hour: str = ""
    times: np.ndarray = field(default_factory=lambda: np.empty(0, "M8[us]"), repr=False, compare=False)
    others: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False, compare=False)


def find_clock(table: TableSummary, now: datetime | None = None) -> Clock:
    """The time of a file's records, by names, values and the order of its rows; `now` tells what is yet to come."""
    found = in_their_order(time_columns_of(table), now)
    times, counts = tuple(t for t in found if not t.unnamed), tuple(t for t in found if t.unnamed)
    survey = is_survey(table)
    parts = in_their_order(from_parts(table), now)
    chosen, rival = record_time((*times, *(p for p in parts if len(p.columns) > _A_DAY)), survey=survey)
    if chosen is None or not fits_record(chosen, survey=survey):
        chosen, rival = record_time((*times, *parts), survey=survey)
    if chosen is not None and chosen.readings[0].days:
        whole = with_time_of_day(chosen, table)
        if whole is not None:
            chosen = in_their_order((whole, *(t for t in times if t.columns != chosen.columns)), now)[0]
    if chosen is None:
        return _without(table, counts)
    if is_foreign_time(chosen.columns[0]):
        return _only_foreign(chosen, times)
    times = (*times, *times_beside(chosen, table, times))
    others = [t for t in times if not set(t.columns) & set(chosen.columns)]
    hour = next((c for c in chosen.columns[1:] if is_hour(table.column(c))), "")
    roles = [Role(c, "time", "time", _why_time(chosen)) for c in chosen.columns]
    roles += [_other(one, chosen) for one in others]
    roles += _unreadable(table, {r.column for r in roles})
    reading, zones = chosen.readings[0], named_zones(chosen.columns[0])
    zone = reading.zone or (zones[0] if len(zones) == 1 else "")
    undecided = (*_open_order(chosen, table), *_open_choice(chosen, rival), *_open_zone(chosen, zones, hour))
    formats = reading.formats if chosen.decided and not reading.vague else ()
    alike = {one.columns[0]: one.times for one in others
             if len(one.columns) == 1 and set(one.readings[0].formats) <= {ISO, *formats}}  # fmt: skip
    return Clock(
        chosen.columns, formats, reading.locale, zone, tuple(roles), undecided, _why_time(chosen), hour,
        chosen.times if formats else np.empty(0, "M8[us]"), alike,
    )  # fmt: skip


# ---- roles ----


def _why_time(time: TimeColumn) -> str:
    reading = time.readings[0]
    told = [f"'{f}'" if f not in (ISO, ISO_WORD) else "ISO 8601" for f in reading.formats]
    said = [f"{time.label} together" if len(time.columns) > 1 else "the time of the record"]
    if len(told) > 1:
        counts = (f"{n:,} as {f}" for f, n in zip(told, reading.counts, strict=True))
        said.append(f"written in {len(told)} ways: {', '.join(counts)}")
    elif time.decided:
        said.append(f"written as {told[0]}")
    if time.evidence:
        said.append(time.evidence)
    elif reading.lost:
        said.append(f"some values cannot be read by '{reading.lost}'")
    if _MIXED < reading.zoned < 1 - _MIXED:
        said.append(f"{percent(1 - reading.zoned)} of the times name no zone and are read as UTC")
    if reading.midnight and len(time.columns) == 1:
        said.append("always midnight, so perhaps only the day is known")
    if reading.strange:
        said.append(f"{100 * (1 - reading.read):.2f} % cannot be read, such as '{reading.strange[:40]}'")
    return "; ".join(said)


def _other(time: TimeColumn, chosen: TimeColumn) -> Role:
    after, before = share_after(chosen.times, time.times), share_after(time.times, chosen.times)
    column = time.columns[0]
    if time.name.stage == "others":
        why = "another time, of a person or a thing"
    elif after >= AFTER and before >= AFTER:
        why = f"the same day as {chosen.label}"
    elif after >= AFTER:
        why = f"not before {chosen.label} in {percent(after)} of the rows: {_LATER}"
    elif time.name.stage == "later":
        why = f"by its name it is {_LATER}"
    else:
        why = "another time"
    return Role(column, "left out", "time", why)


def _unreadable(table: TableSummary, known: set[str]) -> list[Role]:
    """Columns that are called like a time and cannot be read as one: never learnt from."""
    return [
        Role(c.name, "left out", _kind(c), f"named like a time, but '{_shown(c)}' cannot be read as one")
        for c in table.columns if c.name not in known and _only_called(c)
    ]  # fmt: skip


def _only_called(column: ColumnSummary) -> bool:
    """Whether a column is called like a time, and its values are no spans, flags or words such as morning."""
    name = time_name(column.name)
    if not name.called or column.distinct <= _FLAG or date_part(column.name)[0]:
        return False
    if _kind(column) == "number":
        return name.bare
    worded = column.distinct <= _WORDED and not any(c.isdigit() for v in column.counts for c in v)
    return not worded or any(_AGO.search(v) for v in column.counts)


def _kind(column: ColumnSummary) -> Kind:
    return "number" if column.values and number(column.values[0]) is not None else "time"


def _held(column: ColumnSummary) -> str:
    """What a column holds that is called like a time and is none."""
    values = list(dict.fromkeys(v for v in said_cells(column.values) if v is not None))[:_LOOKED_AT]
    good, bad = ([v for v in values if bool(ways_of(v)) is readable] for readable in (True, False))
    if good and bad:
        return f"holds '{good[0]}', but also '{bad[0][:40]}', and too many values cannot be read"
    return f"holds '{_shown(column)}'" + (", in formats that contradict each other" if good else "")


def _shown(column: ColumnSummary) -> str:
    return next((v for v in said_cells(column.values) if v is not None), "")[:40]


# ---- what stays open ----


def _setting(key: str, values: Sequence[str]) -> str:
    told = [json.dumps(v, ensure_ascii=False) for v in values]
    return f"{key} = {told[0]}" if len(told) == 1 else f"{key} = [{', '.join(told)}]"


def _open_order(time: TimeColumn, table: TableSummary) -> tuple[Undecided, ...]:
    """Where a date can be read in several orders."""
    if time.decided:
        return _open_year(time)
    ways, (one, other) = time.readings, time.readings[:2]
    k = int(np.flatnonzero(~np.isnat(one.times) & (one.times != other.times))[0])
    value = " ".join(str(table.sample[c].iloc[k]) for c in time.columns)
    told = " or ".join(f"{r.times[k].astype('M8[D]')} by {_told(r)}" for r in ways if not np.isnat(r.times[k]))
    said = f"{time.label} can be read in {len(ways)} ways: '{value}' is {told}, and the file does not show which"
    return (Undecided("time", said, tuple(_format_lines(r) for r in ways), time.columns[0]),)


def _open_year(time: TimeColumn) -> tuple[Undecided, ...]:
    """Where two digits beside a month may be a day as well as a year."""
    reading = time.readings[0]
    if not reading.vague:
        return ()
    said = f"{time.label} names a month and two digits: a year, or a day, and without a year no row can be dated"
    return (Undecided("time", said, (_format_lines(reading),), time.columns[0]),)


def _told(reading: TimeReading) -> str:
    return " and ".join(f"'{f or ISO_WORD}'" for f in reading.formats)


def _format_lines(reading: TimeReading) -> str:
    line = _setting("time_format", [f or (ISO_WORD if len(reading.formats) > 1 else ISO) for f in reading.formats])
    return line + (f"\n{_setting('time_locale', [reading.locale])}" if reading.locale else "")


def _open_choice(time: TimeColumn, rival: TimeColumn | None) -> tuple[Undecided, ...]:
    """Where another time could as well be the record's."""
    if rival is None:
        return ()
    said = f"{time.label} and {rival.label} are both times; neither name nor order says which is the record's"
    return (Undecided("time", said, tuple(_setting("time", one.columns) for one in (time, rival))),)


def _open_zone(time: TimeColumn, zones: Sequence[str], hour: str) -> tuple[Undecided, ...]:
    """Where only a zone says when it was: hours are counted to 25, or the name speaks of one that is two."""
    settings = tuple(_setting("time_zone", [zone]) for zone in zones)
    if "{hour}" in "".join(time.readings[0].formats) and len(zones) != 1:
        said = f"'{hour}' counts hours up to 25, as on a day when clocks are set back, and the file names no time zone"
        return (Undecided("time", said, settings or ('time_zone = "Europe/Berlin"',), hour),)
    if len(zones) < 2 or time.readings[0].zoned:
        return ()
    said = f"'{time.columns[0]}' names a time zone that exists with summer time and without"
    return (Undecided("time", said, settings, time.columns[0]),)


def _only_foreign(time: TimeColumn, times: Sequence[TimeColumn]) -> Clock:
    """A file whose only time is that of a birth, or yet to come."""
    said = f"{time.label} is the only time, and by its name it is not the time of the record. {_ROW_ORDER}"
    roles = tuple(_other(one, time) for one in times)
    undecided = Undecided("time", said, (_setting("time", time.columns), _ORDER), time.columns[0])
    return Clock(roles=roles, undecided=(undecided,), why=said)


def _without(table: TableSummary, counts: Sequence[TimeColumn]) -> Clock:
    """A file without a readable time: nothing dates its rows but their order, if a person says so."""
    called = [c for c in table.columns if _only_called(c) and c.filled]
    parts = [c.name for c in table.columns if date_part(c.name)[0]]
    said = "no column can be read as a time"
    if called:
        said += "; " + ", ".join(f"'{c.name}' is named like one and {_held(c)}" for c in called[:3])
    elif parts:
        said += f"; {', '.join(repr(p) for p in parts[:3])} hold{'s' if len(parts) == 1 else ''} only a part of a date"
    settings = []
    for one in counts:
        days = one.times[~np.isnat(one.times)].astype("M8[D]")
        span = f"{days.min()} to {days.max()}"
        said += f"; {one.label} rises like a time ('{one.readings[0].formats[0]}', {span}), but is not named like one"
        settings.append(f"{_setting('time', one.columns)}\n{_format_lines(one.readings[0])}")
    said += f". {_ROW_ORDER}"
    column = called[0].name if len(called) == 1 else ""
    undecided = Undecided("time", said, (*settings, _ORDER), column)
    return Clock(roles=tuple(_unreadable(table, set())), undecided=(undecided,), why=said)
