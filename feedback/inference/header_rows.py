"""Rows under a file's header that are more of it: questions in words, units, names of an import."""

from __future__ import annotations

import re

from trueup.feedback.text_table import TextTable

_MOST = 3              # rows that a header may have below its first line
_FEWEST = 20           # cells of a column from which it is known what it holds
_MOSTLY = 0.95
_VALUE = re.compile(r"[+-]?[\d.,:/T Z-]*\d[\d.,:/T Z%-]*")  # numbers, dates and times in digits


def header_rows(table: TextTable) -> int:
    """How many of the first rows are header: words in every column whose later cells are numbers or times in digits.

    Args:
        table: the first rows of a file as text, None where missing.
    """
    measured = []
    for name in table.columns:
        cells = [v for v in table[name][_MOST:] if v is not None and v.strip()]
        values = sum(_VALUE.fullmatch(v.strip()) is not None for v in cells)
        if len(cells) >= _FEWEST and values >= _MOSTLY * len(cells):
            measured.append(name)
    for k in range(min(_MOST, len(table))):
        words = [v.strip() for name in measured if (v := table[name][k]) is not None and v.strip()]
        if len(words) < max(2, len(measured) / 2) or any(_VALUE.fullmatch(v) for v in words):
            return k
    return _MOST if len(table) > _MOST and measured else 0
