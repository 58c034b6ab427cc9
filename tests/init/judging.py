"""What init said of one made shape, compared with its truth: right, undecided or silently wrong, by question. Pure.

What init wrote is judged by what it would read: each row's time, class and values, compared with the shape's truth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from tests.init.made_shapes import FEATURES, MID, Column, Shape
from tests.init.reading import Reading, Told
from trueup.feedback.values import number, plain

RIGHT, UNDECIDED, WRONG = "right", "undecided", "wrong"
_SLIPS = 0.01     # of the rows that may be refused, or lack their label, without a word
_MARKS = {"", "?", "-", "na", "n/a", "nan", "null", "none", "#n/a"}
_UNIT = {"s": "s", "min": "m", "h": "h", "D": "D", "M": "M"}


@dataclass(frozen=True)
class Point:
    """One question about a file: its state, and what was said where it is not right."""

    question: str
    state: str
    said: str = ""


@dataclass(frozen=True)
class Score:
    """A shape's points. kinds: (column, kinds that are right, kind that was said). lost: features left out."""

    shape: str
    points: tuple[Point, ...]
    kinds: tuple[tuple[str, frozenset[str], str], ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Of the whole file: wrong if any point is, else undecided if any is."""
        states = {point.state for point in self.points}
        return next((s for s in (WRONG, UNDECIDED) if s in states), RIGHT)


def score(name: str, shape: Shape, told: Told) -> Score:
    """What init said of a file, compared with the shape's truth."""
    if told.refusal:
        return Score(name, (Point("file", UNDECIDED if told.spoken else WRONG, told.refusal),))
    truth = _Truth(shape, told)
    points = tuple(point for ask in (_file, _time, _id, _answer, _features, _values, _missing) for point in ask(truth))
    kinds = tuple(
        (truth.named[c["name"]].name, truth.named[c["name"]].kinds, c["kind"])
        for c in told.columns if c["name"] in truth.named
    )  # fmt: skip
    return Score(name, points, kinds, tuple(truth.lost()))


class _Truth:
    """A shape beside what was said of it, with its columns by the names that the file was read with."""

    def __init__(self, shape: Shape, told: Told) -> None:
        aligned = told.reading and told.reading.without(getattr(shape.file, "below", ()), len(shape.columns[0].cells))
        self.shape, self.told, self.settings = shape, replace(told, reading=aligned), told.settings
        names = [str(c["name"]) for c in told.columns]
        own = {c.name: c for c in shape.columns if [d.name for d in shape.columns].count(c.name) == 1}
        own |= {also: own[name] for name, also in shape.also.items() if name in own}
        by_place = dict(zip(names, shape.columns, strict=False)) if len(names) == len(shape.columns) else {}
        self.named: Mapping[str, Column] = {n: c for n in names if (c := own.get(n) or by_place.get(n))}

    def names(self, *parts: str) -> list[str]:
        return [n for n, c in self.named.items() if c.part in parts]

    def asked(self, about: str) -> bool:
        return any(u["about"] == about for u in self.told.undecided)

    def declared(self) -> Iterator[tuple[str, str]]:
        """Each role of a feature with its column."""
        for role in sorted(FEATURES):
            yield from ((role, name) for name in self.settings.get(role, ()))

    def lost(self) -> Iterator[str]:
        """Columns that people would learn from, and that are neither learnt from nor looked at."""
        used = {name for _, name in self.declared()} | {*self.settings.get("slices", ()), *_time_columns(self.settings)}
        used.add(self.settings.get("label", {}).get("column", ""))
        yield from (n for n, c in self.named.items() if c.roles <= FEATURES | {"slices"} and n not in used)


# ---- the questions ----


def _file(truth: _Truth) -> Iterator[Point]:
    shape, told = truth.shape, truth.told
    rows, missing = len(shape.columns[0].cells), [c.name for c in shape.columns if c not in truth.named.values()]
    if truth.asked("format") and "format" not in shape.asks | shape.free:
        yield Point("file", UNDECIDED, _said(told, "format"))
    elif not 0 <= told.rows - rows <= shape.extra:
        yield Point("file", WRONG, f"{told.rows} rows, and it holds {rows}")
    elif missing and len(missing) > len(shape.columns) / 4:
        yield Point("file", WRONG, f"columns {missing[:4]} are not among those that were read")
    elif told.reading is None and not told.undecided:
        yield Point("file", WRONG, f"the settings cannot be used, without a word: {told.unusable}")
    else:
        yield Point("file", RIGHT)
    refused = told.reading.refused if told.reading else Counter()
    unsaid = sum(n for why, n in refused.items() if why != "unreadable_time" or not truth.asked("time"))
    unsaid -= told.refused + shape.extra
    if unsaid > _SLIPS * rows:
        yield Point("rows", WRONG, f"{unsaid} rows would be refused, without a word: {refused.most_common(2)}")


def _time(truth: _Truth) -> Iterator[Point]:
    shape, said, columns = truth.shape, truth.settings.get("time"), _time_columns(truth.settings)
    asked, known = truth.asked("time"), truth.names("time")
    if "time" in shape.asks:
        good = asked and (not said or isinstance(said, str | list))
        yield Point("time", RIGHT) if good else Point("time", WRONG, f"{said!r}, which nothing in the file says")
    elif asked:
        yield Point("time", RIGHT if "time" in shape.free else UNDECIDED, _said(truth.told, "time"))
    elif not columns:
        yield Point("time", WRONG, f"{said!r}, though {known} is the time")
    elif not (set(columns) == set(known) if shape.moments else len(columns) == 1 and columns[0] in known):
        yield Point("time", WRONG, f"{columns}, not {known}")
    elif truth.told.reading:
        column = truth.named[columns[0]]
        yield from _times(truth.told.reading, shape.moments or column.truth or (), column.grain)


def _times(reading: Reading, moments: Sequence[datetime], grain: str) -> Iterator[Point]:
    if not len(reading.times):
        yield Point("time", WRONG, "no row has a time")
        return
    unit = f"M8[{_UNIT[grain]}]"
    right = np.array(moments, dtype="M8[us]")[reading.rows].astype(unit)
    wrong = np.flatnonzero(reading.times.astype(unit) != right)
    if reading.refused["unreadable_time"] > _SLIPS * len(moments):
        yield Point("time", WRONG, f"{reading.refused['unreadable_time']} times cannot be read")
    elif len(wrong):
        yield Point("time", WRONG, f"{len(wrong)} rows, as {reading.times[wrong[0]]} for {right[wrong[0]]}")
    else:
        yield Point("time", RIGHT)


def _id(truth: _Truth) -> Iterator[Point]:
    said = truth.settings.get("id", "")
    right = [n for n, c in truth.named.items() if "id" in c.roles]
    needed = [n for n, c in truth.named.items() if c.roles == {"id"}]
    if said:
        yield Point("id", RIGHT) if said in right else Point("id", WRONG, f"'{said}', not {right}")
    elif needed and "id" not in truth.shape.free:
        yield Point("id", UNDECIDED, f"none, though {needed} names a row")
    else:
        yield Point("id", RIGHT)


def _answer(truth: _Truth) -> Iterator[Point]:
    shape, said = truth.shape, truth.settings.get("label", {}).get("column", "")
    asked, known = truth.asked("answer"), truth.names("answer", "target")
    column = truth.named.get(said)
    if "answer" in shape.asks:
        good = asked and not said
        yield Point("answer", RIGHT) if good else Point("answer", WRONG, f"'{said}', which nothing in the file says")
    elif not said and ("answer" in shape.free or not known):
        yield Point("answer", RIGHT)
    elif not said:
        told = _said(truth.told, "answer") or f"none, though {known} is one"
        yield Point("answer", UNDECIDED if asked else WRONG, told)
    elif column is None or "label" not in column.roles:
        yield Point("answer", WRONG, f"'{said}', not {known}")
    elif column.part and truth.told.reading:
        yield from _classes(truth, column, truth.told.reading)
    else:
        yield Point("answer", RIGHT)


def _classes(truth: _Truth, column: Column, reading: Reading) -> Iterator[Point]:
    labels = reading.labels
    regression = truth.settings.get("task") == "regression"
    if regression != (column.part == "target"):
        yield Point("answer", WRONG, f"'{column.name}' as a {'regression' if regression else 'classification'}")
        return
    if regression:
        numbers = column.numbers
        right = [numbers[k] for k in reading.rows]
        wrong = [k for k, (a, b) in enumerate(zip(labels, right, strict=True)) if not _same_number(column, b, a)]
        said = f"{len(wrong)} values, as {labels[wrong[0]]} for {right[wrong[0]]}" if wrong else ""
        yield Point("answer", WRONG, said) if wrong else Point("answer", RIGHT)
        return
    classes: dict[Any, Counter[Any]] = {}
    for label, group in zip(labels, [(column.truth or ())[k] for k in reading.rows], strict=True):
        classes.setdefault(group, Counter())[label] += 1
    signs = set("".join(map(str, column.cells)))
    yield _mapping(classes, by_word=not signs & set("0123456789★"))


def _mapping(classes: Mapping[Any, Counter[Any]], *, by_word: bool) -> Point:
    """Each group of values has one class of its own (each word may have one); what has none has no label."""
    told = "; ".join(f"{group} → {dict(found.most_common(3))}" for group, found in classes.items())
    firm = {group: found for group, found in classes.items() if group is not None and group != MID}
    for found in firm.values():
        if found[None] > _SLIPS * found.total():
            return Point("answer", WRONG, f"rows without a label: {told}")
        if len(found.keys() - {None}) > 1 and not by_word:
            return Point("answer", WRONG, f"one class in several: {told}")
    own = [found.keys() - {None} for found in firm.values()]
    if len(set().union(*own)) < sum(map(len, own)):
        return Point("answer", WRONG, f"several classes in one: {told}")
    if set(classes.get(None, ())) - {None}:
        return Point("answer", WRONG, f"a label where there is none: {told}")
    return Point("answer", RIGHT)


def _features(truth: _Truth) -> Iterator[Point]:
    answers = set(truth.names("answer", "target"))
    label = truth.settings.get("label", {}).get("column", "")
    watched = answers if not label and "answer" in truth.shape.free else set()  # without a label nothing is learnt
    wrong = [n for _, n in truth.declared() if n not in truth.named or not truth.named[n].roles & FEATURES]
    wrong = [n for n in wrong if n not in watched]
    others = answers - {label, *wrong, *watched}
    wrong += [n for _, n in truth.declared() if n in others and "left out" in truth.named[n].roles]
    if wrong:
        yield Point("features", WRONG, f"learnt from: {wrong}")
    silent = [n for n in truth.lost() if not truth.told.why(n)]
    if silent:
        yield Point("features", WRONG, f"left out without a reason: {silent}")
    if not wrong and not silent:
        yield Point("features", RIGHT)


def _values(truth: _Truth) -> Iterator[Point]:
    reading, lenient = truth.told.reading, "missing" in truth.shape.asks | truth.shape.free
    wrong = []
    for role, name in truth.declared():
        column = truth.named.get(name)
        if not reading or not column or name not in reading.table:
            continue
        numbers = column.numbers
        for k, value in zip(reading.rows, reading.table[name], strict=True):
            cell, right = column.cells[k], numbers[k]
            if not (_same_number(column, right, value) if role == "numeric" else _same_text(cell, value, lenient)):
                wrong.append(f"'{name}': {str(value)[:40]!r} for {str(cell)[:40]!r}")
                break
    yield Point("values", WRONG, "; ".join(wrong[:3])) if wrong else Point("values", RIGHT)


def _missing(truth: _Truth) -> Iterator[Point]:
    declared = truth.settings.get("missing", [])
    for name, column in truth.named.items():
        used = name in [n for _, n in truth.declared()]
        marks = declared if isinstance(declared, list) else declared.get(name, [])
        known = {x for m in marks if (x := number(m)) is not None}
        if column.sentinels and used and not column.sentinels <= known and not truth.asked("missing"):
            yield Point("missing", WRONG, f"'{name}': {sorted(column.sentinels)} is taken for a value")
            return


# ---- what is the same ----


def _same_number(column: Column, right: float | None, read: Any) -> bool:
    if read is None or (isinstance(read, float) and math.isnan(read)):
        return right is None or right in column.sentinels or column.part == "target"
    return right is not None and math.isclose(right, float(read), rel_tol=1e-9)


def _same_text(cell: Any, read: Any, lenient: bool) -> bool:
    """Whether a value is the cell's own text; numbers are the same however they are written."""
    if read is None or read != read:
        return cell is None or str(cell).strip() == "" or (lenient and str(cell).strip().lower() in _MARKS)
    if isinstance(cell, list | dict):
        return True
    left, right = plain(str(cell)), plain(str(read))
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell) in (number(right), number(str(right).replace(",", ".")))
    return (left or "").casefold().split() == (right or "").casefold().split()


def _time_columns(settings: Mapping[str, Any]) -> list[str]:
    said = settings.get("time")
    return [said] if isinstance(said, str) else list(said) if isinstance(said, list) else []


def _said(told: Told, about: str) -> str:
    return next((str(u["said"]) for u in told.undecided if u["about"] == about), "")
