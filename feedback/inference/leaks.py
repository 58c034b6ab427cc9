"""Columns that give the answer away, each alone, in pairs and as its parts, measured on rows that come later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trueup.feedback.chunks import object_array
from trueup.feedback.determination import DETERMINED, determinations
from trueup.feedback.inference.answer import Answer
from trueup.feedback.inference.conclusion import Role
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.labels import resolve
from trueup.storage.formatting import percent
from trueup.storage.stream import LabelPolicy, StreamSettings

STRONG = 0.7           # gain from which a column is named, and kept
_PARTLY = 0.005        # share of empty (or filled) cells from which being filled may say something
_FILLED = "\x00filled"
_FEWEST = 20           # labelled rows below which nothing is measured
_FEWEST_ERRORS = 5     # of the naive answer, where the rows are too few for newer ones
_PARTS = "parts"
_FEW_VALUES = 10       # of a column that can be a part of the answer
_ONLY = 0.99           # share of a part's rows that have the rarer answer
_TOGETHER = 0.95       # gain of all parts from which they are the answer
_LEARNT = ("text", "numeric", "categorical")


@dataclass(frozen=True)
class Leak:
    """Columns (one, or a pair) that say so much of the answer that they may have been written after it.

    gain: the share of the naive answer's errors that they avoid on newer rows. determined: nothing but the answer is
    left, so they are no features; else they are kept, and a person looks.
    """

    columns: tuple[str, ...]
    gain: float
    determined: bool
    said: str


def find_leaks(
    table: TableSummary, answer: Answer, roles: Sequence[Role], when: np.ndarray | None, writing: Writing | None = None
) -> tuple[Leak, ...]:
    """What gives the answer away among the features of `roles`, the strongest first.

    Args:
        when: times of the sample's rows, datetime64 of shape (n,) with NaT where unknown; None: the order of the file.
    """
    writing = writing or Writing()
    features = [r for r in roles if r.role in _LEARNT]
    if not answer.column or not features:
        return ()
    labels = labels_of(table.column(answer.column), answer, writing)
    order = np.arange(len(labels)) if when is None else np.argsort(when, kind="stable")
    order = order[[labels[k] is not None for k in order]]
    columns, texts = dict[str, np.ndarray](), dict[str, np.ndarray]()
    for role in features:
        column = table.column(role.column)
        values = _values(column, role, writing)
        (texts if role.role == "text" else columns)[role.column] = values[order]
        if _PARTLY <= column.empty / max(column.rows, 1) <= 1 - _PARTLY:
            columns[role.column + _FILLED] = np.array([float(v is not None) for v in column.sample])[order]
    regression = answer.task == "regression"
    told = np.array([labels[k] for k in order], dtype=float if regression else object)
    found = [(d.columns, d.part, d.gain) for d in determinations(told, columns, texts, regression=regression)]
    if not regression:
        found += [(names, _PARTS, gain) for names, gain in _parts_of_answer(told, columns)]
    if not found:
        found = [((name,), "", gain) for name, gain in _in_halves(told, columns, regression=regression)]
    return _leaks(found, answer.column)


def labels_of(column: ColumnSummary, answer: Answer, writing: Writing) -> list[str | float | None]:
    """The label of each row of the sample: a class, a number, or None."""
    if answer.task == "regression":
        return [None if x != x else float(x) for x in writing.numbers(column)]
    marks = writing.marks.get(column.name, frozenset())
    classes = {name: list(rules) for name, rules in answer.classes.items()}
    stream = StreamSettings(name="s", time="t", text=("t",), label=LabelPolicy(classes=dict(classes)))
    return list(resolve(stream, object_array([None if v in marks else v for v in column.sample])))


def without_leaks(roles: Sequence[Role], leaks: Sequence[Leak]) -> tuple[Role, ...]:
    """The roles where what determines the answer is left out, and what says much of it is named with its figure."""
    out = {name: leak.said for leak in reversed(leaks) if leak.determined for name in leak.columns}
    named = {name: leak.said for leak in reversed(leaks) if not leak.determined for name in leak.columns}
    if all(r.column in out for r in roles if r.role in _LEARNT):
        out, named = {}, out | named  # a stream needs an input: what is learnt from it is stopped by the gate
    told = []
    for role in roles:
        if role.column in out and role.role in _LEARNT:
            told.append(Role(role.column, "left out", role.kind, out[role.column]))
        elif role.column in named and role.role in _LEARNT:
            told.append(Role(role.column, role.role, role.kind, f"{role.why}; check it: {named[role.column]}"))
        else:
            told.append(role)
    return tuple(told)


def _values(column: ColumnSummary, role: Role, writing: Writing) -> np.ndarray:
    if role.role == "numeric":
        return writing.numbers(column)
    marks = writing.marks.get(column.name, frozenset())
    return object_array([None if v in marks else v for v in column.sample])


def _leaks(found: Sequence[tuple[tuple[str, ...], str, float]], answer: str) -> tuple[Leak, ...]:
    """What is worth telling: no pair that says hardly more than one of its own, no column twice."""
    alone: dict[str, float] = {}
    for columns, _, gain in found:
        if len(columns) == 1:
            alone[columns[0]] = max(gain, alone.get(columns[0], 0.0))
    told: dict[tuple[str, ...], Leak] = {}
    for columns, part, gain in found:
        determined = gain >= DETERMINED or part == _PARTS
        best = max((alone.get(c, 0.0) for c in columns), default=0.0)
        if gain < STRONG or (len(columns) > 1 and (not determined or best >= DETERMINED)):
            continue
        names = tuple(dict.fromkeys(c.removesuffix(_FILLED) for c in columns))
        said = f"{_what(columns, part)} {'determine' if len(columns) > 1 else 'determines'} '{answer}'"
        if not determined:
            said = f"{_what(columns, part)} predicts '{answer}' suspiciously well"
        said += f" ({percent(gain)} fewer errors than the naive answer, on newer rows)"
        told.setdefault(names, Leak(names, gain, determined, said))
    return tuple(told.values())


def _what(columns: tuple[str, ...], part: str) -> str:
    each = [f"whether '{c.removesuffix(_FILLED)}' is filled" if c.endswith(_FILLED) else f"'{c}'" for c in columns]
    return " and ".join(each) if part in ("", _PARTS) else f"{part} in {each[0]}"


def _parts_of_answer(labels: np.ndarray, columns: Mapping[str, np.ndarray]) -> list[tuple[tuple[str, ...], float]]:
    """Several columns each of which is set only where the answer is the rarer of two: together they are the answer."""
    classes, codes = np.unique(labels.astype(str), return_inverse=True)
    if len(classes) != 2 or len(codes) < _FEWEST:
        return []
    rare = codes == np.bincount(codes).argmin()
    covered, parts = np.zeros(len(rare), dtype=bool), []
    for name, values in columns.items():
        place, keys = pd.factorize(values, use_na_sentinel=False)
        if len(keys) > _FEW_VALUES:
            continue
        rows, hits = np.bincount(place), np.bincount(place, weights=rare)
        telling = (rows >= _FEWEST_ERRORS) & (hits >= _ONLY * rows)
        if telling.any():
            covered |= telling[place]
            parts.append(name)
    gain = 1 - float((covered != rare).sum() / max(rare.sum(), 1))
    return [(tuple(parts), gain)] if len(parts) > 1 and gain >= _TOGETHER else []


def _in_halves(
    labels: np.ndarray, columns: Mapping[str, np.ndarray], *, regression: bool
) -> list[tuple[str, float]]:
    """Of few rows: the gain of each column, learnt from one half of the rows and scored on the other, both ways."""
    if len(labels) < _FEWEST:
        return []
    answer = labels.astype(float) if regression else pd.factorize(labels)[0]
    usual = np.median(answer) if regression else np.bincount(answer).argmax()
    naive = _loss(np.full(len(answer), usual), answer, regression=regression)
    if naive < (_FEWEST_ERRORS if not regression else 1e-12):
        return []
    first, found = np.arange(len(answer)) % 2 == 0, []
    for name, values in columns.items():
        numbers = pd.factorize(values, use_na_sentinel=False)[0].astype(float) if values.dtype == object else values
        lost = 0.0
        for learnt, scored in ((first, ~first), (~first, first)):
            answered = _learnt(numbers[learnt], answer[learnt], numbers[scored], regression=regression)
            lost += _loss(answered, answer[scored], regression=regression)
        found.append((name, 1 - lost / naive))
    return sorted(found, key=lambda pair: -pair[1])


def _learnt(numbers: np.ndarray, answer: np.ndarray, asked: np.ndarray, *, regression: bool) -> np.ndarray:
    """Answers of a line to numbers, or of a shallow tree to classes."""
    if regression:
        whole = np.isfinite(numbers)
        if len(set(numbers[whole].tolist())) < 2:
            return np.full(len(asked), np.median(answer))
        slope, base = np.polyfit(numbers[whole], answer[whole], 1)
        return np.where(np.isfinite(asked), slope * asked + base, np.median(answer))
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=5, min_samples_leaf=2, random_state=0)
    return np.asarray(tree.fit(numbers[:, None], answer).predict(asked[:, None]))


def _loss(answered: np.ndarray, answer: np.ndarray, *, regression: bool) -> float:
    return float(np.abs(answered - answer).sum() if regression else (answered != answer).sum())
