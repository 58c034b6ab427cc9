"""Which column of a file holds the answer: by its name and its values, never by its place alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from trueup.feedback.inference.answer_words import ABOUT_IT, GRADES, answer_alone, answer_tier
from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.label_values import LabelValues, label_values
from trueup.feedback.inference.label_words import VERDICTS
from trueup.feedback.inference.names import said_in, unaccented, vocabulary
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import ColumnSummary, TableSummary

_SHOWN = 6        # columns to choose from
_BY_VALUES = 3    # how surely verdicts say it, under a name that says nothing
_BY_PLACE = 2     # a name so weak decides only together with the last place
_GERMAN = vocabulary("datum, kommentar, kunde, filiale, bewertung, fach, schuler, klasse, bestellwert, preis, erstellt")


@dataclass(frozen=True)
class Answer:
    """The column that holds the answer ("": none, or undecided), how it becomes a label, and why.

    classes: class → rules of `label.classes`; empty for numbers, and where each value is its own class.
    unmatched: values that get no class with their cells, commonest first: these rows stay without a label.
    candidates: columns that are called like an answer, of which a person has to choose.
    """

    column: str = ""
    task: Literal["classification", "regression", ""] = ""
    classes: Mapping[str, list[str]] = field(default_factory=dict)
    why: str = ""
    unmatched: tuple[tuple[str, int], ...] = ()
    undecided: tuple[Undecided, ...] = ()
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    column: ColumnSummary
    values: LabelValues
    tier: int
    last: bool

    @property
    def rank(self) -> tuple[int, bool, bool]:
        """By the name, whether it says nothing else, and whether the values judge."""
        return self.tier, answer_alone(self.column.name), self.values.opinion

    @property
    def settings(self) -> str:
        task = '  # with task = "regression"' if self.values.task == "regression" else ""
        return f"column = {json.dumps(self.column.name, ensure_ascii=False)}{task}"


def find_answer(table: TableSummary, taken: Collection[str], writing: Writing | None = None) -> Answer:
    """The answer among the columns that are not `taken` (id and times), decided or proposed."""
    writing, found = writing or Writing(), list[_Candidate]()
    for column in table.columns:
        if column.name in taken or not column.name or column.distinct < 2:
            continue
        values = label_values(column, writing)
        if values:
            tier = answer_tier(column.name) or _BY_VALUES * (_verdicts(values) and not said_in(column.name, ABOUT_IT))
            found.append(_Candidate(column, values, tier, column is table.columns[-1]))
    named = sorted((c for c in found if c.tier > _BY_PLACE), key=lambda c: c.rank, reverse=True)
    weak = [c for c in found if c.tier == _BY_PLACE]
    best = [c for c in named if c.rank == named[0].rank]
    if len(best) == 1:
        by_name = answer_tier(best[0].column.name)
        return _decided(best[0], table, "named like an answer" if by_name else "its values are verdicts")
    if best:
        return _proposed(best, "several columns are named like an answer")
    if len(weak) == 1 and weak[0].last:
        return _decided(weak[0], table, "named like an answer, and the last column")
    if not found:
        return Answer(why="no column could hold the answer")
    ends = [c for c in found if c.last] + [c for c in found if c.column is table.columns[0]]
    return _proposed([*weak, *ends, *found], "no column's name says that it is the answer")


def _verdicts(values: LabelValues) -> bool:
    """Whether the classes are such as positive and negative, or spam and ham, whatever their column is called."""
    return len(values.classes) > 1 and all(unaccented(name) in VERDICTS for name in values.classes)


def _decided(one: _Candidate, table: TableSummary, why: str) -> Answer:
    name, values = one.column.name, one.values
    if said_in(name, GRADES) and "positive" in values.classes and any(said_in(c.name, _GERMAN) for c in table.columns):
        told = f"'{name}' could be a school grade, where 1 is the best; choose which end is good"
        rules = dict(values.classes)
        turned = {"positive": rules["negative"], "negative": rules["positive"]}
        lines = (one.settings, f"classes = {_inline(rules)}", f"classes = {_inline(turned)}")
        return Answer(why=told, undecided=(Undecided("answer", told, lines, name),), candidates=(name,))
    return Answer(name, values.task, values.classes, f"{why}; {values.why}", values.unmatched)


def _proposed(found: Sequence[_Candidate], why: str) -> Answer:
    choices = list({c.column.name: c for c in found}.values())
    names, more = [c.column.name for c in choices[:_SHOWN]], len(choices) - _SHOWN
    told = f"{why}; it could be {', '.join(map(repr, names))}{f' or one of {more} more' if more > 0 else ''}"
    asked = Undecided("answer", told, tuple(c.settings for c in choices[:_SHOWN]))
    return Answer(why=told, undecided=(asked,), candidates=tuple(c.column.name for c in choices if c.tier))


def _inline(classes: Mapping[str, list[str]]) -> str:
    return "{ " + ", ".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in classes.items()) + " }"
