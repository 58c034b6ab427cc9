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

    taken: the physical lines of all of them. whole: whether nothing but an unfinished record follows them; else the
    next record is none that is plain.
    """

    ends: np.ndarray
    lines: np.ndarray
    taken: int
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
    signs = np.flatnonzero((data == delimiter) | (data == _LF) | (data == _QUOTE))
    kinds = data[signs]
    quote, feed = kinds == _QUOTE, kinds == _LF
    outer = (np.cumsum(quote, dtype=np.uint8) & 1 == 0) & ~quote  # a sum past 255 keeps its last bit
    marks = signs[outer]
    last = np.flatnonzero(feed[outer])  # of each record, among the marks
    ends, after = marks[last] + 1, np.flatnonzero(outer[feed]) + 1
    starts, before = (np.concatenate([[0], edge[:-1]]) if len(edge) else edge for edge in (ends, after))
    quotes = signs[quote]
    limit = min(
        valid, _first_odd_quote(data, quotes, delimiter), _first_odd_sign(data, ends, unclosed=len(quotes) % 2 == 1)
    )
    good = np.diff(last, prepend=-1) == width
    good &= (ends <= limit) & (ends - starts <= MAX_RECORD) & (after - before <= MAX_INNER)
    count = len(good) if good.all() else int(np.argmin(good))
    left = len(data) - (int(ends[-1]) if len(ends) else 0)
    whole = count == len(ends) and limit >= len(data) and left <= MAX_RECORD
    return PlainPart(ends[:count], before[:count], int(after[count - 1]) if count else 0, whole)


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


def _first_odd_sign(data: np.ndarray, ends: np.ndarray, *, unclosed: bool) -> int:
    """The place of the first NUL, or CR that ends no record. unclosed: the text ends within quotes."""
    first = len(data) if data.all() else int(np.argmin(data))
    returns = data == _CR
    if np.count_nonzero(returns) == np.count_nonzero(data[ends[ends > 1] - 2] == _CR):
        return first
    places = np.flatnonzero(returns)
    half = (places == len(data) - 1) & (not unclosed)  # perhaps half of a line end
    odd = places[~half & ~np.isin(places + 2, ends)]
    return min(first, int(odd[0])) if len(odd) else first
