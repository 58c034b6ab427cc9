"""Which of several times is the record's: by what they are called, whose order the rows follow, which comes first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trueup.feedback.inference.clock_columns import ORDERED, TimeColumn
from trueup.feedback.inference.names import name_words
from trueup.feedback.inference.summary import TableSummary

AFTER = 0.95           # of the rows that have both: so often one time is not before the other
_MOSTLY = 0.5          # of the rows: a time that fewer have is not that of a record
_STAGES = {"made": 0, "": 1, "others": 3, "later": 2}
_WITHIN = np.timedelta64(30, "D")  # a first time that lies longer before belongs to something else
_ZONES_APART = np.timedelta64(14, "h")
_SURVEY = frozenset({"respondent", "collector", "survey", "questionnaire", "participant", "nps", "csat", "responseid"})
_ASKED = frozenset({"start", "started", "begin", "began", "sent", "invited", "invitation"})
_ANSWERED = frozenset({
    "end", "ended", "submit", "submitted", "response", "responded", "answered", "completed", "recorded",
})  # fmt: skip


def is_survey(table: TableSummary) -> bool:
    """Whether rows are answers to a survey: then a record comes to be when it is handed in."""
    names = [set(name_words(column.name)) for column in table.columns]
    return any(own & _SURVEY or ("response" in own and own & {"id", "uuid"}) for own in names)


def fits_record(time: TimeColumn, *, survey: bool) -> bool:
    """Whether a time can be a record's by its name and by how many rows have it."""
    return _stage(time, survey) <= 1 and time.filled >= _MOSTLY


def record_time(times: Sequence[TimeColumn], *, survey: bool) -> tuple[TimeColumn | None, TimeColumn | None]:
    """The record's time, and another that could as well be it where nothing tells them apart."""
    if not times:
        return None, None
    best = min(_rank(time, survey) for time in times)
    alike = [time for time in times if _rank(time, survey) == best]
    ordered = [time for time in alike if time.readings[0].order >= ORDERED]
    alike = sorted(ordered or alike, key=_exactness)
    chosen = alike[0]
    for other in alike[1:]:
        if _before(other, chosen) and not _same(other, chosen) and not _names_utc(chosen):
            chosen = other
    told = [t for t in alike if t is not chosen and not (_names_utc(chosen) and _elsewhere(chosen, t))]
    rivals = [t for t in told if not _same(t, chosen) and not _before(chosen, t)]
    return chosen, rivals[0] if rivals else None


def _rank(time: TimeColumn, survey: bool) -> tuple[int, int, bool, int]:
    """Less is likelier: had by the rows, of the record itself, surely a time."""
    weak = time.readings[0].weak and not time.name.hinted
    return int(time.filled < _MOSTLY), _stage(time, survey), weak, int(time.filled < AFTER)


def _stage(time: TimeColumn, survey: bool) -> int:
    own = {word for column in time.columns for word in name_words(column)}
    if survey and own & _ANSWERED:
        return _STAGES["made"]
    return _STAGES["others"] if survey and own & _ASKED else _STAGES[time.name.stage]


def _exactness(time: TimeColumn) -> tuple[bool, bool, bool, int, float]:
    reading = time.readings[0]
    return reading.days, not _names_utc(time), reading.midnight, len(time.columns), -round(time.filled, 2)


def _names_utc(time: TimeColumn) -> bool:
    return bool({"utc", "gmt"} & set(name_words(time.columns[0])))


def share_after(one: np.ndarray, other: np.ndarray) -> float:
    """The share of rows in which the other time is not before this one; days are compared with days."""
    both = ~np.isnat(one) & ~np.isnat(other)
    return float((other[both].astype("M8[D]") >= one[both].astype("M8[D]")).mean()) if both.any() else 0.0


def _same(one: TimeColumn, other: TimeColumn) -> bool:
    return min(share_after(one.times, other.times), share_after(other.times, one.times)) >= AFTER


def _elsewhere(one: TimeColumn, other: TimeColumn) -> bool:
    """Whether another time can be the same on the clock of another zone."""
    both = ~np.isnat(one.times) & ~np.isnat(other.times)
    return bool(np.all(np.abs(one.times[both] - other.times[both]) <= _ZONES_APART))


def _before(one: TimeColumn, other: TimeColumn) -> bool:
    """Whether one is never long before the other, and not on the same days."""
    both = ~np.isnat(one.times) & ~np.isnat(other.times)
    apart = other.times[both] - one.times[both]
    if not both.any() or (apart >= np.timedelta64(0)).mean() < AFTER or (apart == np.timedelta64(0)).all():
        return False
    return bool(np.median(apart.astype(np.int64)) <= np.timedelta64(_WITHIN, "us").astype(np.int64))
