"""Which part of a CSV text is plain: every reader reads it the same way. Decided on the bytes, all at once. Pure.

Plain are records of the right number of fields whose quotes open behind a delimiter or a line end and close before one
(doubled ones within), that hold no CR but in CR LF at their end and no NUL, and are not longer than a field may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D
MAX_RECORD = 131_072  # bytes: no field of a shorter record is longer than the csv module takes
MAX_INNER = 900       # line ends within a record: more are taken for an unclosed quote


@dataclass(frozen=True)
class PlainPart:
    """The first `records` of a text are plain. ends: the byte behind each. lines: physical lines before each, from 0.

    whole: whether nothing but an unfinished record follows them; else the next record is none that is plain.
    """

    ends: np.ndarray
    lines: np.ndarray
    whole: bool

    @property
    def records(self) -> int:
        return len(self.ends)


def plain_part(data: np.ndarray, delimiter: int, width: int, valid: int) -> PlainPart:
    """The plain records with which a text begins that starts where a record does.

    Args:
        data: uint8 of shape (bytes,).
        delimiter: its byte, ASCII.
        width: fields of a record, 2 or more.
        valid: how many of the bytes, from the first, are known to be UTF-8.
    """
    quote, feed = data == _QUOTE, data == _LF
    quotes, feeds = np.flatnonzero(quote), np.flatnonzero(feed)
    marks = np.flatnonzero((data == delimiter) | feed)
    if len(quotes):
        inside = np.logical_xor.accumulate(quote)
        marks = marks[~inside[marks]]
        outer = feeds[~inside[feeds]]
    else:
        inside, outer = None, feeds
    limit = min(valid, _first_odd_quote(data, quotes, delimiter), _first_odd_sign(data, inside))
    ends, good = _of_width(data, marks, outer, width)
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    before = np.searchsorted(feeds, starts)
    after = np.searchsorted(feeds, ends)
    good &= (ends <= limit) & (ends - starts <= MAX_RECORD) & (after - before <= MAX_INNER)
    count = len(good) if good.all() else int(np.argmin(good))
    left = len(data) - (int(ends[-1]) if len(ends) else 0)
    whole = count == len(ends) and limit >= len(data) and left <= MAX_RECORD
    return PlainPart(ends[:count], before[:count], whole)


def _first_odd_quote(data: np.ndarray, quotes: np.ndarray, delimiter: int) -> int:
    """The place of the first quote that neither opens nor closes a field, nor is doubled; the end where none is."""
    if not len(quotes):
        return len(data)
    opening, closing = quotes[0::2], quotes[1::2]
    before = data[np.maximum(opening - 1, 0)]
    opens = (opening == 0) | (before == delimiter) | (before == _LF) | (before == _QUOTE)
    after = data[np.minimum(closing + 1, len(data) - 1)]
    closes = (after == delimiter) | (after == _LF) | (after == _QUOTE) | (after == _CR) | (closing == len(data) - 1)
    odd = [places[~fine][0] for places, fine in ((opening, opens), (closing, closes)) if not fine.all()]
    return int(min(odd, default=len(data)))


def _first_odd_sign(data: np.ndarray, inside: np.ndarray | None) -> int:
    """The place of the first NUL, or CR that ends no record."""
    returns = np.flatnonzero(data == _CR)
    if len(returns):
        last = returns == len(data) - 1  # perhaps half of a line end
        follows = data[np.minimum(returns + 1, len(data) - 1)] == _LF
        fine = (follows | last) & (True if inside is None else ~inside[returns])
        returns = returns[~fine]
    zeros = np.flatnonzero(data == 0) if not data.all() else data[:0]
    return int(min(*(places[0] if len(places) else len(data) for places in (returns, zeros))))


def _of_width(data: np.ndarray, marks: np.ndarray, outer: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the records, and which of them have the right number of fields."""
    ends = outer + 1
    if len(outer) * width <= len(marks) and (data[marks[width - 1 : len(outer) * width : width]] == _LF).all():
        tidy = marks[width - 1 : len(outer) * width : width]
        if len(tidy) == len(outer) and (tidy == outer).all():
            return ends, np.ones(len(ends), dtype=bool)
    fields = np.diff(np.searchsorted(marks, outer), prepend=-1)
    return ends, fields == width
