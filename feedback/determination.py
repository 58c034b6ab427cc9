"""What determines an answer: how much a column, two of them or a word of a text say of it on rows that come later.

Each is fitted on the older rows and scored on the newer ones. Its gain is the share of the naive answer's errors (of
numbers: of its absolute error) that it avoids: 1 makes none, 0 is no better. The naive answer is the better of two: the
commonest answer of the older rows (of numbers their median), and the answer of the row before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from trueup.feedback.words_of_texts import parts_of_texts, words_of_texts

DETERMINED = 0.98       # gain from which nothing but the answer itself is left
OLDER = 0.7             # share of the rows that are fitted on
LEAST_ERRORS = 30       # of the naive answer among the newer rows: with fewer nothing is said
LEAST_CELL = 5          # older rows of a value or leaf; of rarer ones nothing is concluded
_MOST_ROWS = 6_000      # that are looked at, evenly spaced
_MOST_OF_RARE = 40_000  # where nearly all answers are alike
_PAIRED = 20            # columns that pairs are made of: those that say most by themselves
_NEARLY_ALL = 0.9       # of the texts: there a part of any words may be the answer
_MARKED = 0.3           # of the texts: there a part is the answer only if its values are numbers or signs, or few


@dataclass(frozen=True)
class Determination:
    """columns: one, or two that go together. part: what of a text, in words; "" for a column as a whole.

    gain: as above, at most 1. rows: the newer rows that it was measured on. naive: the naive answer's errors on them
    (of numbers its absolute errors) added up.
    """

    columns: tuple[str, ...]
    part: str
    gain: float
    rows: int
    naive: float

    @property
    def said(self) -> str:
        """What it is, in words."""
        whole = " and ".join(f"'{column}'" for column in self.columns)
        return f"{self.part} in {whole}" if self.part else whole


def determinations(
    answer: np.ndarray,
    columns: Mapping[str, np.ndarray],
    texts: Mapping[str, np.ndarray],
    *,
    regression: bool,
) -> tuple[Determination, ...]:
    """What each column says of the answer, each text by its best part, and pairs of columns that do not determine it.

    The greatest gain comes first; empty where the rows are too few, or their answer varies too little, to say anything.

    Args:
        answer: labels of n rows in time order, float64 (regression) or str, none missing.
        columns: of the same rows: float64 with NaN for numbers, else str or None.
        texts: of the same rows, str or None.
    """
    chosen = _looked_at(answer, regression=regression)
    target = _Target.of(answer, chosen, regression=regression)
    if target.told(np.ones(len(chosen), dtype=bool)) is None:
        return ()
    columns = {name: values[chosen] for name, values in columns.items()}
    singles = [_single(name, values, target) for name, values in columns.items()]
    found = [*singles, *(_of_text(name, values[chosen], target) for name, values in texts.items())]
    rest = sorted((one for one in singles if one.gain < DETERMINED), key=lambda one: -one.gain)[:_PAIRED]
    paired = [name for name in columns if any(one.columns == (name,) for one in rest)]
    found += [_pair(a, b, columns, target) for a, b in combinations(paired, 2)]
    return tuple(sorted(found, key=lambda one: -one.gain))


def _looked_at(answer: np.ndarray, *, regression: bool) -> np.ndarray:
    """Evenly spaced places of an answer: so many that the newer ones hold naive errors enough, within bounds."""
    if not len(answer):
        return np.empty(0, dtype=int)
    errors = 1.0 if regression else 1 - np.unique(answer.astype(str), return_counts=True)[1].max() / len(answer)
    wanted = 2 * LEAST_ERRORS / max((1 - OLDER) * errors, 1e-9)
    return np.unique(np.linspace(0, len(answer) - 1, int(np.clip(wanted, _MOST_ROWS, _MOST_OF_RARE))).astype(int))


@dataclass(frozen=True)
class _Target:
    """The answer of n rows: `values` are numbers, or codes of classes; `before` the answer of each row before."""

    values: np.ndarray
    before: np.ndarray
    regression: bool

    @staticmethod
    def of(answer: np.ndarray, chosen: np.ndarray, *, regression: bool) -> _Target:
        values = answer.astype(float) if regression else np.unique(answer.astype(str), return_inverse=True)[1]
        before = np.concatenate([values[:1], values[:-1]])
        return _Target(values[chosen], before[chosen], regression)

    @property
    def older(self) -> np.ndarray:
        return np.arange(len(self.values)) < OLDER * len(self.values)

    def loss(self, answered: np.ndarray, where: np.ndarray) -> float:
        """Errors, or absolute errors, of answers to the rows of a mask, added up."""
        wrong = np.abs(answered - self.values[where]) if self.regression else answered != self.values[where]
        return float(wrong.sum())

    def typical(self, where: np.ndarray) -> float:
        """The commonest answer of the rows of a mask, or their median."""
        values = self.values[where]
        return float(np.median(values)) if self.regression else float(np.bincount(values).argmax())

    def told(self, where: np.ndarray) -> tuple[np.ndarray, np.ndarray, float] | None:
        """The older and the newer of the rows of a mask, and the naive answer's loss; None: too little to say."""
        older, newer = where & self.older, where & ~self.older
        if older.sum() < 2 * LEAST_CELL or newer.sum() < LEAST_ERRORS:
            return None
        naive = min(
            self.loss(np.full(newer.sum(), self.typical(older)), newer), self.loss(self.before[newer], newer)
        )
        enough = naive > 0 if self.regression else naive >= LEAST_ERRORS
        return (older, newer, naive) if enough else None

    def by_cell(self, cells: np.ndarray, where: np.ndarray) -> np.ndarray:
        """The typical answer of each row's cell among the older rows; of an unknown or rare cell that of all."""
        older = where & self.older
        known = pd.Series(self.values[older]).groupby(cells[older])
        table = known.median() if self.regression else known.agg(lambda own: np.bincount(own).argmax())
        table = table[known.size() >= LEAST_CELL]
        return np.asarray(pd.Series(cells[where]).map(table).astype(float).fillna(self.typical(older)))


def _scored(
    columns: tuple[str, ...], part: str, target: _Target, where: np.ndarray, ways: Iterator[np.ndarray]
) -> Determination:
    """The best of several ways to answer the rows of a mask; without gain where too little can be said of them."""
    told = target.told(where)
    if told is None:
        return Determination(columns, part, 0.0, 0, 0.0)
    _, newer, naive = told
    best = min((target.loss(answered[newer[where]], newer) for answered in ways), default=naive)
    return Determination(columns, part, 1 - best / naive, int(newer.sum()), naive)


def _single(name: str, values: np.ndarray, target: _Target) -> Determination:
    where = np.ones(len(values), dtype=bool)
    return _scored((name,), "", target, where, _answers([values], target, where))


def _pair(a: str, b: str, columns: Mapping[str, np.ndarray], target: _Target) -> Determination:
    where = np.ones(len(target.values), dtype=bool)
    return _scored((a, b), "", target, where, _answers([columns[a], columns[b]], target, where))


def _of_text(name: str, texts: np.ndarray, target: _Target) -> Determination:
    """Of all parts of a text the one that says most of the answer."""
    whole = np.array([*(None if t is None else t.strip().casefold() for t in texts), None], dtype=object)[:-1]
    found = list(_by_word(name, texts, target))
    for part, cells in [("", whole), *parts_of_texts(texts, _MARKED)]:
        where = np.array([cell is not None for cell in cells], dtype=bool)
        wanted = _MARKED if _is_mark(cells[where], target) else _NEARLY_ALL
        if where.mean() >= wanted and target.told(where):
            found.append(_scored((name,), part, target, where, iter([target.by_cell(cells, where)])))
    return max(found, key=lambda one: (one.gain, one.rows), default=Determination((name,), "", 0.0, 0, 0.0))


def _is_mark(cells: np.ndarray, target: _Target) -> bool:
    """Whether values are no language: nearly all hold a digit or are signs, or there are no more than answers.

    What follows "not" tells the answer wherever it stands, and is how people write.
    """
    words, counts = np.unique(cells.astype(str), return_counts=True)
    signs = np.array([not word.isalpha() for word in words], dtype=bool)
    few = not target.regression and len(words) <= len(np.unique(target.values))
    return few or bool(counts[signs].sum() >= _NEARLY_ALL * counts.sum())


def _by_word(name: str, texts: np.ndarray, target: _Target) -> Iterator[Determination]:
    """The word whose presence says most of the answer, by counts alone."""
    told = target.told(np.ones(len(texts), dtype=bool))
    words, place, row = words_of_texts(texts)
    if target.regression or told is None or not words:
        return
    older, newer, naive = told
    classes = int(target.values.max()) + 1
    counts = np.zeros((2, len(words), classes))
    np.add.at(counts, (older[row].astype(int), place, target.values[row]), 1)
    coming, known = counts
    without = np.bincount(target.values[older], minlength=classes) - known
    rest = np.bincount(target.values[newer], minlength=classes) - coming
    each = np.arange(len(words))
    right = coming[each, known.argmax(axis=1)] + rest[each, without.argmax(axis=1)]
    right[known.sum(axis=1) < LEAST_CELL] = 0
    k = int(right.argmax())
    yield Determination((name,), f"'{words[k]}'", float(1 - (newer.sum() - right[k]) / naive), int(newer.sum()), naive)


def _answers(columns: Sequence[np.ndarray], target: _Target, where: np.ndarray) -> Iterator[np.ndarray]:
    """Answers of several simple models of one or two columns to all rows, each fitted on the older ones."""
    if all(values.dtype == object for values in columns):
        joint = np.array(["\x1f".join("" if v is None else str(v) for v in row) for row in zip(*columns, strict=True)])
        yield target.by_cell(joint, where)
        return
    numbers = [_as_numbers(values, target) for values in columns]
    yield _by_tree(numbers, target)
    if target.regression:
        yield _by_line(numbers, target)


def _as_numbers(values: np.ndarray, target: _Target) -> np.ndarray:
    """Numbers as they are; categories as codes, the commonest first, NaN for what the older rows hardly hold."""
    if values.dtype != object:
        return np.where(np.isfinite(values.astype(float)), values.astype(float), np.nan)
    counts = pd.Series(values[target.older]).value_counts()
    codes = {value: float(k) for k, value in enumerate(counts[counts >= LEAST_CELL].index)}
    return np.array([codes.get(v, np.nan) if v is not None else -1.0 for v in values])


def _by_tree(numbers: Sequence[np.ndarray], target: _Target) -> np.ndarray:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    matrix = np.column_stack([*numbers, *([numbers[0] - numbers[1]] if len(numbers) == 2 else [])]).astype(np.float32)
    matrix[~np.isfinite(matrix)] = np.nan
    kind = DecisionTreeRegressor if target.regression else DecisionTreeClassifier
    tree = kind(max_depth=10 if target.regression else 5, min_samples_leaf=LEAST_CELL, random_state=0)
    older = target.older
    return np.asarray(tree.fit(matrix[older], target.values[older]).predict(matrix))


def _by_line(numbers: Sequence[np.ndarray], target: _Target) -> np.ndarray:
    """Least squares on the columns, and of two on their product and ratio as well."""
    parts = list(numbers)
    if len(parts) == 2:
        with np.errstate(all="ignore"):
            parts += [numbers[0] * numbers[1], numbers[0] / numbers[1]]
    usable = [part for part in parts if np.isfinite(part).mean() > OLDER]
    matrix = np.column_stack([*usable, np.ones(len(target.values))])
    whole = np.isfinite(matrix).all(axis=1)
    fitted = whole & target.older
    answered = np.full(len(matrix), target.typical(target.older))
    if not usable or fitted.sum() < 2 * LEAST_CELL:
        return answered
    scale = np.abs(matrix[fitted]).max(axis=0)
    scale[scale == 0] = 1
    weights, *_ = np.linalg.lstsq(matrix[fitted] / scale, target.values[fitted], rcond=None)
    answered[whole] = matrix[whole] / scale @ weights
    return answered
