"""What the values of an answer's column are: classes in words, ratings on a scale, numbers; and which are no label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from trueup.feedback.inference.answer_words import JUDGING, NPS, QUANTITY
from trueup.feedback.inference.label_words import MARKS, NEVER, NOT_YET, SHORT, judges, side
from trueup.feedback.inference.names import said_in
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import ColumnSummary
from trueup.feedback.labels import class_of
from trueup.feedback.ratings import rating
from trueup.feedback.values import folded, number, plain
from trueup.storage.stream import LabelPolicy

_MANY = 20             # values: of so many numbers more are a quantity, of so many words more are written as no rule
_MANY_VALUES = 500    # distinct values, from which only numbers are labels
_WORDS = 100          # classes at most
_RARE = 0.001         # of the labels: rarer values are told, not made a class
_STARS = ("one", "two", "three", "four", "five")
_MOSTLY = 0.98        # of the values: so many that are ratings make it a scale


@dataclass(frozen=True)
class LabelValues:
    """How the values of a column are labels. classes: class → rules, empty where each value is its own class.

    unmatched: the values that get no class, with their cells, commonest first. opinion: they judge something.
    """

    task: Literal["classification", "regression"]
    why: str
    classes: Mapping[str, list[str]] = field(default_factory=dict)
    unmatched: tuple[tuple[str, int], ...] = ()
    opinion: bool = False


def label_values(column: ColumnSummary, writing: Writing) -> LabelValues | None:
    """How a column's values could be labels, by their kind; None where they are none (texts, links, one value)."""
    if column.distinct > _MANY_VALUES:
        return _many(column, writing)
    cells, marks = Counter[str](), writing.marks.get(column.name, frozenset())
    for value, times in column.cells.items():
        if value not in marks:
            cells[folded(plain(value) or "")] += times
    words = {v for v in cells if v in MARKS and _rated(v, writing) is None}
    kept = Counter({v: n for v, n in cells.items() if v not in words})
    numbers = Counter({v: n for v, n in kept.items() if _rated(v, writing) is not None})
    if len(kept) < 2 or any(v.startswith(("{", "[{", "http")) for v in column.values[:100]):
        return None
    share = numbers.total() / (_without_states(kept).total() or 1)
    if share >= _MOSTLY or (share >= 0.5 and all(judges(v) for v in _without_states(kept) - numbers)):
        found = _of_numbers(column.name, numbers, _without_states(kept) - numbers, writing)
    else:
        found = _of_words(column, kept)
    if found is None or not found.classes:
        return found
    policy = LabelPolicy(classes={k: list(v) for k, v in found.classes.items()})
    lost = Counter({v: n for v, n in cells.items() if class_of(policy, v) is None})
    return replace(found, unmatched=tuple(lost.most_common()))


def _many(column: ColumnSummary, writing: Writing) -> LabelValues | None:
    """Of so many values: numbers, or none."""
    share, others = writing.number_share(column)
    numbers = writing.numbers(column)
    numbers = numbers[numbers == numbers]
    if share < _MOSTLY or not len(numbers):
        return None
    why = f"a number with {column.distinct:,} values from {numbers.min():g} to {numbers.max():g}"
    return LabelValues("regression", why, unmatched=others)


def _rated(value: str, writing: Writing) -> float | None:
    found = writing.number(value)
    if found is None and (rated := rating(value)) is not None:
        return rated[0]
    return found


def _without_states(values: Counter[str]) -> Counter[str]:
    return Counter({v: n for v, n in values.items() if v not in NOT_YET | NEVER})


# ---- numbers ----


def _of_numbers(name: str, found: Counter[str], words: Counter[str], writing: Writing) -> LabelValues | None:
    values = Counter[float]()
    for text, times in found.items():
        values[float(_rated(text, writing) or 0.0)] += times
    total = values.total()
    firm = sorted(v for v, n in values.items() if n >= _RARE * total)
    of = max((x for t in found if (r := rating(t)) and (x := r[1])), default=0.0)
    rated = of > 0 or any(number(t) is None and writing.number(t) is None for t in found)
    opinion = rated or bool(said_in(name, JUDGING)) or name.strip().lower() == "overall"
    halves = all((2 * v).is_integer() for v in firm)
    if (len(values) > _MANY and not (halves and len(firm) <= _MANY + 1)) or not halves or len(values) < 2:
        return _regression(values)
    if said_in(name, QUANTITY) and not opinion and len(values) > 2:
        return _regression(values)
    scale = _scale(name, firm, of) if opinion else None
    if scale:
        classes, why = {k: list(v) for k, v in scale[0].items()}, scale[1]
        low, high = classes
        for word in words:
            if side(word):
                classes[low if side(word) < 0 else high].append(word)
        return LabelValues("classification", why, classes, opinion=True)
    if any(not v.is_integer() for v in firm) or len(firm) > _MANY:
        return _regression(values)
    classes = {str(plain(repr(v))): [str(plain(repr(v)))] for v in firm}
    classes |= {word: _rules([word]) for word, times in words.items() if times >= _RARE * total}
    return LabelValues("classification", f"{len(classes)} values, each a class of its own", classes, opinion=opinion)


def _regression(values: Counter[float]) -> LabelValues | None:
    if len(values) < 3:
        return None
    return LabelValues("regression", f"a number with {len(values):,} values from {min(values):g} to {max(values):g}")


def _scale(name: str, firm: list[float], of: float) -> tuple[dict[str, list[str]], str] | None:
    """The rules of a scale by its values (each common), and out of how many it says that it is."""
    low, high = firm[0], max(firm[-1], of)
    whole = all(v.is_integer() for v in firm)
    if low < 0 or high > 10 or (len(firm) < 3 and high != 5 and not of) or (high < 5 and not of):
        return None
    if high == 5:
        if low == 0 and whole:
            rules = {"negative": ["1", "2"], "positive": [">=4"]}
            return rules, "stars from 1 to 5; 0 probably means not rated, so it is no label"
        if whole:
            return {"negative": ["<=2"], "positive": [">=4"]}, "stars from 1 to 5; 3 stays without a label"
        return {"negative": ["<=2.5"], "positive": [">=3.5"]}, "half stars up to 5; 3 stays without a label"
    if 5 < high <= 7 and low >= 1:
        middle = (1 + max(high, 7)) / 2
        return {"negative": [f"<={middle - 1:g}"], "positive": [f">={middle + 1:g}"]}, f"a scale from 1 to {high:g}"
    if said_in(name, NPS) or (low == 0 and whole and high > 7):
        return ({"detractor": ["<=6"], "promoter": [">=9"]},
                "a recommendation from 0 to 10 (NPS); 7 and 8 stay without a label")  # fmt: skip
    if high > 7:
        return {"negative": ["<=4"], "positive": [">=7"]}, "a scale from 1 to 10; 5 and 6 stay without a label"
    return None


# ---- words ----


def _rules(values: Sequence[str]) -> list[str]:
    """Values as rules. What begins like a comparison would be read as one: its class matches it by name."""
    return [value for value in values if value[0] not in "<>=!"]


def _of_words(column: ColumnSummary, kept: Counter[str]) -> LabelValues | None:
    found = _without_states(kept)
    if sum(judges(v) or bool(side(v)) for v in found) < 2:
        found = Counter({v: n for v, n in kept.items() if v not in NOT_YET})
    if len(found) > _WORDS or column.words > 4 or len(found) * 5 > max(found.total(), 20) or len(found) < 2:
        return None
    groups: dict[str, list[str]] = {}
    for value in sorted(found, key=lambda v: (SHORT.get(v, "") in found, -found[v])):
        groups.setdefault(SHORT[value] if SHORT.get(value) in found else value, []).append(value)
    total = found.total()
    least = max(_RARE * total, 2 if total > 200 else 1)
    common = {name: own for name, own in groups.items() if sum(found[x] for x in own) >= least}
    opinion = sum(map(judges, common)) >= 2
    if len(common) < 2:
        return None
    if len(common) >= 4 and common.keys() <= {*_STARS}:
        rules = {"negative": [*_STARS[:2]], "positive": [*_STARS[3:]]}
        return LabelValues("classification", "stars from one to five; three stays without a label", rules, opinion=True)
    order = sorted(common, key=lambda n: (side(n), -sum(found[x] for x in common[n])))
    classes = {name: _rules(common[name]) for name in order} if len(order) <= _MANY else {}
    shown = ", ".join(repr(name) for name in order[:3])
    return LabelValues("classification", f"{len(order)} classes in words: {shown}{', …' * (len(order) > 3)}", classes,
                       opinion=opinion)  # fmt: skip
