"""What the values of a column are, whatever they are used for: numbers, categories, texts, keys, versions, links."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from trueup.feedback.inference.column_words import called_calendar, called_code, called_text, called_version
from trueup.feedback.inference.conclusion import Kind
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import ColumnSummary
from trueup.feedback.row_ids import RUINED

CLEAN = 0.99           # share of numbers from which the rest are slips: a second way of writing is more than that
_MOSTLY = 0.9
_OWN = 0.97            # distinct values per row from which each row has its own
_CATEGORIES = 50       # values of a category at most
_URL = re.compile(r"(?i)(?:https?://|www\.)\S+")
_DOTTED = re.compile(r"(?i)v?\d+(?:\.\w+){2,}(?:[-+ ]\S*)?|v\d+(?:\.\w+)*|\d+\.x")
_LOOSE_VERSION = re.compile(r"(?i)(?:[a-z]+[ -]?)?v?\d+(?:[._]\w+)*(?:[-+ ( ]\S*)*")
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}")
_PHONE = re.compile(r"\+\d[\d ()./-]{6,17}\d")
_DIGITS = re.compile(r"(?=.*\d)[^a-zA-Z]+")
_UNIT = re.compile(r"[^\w\s]{0,2}\d[\d.,]*\s?([^\W\d]{1,8}|%)")  # 5 kg, 12.5%, 19M
_UNITS = 3             # that differ in one column
_NUMBERED = re.compile(r"[^\d]*[^\W\d][^\d]*\d+")  # "Caller 873"
_TOKEN = re.compile(r"(?=.*[\d@])[\w#.:/@+-]{3,}")
_LOOKED_AT = 2_000     # values of the sample


def column_kind(column: ColumnSummary, writing: Writing) -> Kind:
    """The kind of a column that is no time."""
    values = [v for v in column.values if v not in writing.marks.get(column.name, ())][:_LOOKED_AT]
    if not values:
        return "empty"
    if column.distinct == 1 or len(set(column.values) - writing.marks.get(column.name, frozenset())) == 1:
        return "constant"
    if _share(values, lambda v: v[0] in "{[" and v[-1] in "}]") > _MOSTLY:
        return "nested"
    if _share(values, lambda v: bool(_URL.fullmatch(v))) > _MOSTLY:
        return "url"
    if written_as_phone(values):
        return "id" if each_its_own(column) else "code"
    if writing.number_share(column)[0] >= CLEAN:
        return _of_numbers(column, values, writing)
    if _share(values, lambda v: bool(_IP.fullmatch(v))) > _MOSTLY:
        return "id" if each_its_own(column) else "code"
    if (called_version(column.name) and _share(values, lambda v: bool(_LOOSE_VERSION.fullmatch(v))) > _MOSTLY) or (
        _share(values, lambda v: bool(_DOTTED.fullmatch(v))) > _MOSTLY
    ):
        return "version"
    return _of_words(column, values)


def written_as_phone(values: Sequence[str]) -> bool:
    """Whether values are telephone numbers with the code of a country."""
    return bool(values) and _share(values, lambda v: bool(_PHONE.fullmatch(v))) > _MOSTLY


def odd_numbers(values: Sequence[str]) -> bool:
    """Whether values are digits and signs, and yet no numbers as the file writes them: 688,76-, 12:30 or 5 kg."""
    units = {m[1].casefold() for v in values if (m := _UNIT.fullmatch(v))}
    with_unit = len(units) <= _UNITS and _share(values, lambda v: bool(_UNIT.fullmatch(v))) > _MOSTLY
    return with_unit or _share(values, lambda v: bool(_DIGITS.fullmatch(v))) > 0.5


def row_number(column: ColumnSummary) -> bool:
    """Whether a column counts the rows: whole numbers that go up by the same step from each sampled row to the next."""
    steps = column.quantities[1:] - column.quantities[:-1]
    step = steps[0] if len(steps) else 0
    return bool(len(steps) > 1 and step >= 1 and step == round(step) and (steps == step).all())


def each_its_own(column: ColumnSummary) -> bool:
    """Whether nearly each row has its own value."""
    return column.distinct >= _OWN * column.filled and column.filled >= 10


def leading_zeros(values: list[str]) -> bool:
    """Whether numbers are written with leading zeros, which no quantity is: 00501."""
    digits = [v for v in values if v.isdigit()]
    zeros = [v for v in digits if v[0] == "0" and len(v) > 1]
    return len(digits) > _MOSTLY * len(values) and len(zeros) >= max(1, 0.005 * len(values))


def _of_numbers(column: ColumnSummary, values: list[str], writing: Writing) -> Kind:
    whole = [x.is_integer() for v in values if (x := writing.number(v)) is not None]
    if called_version(column.name) or _counted_up(column):
        return "version"
    if leading_zeros(values) and not called_calendar(column.name):
        return "id" if each_its_own(column) else "code"
    if called_code(column.name) and (all(whole) or any(RUINED.fullmatch(v) for v in values)):
        return "id" if each_its_own(column) else "code"
    return "id" if all(whole) and column.distinct == column.rows and row_number(column) else "number"


def _counted_up(column: ColumnSummary) -> bool:
    """Whether 1.10 stands beside 1.9: a number would not keep its last zero where others have fewer decimals."""
    tails = [v.partition(".")[2] for v in column.counts] if column.distinct <= _CATEGORIES else []
    long = [t for t in tails if len(t) == 2 and t.isdigit()]
    short = [t for t in tails if len(t) == 1 and t != "0"]
    return bool(short) and any(t.endswith("0") for t in long) and len(long) + len(short) >= _MOSTLY * len(tails)


def _of_words(column: ColumnSummary, values: list[str]) -> Kind:
    token = _share(values, lambda v: bool(_TOKEN.fullmatch(v)))
    if all(_NUMBERED.fullmatch(v) for v in values) and len({v.rstrip("0123456789") for v in values}) == 1:
        return "id" if each_its_own(column) else "code"
    if column.words < 1.5 and each_its_own(column) and (token > _MOSTLY or called_code(column.name)):
        return "id"
    few = column.distinct <= _CATEGORIES and column.distinct * 2 <= max(column.filled, 10)
    if few and column.distinct <= 0.2 * column.filled:
        return "code" if called_code(column.name) and column.words < 1.5 else "category"
    if odd_numbers(values) and column.words < 2.5 and not called_code(column.name):
        return "number"
    if column.words >= 3 or (called_text(column.name) and column.distinct > 20):
        return "text"
    if column.words < 1.5 and (token > _MOSTLY or called_code(column.name)):
        return "code"
    return "category" if few else "text"


def _share(values: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, values)) / len(values)
