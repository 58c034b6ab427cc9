"""How a file writes its numbers: decimal mark and mark between thousands, by what its columns prove together. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trueup.feedback.values import MISSING_NUMBER

_NUMERIC = 0.9     # of a column's cells: from here on it is a column of numbers
_STRAY = 0.01      # of a column's cells: up to here another notation is a slip
_GROUP = r"\d{1,3}(?:[ '\u00a0\u202f\u2009\u2019]\d{3})+"
_FORMS = {
    "int": r"\d+(?:[eE][+-]?\d+)?",
    "comma, points between": r"\d{1,3}(?:\.\d{3})+,\d+",
    "point, commas between": r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?",
    "points between": r"[1-9]\d{0,2}(?:\.\d{3}){2,}",
    "commas between": r"[1-9]\d{0,2}(?:,\d{3}){2,}",
    "point or points": r"[1-9]\d{0,2}\.\d{3}",
    "comma or commas": r"[1-9]\d{0,2},\d{3}",
    "comma": r"\d*,\d+(?:[eE][+-]?\d+)?",
    "point": r"\d*\.\d+(?:[eE][+-]?\d+)?|\d+\.",
    "blanks between": _GROUP,
    "comma, blanks between": rf"{_GROUP},\d+",
    "point, blanks between": rf"{_GROUP}\.\d+",
}  # of a whole cell, the first that fits
_NAMES = tuple(_FORMS)
_ANY = re.compile("[+-]?(?:" + "|".join(f"({pattern})" for pattern in _FORMS.values()) + ")-?", re.ASCII)
_COMMA = {"comma", "comma, points between", "points between", "comma, blanks between"}
_POINT = {"point", "point, commas between", "commas between", "point, blanks between"}


@dataclass(frozen=True)
class Notation:
    """decimal, thousands: as in FileFormat. why: "" where nothing is to be told. choices: settings to choose from,
    where the file does not decide."""

    decimal: str = "."
    thousands: str = ""
    why: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Column:
    name: str
    forms: Counter[str]
    example: Mapping[str, str]

    def has(self, names: set[str]) -> bool:
        return sum(self.forms[n] for n in names) > _STRAY * self.forms.total()

    def of(self, names: set[str]) -> str:
        return next(self.example[n] for n in names if n in self.example)


def find_notation(names: Sequence[str], rows: Iterable[Sequence[str | None]], delimiter: str) -> Notation:
    """Judge the cells of a file. Proof is 2,5 or 1.234,5 or 1.234.567; 1,234 alone decides nothing.

    What stands between the fields counts too: where that is a comma, so is no decimal mark, but for proof.
    """
    columns = [column for column in _columns(names, rows) if _is_numeric(column)]
    commas = [c for c in columns if c.has(_COMMA)]
    points = [c for c in columns if c.has(_POINT)]
    open_commas = [c for c in columns if c.has({"comma or commas"}) and c not in commas and c not in points]
    open_points = [c for c in columns if c.has({"point or points"}) and c not in commas and c not in points]
    mixed = [c for c in commas if c in points]
    if mixed or (commas and points and delimiter == ","):
        return _undecided(commas[0], commas[0].of(_COMMA), points[0], points[0].of(_POINT))
    if commas:
        return _decimal_comma(commas, points, open_points)
    if points or delimiter == ",":
        return _decimal_point(columns, open_commas)
    if open_commas or open_points:
        column = (open_commas or open_points)[0]
        sign, form = (",", "comma or commas") if open_commas else (".", "point or points")
        why = f"column '{column.name}': '{column.of({form})}' has a sign that is a decimal mark or separates thousands"
        return Notation(why=why, choices=(f'decimal = "{sign}"', _thousands_choice(sign)))
    return _decimal_point(columns, [])


def _decimal_comma(commas: list[_Column], points: list[_Column], open_points: list[_Column]) -> Notation:
    why = f"column '{commas[0].name}' writes numbers as '{commas[0].of(_COMMA)}'"
    if open_points:
        column = open_points[0]
        why += f", and column '{column.name}' as '{column.of({'point or points'})}', which is then a thousand or a code"
        return Notation(",", "", why, ('decimal = ","', 'decimal = ","; thousands = "."'))
    between = {"comma, points between", "points between", "point or points"}
    thousands = "." if any(c.has(between) for c in commas) else _blank(commas)
    if points:
        others = ", ".join(f"'{c.name}' ('{c.of(_POINT)}')" for c in points[:3])
        why += f"; {others} have a decimal point, so they are not read as numbers"
    return Notation(",", thousands, why)


def _decimal_point(columns: list[_Column], open_commas: list[_Column]) -> Notation:
    between = [c for c in columns if c.has({"point, commas between", "commas between"})] or open_commas
    if between:
        shown = between[0].of({"point, commas between", "commas between", "comma or commas"})
        return Notation(".", ",", f"column '{between[0].name}' writes numbers as '{shown}'")
    blank = _blank(columns)
    return Notation(".", blank, f"thousands are separated by '{blank}'" if blank else "")


def _blank(columns: list[_Column]) -> str:
    forms = {"blanks between", "comma, blanks between", "point, blanks between"}
    for column in columns:
        if column.has(forms):
            return "'" if re.search("['\u2019]", column.of(forms)) else " "
    return ""


def _undecided(one: _Column, first: str, other: _Column, second: str) -> Notation:
    if one is other:
        why = f"column '{one.name}' writes numbers both as '{first}' and as '{second}'"
    else:
        why = f"column '{one.name}' writes numbers as '{first}', column '{other.name}' as '{second}'"
    return Notation(".", "", why, ('decimal = ","', 'decimal = "."'))


def _thousands_choice(sign: str) -> str:
    return 'thousands = ","' if sign == "," else 'decimal = ","; thousands = "."'


def _is_numeric(column: _Column) -> bool:
    return column.forms.total() > 0 and column.forms["other"] <= (1 - _NUMERIC) * column.forms.total()


def _columns(names: Sequence[str], rows: Iterable[Sequence[str | None]]) -> list[_Column]:
    forms: list[Counter[str]] = [Counter() for _ in names]
    examples: list[dict[str, str]] = [{} for _ in names]
    for row in rows:
        for counted, shown, cell in zip(forms, examples, row, strict=False):
            text = (cell or "").strip()
            form = _form(text) if text else "empty"
            if form == "other" and text.lower() in MISSING_NUMBER:
                form = "empty"
            counted[form] += 1
            if form not in shown:
                shown[form] = text[:30]
    for counted in forms:
        del counted["empty"]
    return [_Column(*parts) for parts in zip(names, forms, examples, strict=True)]


def _form(text: str) -> str:
    if text.isdecimal():
        return "int"
    match = _ANY.fullmatch(text) if text[0] in "0123456789+-.," else None
    return _NAMES[(match.lastindex or 1) - 1] if match else "other"
