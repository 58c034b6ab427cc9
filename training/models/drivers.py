"""What drove one answer: each word and each column is left out in turn, and the model answers again.

This is erasure (Li, Monroe and Jurafsky 2016, "Understanding neural networks through representation erasure"), asked of
the champion as it answers, calibration included, so that it means the same for every family and a team's own. It is
measured in log-odds of the answer (weight of evidence, Good 1950): of a linear model over counts that is exactly the
word's coefficient times its count. Two words that say the same hide each other: without one, the other still says it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.stream import StreamSettings
from trueup.training.models.fitting import answer, chances_by_class
from trueup_model.cleaning import WORD

MOST_PARTS = 120  # of the words of a record; of a longer one runs of words are left out together
_AT_ONCE = 24  # records that the model answers in one call, between two looks at the time
_SUREST = 1e-6  # chances are cut here, so that log-odds stay finite


@dataclass(frozen=True)
class Driver:
    """A part of a record, and what it did to the answer.

    part: the word or run of words; empty: the whole column, which was left empty.
    by: how far the part raises the log-odds of the answered class, or the answered number.
    without: the probability of the answered class, or the number, that the model gives without the part.
    """

    column: str
    part: str
    by: float
    without: float


@dataclass(frozen=True, kw_only=True)
class AnswerDrivers:
    """An answer and its drivers, the strongest first.

    predicted: a class or a number. chances: of each class, the likeliest first; empty for numbers.
    untried: parts that the time did not suffice for.
    """

    predicted: str | float
    chances: tuple[tuple[str, float], ...]
    drivers: tuple[Driver, ...]
    untried: int

    @property
    def chance(self) -> float | None:
        """Of the answered class; None for a number."""
        return dict(self.chances).get(str(self.predicted))


def drivers_of(
    stream: StreamSettings, model: Any, record: pd.DataFrame, goes_on: Callable[[], bool] = lambda: True
) -> AnswerDrivers:
    """The model's answer for one record, and what drove it.

    Args:
        record: one row with the stream's features, cleaned as records are that are taken in.
        goes_on: whether there is time left; asked before each call of the model but the first.

    Raises:
        ModelUnusable: the model fails on the record.
    """
    record = record[list(stream.features)]
    predicted = answer(model, stream, record)[0][0]
    known, chances = chances_by_class(model, stream, record)
    parts = list(_parts(stream, record))
    tried: list[float] = []
    while len(tried) < len(parts) and goes_on():
        some = parts[len(tried) : len(tried) + _AT_ONCE]
        rows = pd.concat([record] * len(some), ignore_index=True)
        for column in {part.column for part in some}:
            values = [part.left if part.column == column else record[column].iloc[0] for part in some]
            rows[column] = pd.Series(values, index=rows.index, dtype=record[column].dtype)
        tried += _figures(stream, model, rows, predicted)
    whole = _figures(stream, model, record, predicted)[0]
    drivers = [
        Driver(part.column, part.taken, _scaled(stream, whole) - _scaled(stream, without), without)
        for part, without in zip(parts, tried, strict=False)
    ]
    order = np.argsort(-chances[0], kind="stable") if len(known) else ()
    return AnswerDrivers(
        predicted=float(predicted) if stream.is_regression else str(predicted),
        chances=tuple((str(known[k]), float(chances[0, k])) for k in order),
        drivers=tuple(sorted(drivers, key=lambda driver: -abs(driver.by))),
        untried=len(parts) - len(tried),
    )


@dataclass(frozen=True)
class _Part:
    """What is taken out of a column, and what it leaves there."""

    column: str
    taken: str
    left: object


def _parts(stream: StreamSettings, record: pd.DataFrame) -> Iterator[_Part]:
    """The columns that hold something, then the words of the texts."""
    for column in stream.numeric + stream.categorical:
        if not pd.isna(record[column].iloc[0]):
            yield _Part(column, "", None)
    texts = [column for column in stream.text if not pd.isna(record[column].iloc[0])]
    for column in texts:
        for taken, left in word_parts(str(record[column].iloc[0]), max(1, MOST_PARTS // len(texts))):
            yield _Part(column, taken, left)


def word_parts(text: str, most: int) -> list[tuple[str, str]]:
    """The words of a text, each with the text without it: every place of a word at once, whatever its case.

    Of a text with more than `most` words, that many runs of words that follow each other.
    """
    found = list(re.finditer(WORD, text))
    places: dict[str, list[re.Match[str]]] = {}
    for word in found:
        places.setdefault(word[0].lower(), []).append(word)
    if len(places) <= most:
        return [(each[0][0], _without(text, each)) for each in places.values()]
    edges = np.linspace(0, len(found), most + 1).astype(int)
    runs = [(found[start].start(), found[stop - 1].end()) for start, stop in pairwise(edges)]
    return [(text[start:end], f"{text[:start]} {text[end:]}") for start, end in runs]


def _without(text: str, words: list[re.Match[str]]) -> str:
    kept, at = [], 0
    for word in words:
        kept.append(text[at : word.start()])
        at = word.end()
    return " ".join([*kept, text[at:]])


def _figures(stream: StreamSettings, model: Any, rows: pd.DataFrame, predicted: object) -> list[float]:
    """Of each row the probability of the answered class, or the number."""
    if stream.is_regression:
        return [float(number) for number in answer(model, stream, rows)[0]]
    known, chances = chances_by_class(model, stream, rows)
    return [float(chance) for chance in chances[:, list(known).index(str(predicted))]]


def _scaled(stream: StreamSettings, value: float) -> float:
    """A number as it is, a probability as log-odds."""
    if stream.is_regression:
        return value
    cut = min(max(value, _SUREST), 1 - _SUREST)
    return float(np.log(cut / (1 - cut)))
