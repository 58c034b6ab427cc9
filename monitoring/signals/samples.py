"""What the drift signals compare: the same values of reference and current, whichever way they are then judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals import catalogue
from trueup.monitoring.signals.sides import Sides, before, sides_of, with_reference
from trueup.monitoring.stats.columns import (
    LevelCodes,
    as_level_codes,
    as_numbers,
    is_discrete,
    missing,
    number_codes,
    numbers,
    present,
    texts,
)
from trueup.monitoring.stats.words import known_words, unseen_shares, word_counts
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings


class ValueKind(Enum):
    """How values are compared."""

    NUMBERS = auto()  # float64
    LEVELS = auto()  # places in the names of the pair
    TEXTS = auto()  # str
    SHARES = auto()  # float64 in [0, 1], whose mean counts
    MISSING = auto()  # bool


@dataclass(frozen=True)
class SamplePair:
    """One signal's values of reference and current, missing ones left out.

    what: the subject of its sentences, such as "column 'price'".
    reference, current: the values (n,), of the type that `kind` says.
    names: of the levels that stand on either side, sorted.
    times: event time of each value in `reference`, ascending; series streams cut their past windows by it.
    ids: the record behind each value in `current`.
    counted: whether the levels are numbers, too few different ones to be compared as such.
    waits: why it is not judged yet, where its reference moved. former: the same beside what was before that change.
    """

    code: str
    name: str
    what: str
    kind: ValueKind
    reference: np.ndarray
    current: np.ndarray
    times: np.ndarray
    ids: pd.api.extensions.ExtensionArray
    names: tuple[str, ...] = ()
    counted: bool = False
    waits: str = ""
    former: SamplePair | None = None

    @cached_property
    def ordered(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of reference and current, ascending: what a test, its sentence and its picture all begin with."""
        return np.sort(self.reference), np.sort(self.current)

    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """How often each level stands on either side (k,)."""
        most = len(self.names)
        return np.bincount(self.reference, minlength=most), np.bincount(self.current, minlength=most)

    def numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Both sides as float64 (n,); levels that are numbers as these."""
        if self.kind is not ValueKind.LEVELS:
            return self.reference, self.current
        values = np.array(self.names, dtype=float)
        return values[self.reference], values[self.current]


Values = TypeVar("Values", np.ndarray, pd.api.extensions.ExtensionArray)
SampleReader = Callable[[StreamSettings, Sides], Iterator[SamplePair]]


def sample_pairs(stream: StreamSettings, comparison: Comparison) -> Iterator[SamplePair]:
    """Everything of the stream that can drift; what was accepted or answered is compared with the rows of that."""
    sides = sides_of(stream, comparison)
    for kind in catalogue.CATALOGUE:
        if not kind.samples:
            continue
        read: SampleReader = catalogue.function_at(kind.samples)
        for pair in read(stream, sides):
            change = comparison.answered.get(pair.code)
            rows = change.rows if change else comparison.accepted.get(pair.code)
            if rows is None:
                yield pair
                continue
            rebased = with_reference(sides, stream, rows, comparison)
            for other in (other for other in read(stream, rebased) if other.code == pair.code):
                if change is None:
                    yield other
                else:
                    former = next(p for p in read(stream, before(sides, change.since)) if p.code == pair.code)
                    yield replace(other, waits=change.waits, former=former)


def sample_pair(
    code: str,
    name: str,
    what: str,
    kind: ValueKind,
    rows: tuple[Rows, Rows],
    reference: np.ndarray,
    current: np.ndarray,
) -> SamplePair:
    """The pair of values (n,) that were read from (reference, current) rows; missing ones are left out."""
    there, here = present(reference), present(current)
    times, ids = rows[0].meta["time"].to_numpy(), rows[1].meta["id"].array
    return SamplePair(
        code, name, what, kind, _where(reference, there), _where(current, here), _where(times, there), _where(ids, here)
    )


def level_pair(
    code: str, name: str, what: str, rows: tuple[Rows, Rows], sides: tuple[LevelCodes, LevelCodes]
) -> SamplePair:
    """The pair of levels (n,) of (reference, current) rows, under names in common; missing ones are left out."""
    names = sorted({*sides[0].names, *sides[1].names})
    smallest = np.min_scalar_type(len(names))  # a byte for a record where an object's address takes eight
    place = {name: number for number, name in enumerate(names)}
    codes = [np.array([place[name] for name in side.names] + [0], dtype=smallest)[side.codes] for side in sides]
    kept = [side.codes >= 0 for side in sides]
    times, ids = rows[0].meta["time"].to_numpy(), rows[1].meta["id"].array
    return SamplePair(
        code, name, what, ValueKind.LEVELS, _where(codes[0], kept[0]), _where(codes[1], kept[1]),
        _where(times, kept[0]), _where(ids, kept[1]), names=tuple(map(str, names)),
    )  # fmt: skip


def number_pair(
    code: str, name: str, what: str, rows: tuple[Rows, Rows], reference: np.ndarray, current: np.ndarray
) -> SamplePair:
    """The pair of numbers (n,) of (reference, current) rows; those with few values or a dominant one as levels."""
    if not is_discrete(reference, current):
        return sample_pair(code, name, what, ValueKind.NUMBERS, rows, reference, current)
    codes = number_codes(reference), number_codes(current)
    return replace(level_pair(code, name, what, rows, codes), counted=True)


def feature_values(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """Each feature but texts; numbers with few values or one dominant value are compared as counts."""
    for column in stream.numeric:
        reference, current = (numbers(rows, column) for rows in sides.inputs)
        code, name = f"DRF-IN-{column}", f"distribution of {column}"
        yield number_pair(code, name, f"column '{column}'", sides.inputs, reference, current)
    for column in stream.categorical:
        code, name = f"DRF-IN-{column}", f"levels of {column}"
        yield level_pair(code, name, f"column '{column}'", sides.inputs, sides.input_codes(column))


def text_input(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """The words of all text columns together."""
    if stream.text:
        reference, current = (texts(rows, stream.text) for rows in sides.inputs)
        name, what = "words of the texts", "texts"
        yield sample_pair("DRF-TEXT", name, what, ValueKind.TEXTS, sides.inputs, reference, current)


def text_lengths(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """How many words the texts hold."""
    if stream.text:
        reference, current = (word_counts(texts(rows, stream.text)) for rows in sides.inputs)
        name, what = "words in a text", "text length in words"
        yield number_pair("DRF-TEXT-length", name, what, sides.inputs, reference, current)


def unseen_words(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """The share of a text's words that stood in none of the champion's training texts.

    Both sides are texts that the champion was not trained on; those it was trained on hold no unseen word.
    """
    if stream.text and not stream.series:
        learnt = known_words(texts(sides.learnt, stream.text))
        reference, current = (unseen_shares(texts(rows, stream.text), learnt) for rows in sides.model)
        name = "share of words that the champion never saw"
        kind = ValueKind.SHARES
        yield sample_pair("DRF-TEXT-unseen", name, f"mean {name}", kind, sides.model, reference, current)


def scores(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """What the model answers: the mean probability, or the distribution of predicted numbers."""
    column, kind, name, what = "score", ValueKind.SHARES, "mean predicted probability", "mean predicted probability"
    if stream.is_regression:
        column, kind, name, what = "predicted", ValueKind.NUMBERS, "distribution of predictions", "predictions"
    reference, current = (as_numbers(rows.meta[column]) for rows in sides.model)
    yield sample_pair(catalogue.SCORE, name, what, kind, sides.model, reference, current)


def predicted_classes(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """The shares of the predicted classes."""
    if not stream.is_regression:
        codes = as_level_codes(sides.model[0].meta["predicted"]), as_level_codes(sides.model[1].meta["predicted"])
        yield level_pair("DRF-CLASS", "shares of the predicted classes", "predicted classes", sides.model, codes)


def labels(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """The distribution of known labels."""
    code, name, what = "DRF-LABEL", "distribution of the labels", "labels"
    values = sides.labels[0].meta["label"], sides.labels[1].meta["label"]
    if stream.is_regression:
        yield sample_pair(code, name, what, ValueKind.NUMBERS, sides.labels, *map(as_numbers, values))
    else:
        yield level_pair(code, name, what, sides.labels, (as_level_codes(values[0]), as_level_codes(values[1])))


def missing_values(stream: StreamSettings, sides: Sides) -> Iterator[SamplePair]:
    """The share of missing values of every feature."""
    for column in stream.features:
        if column in stream.categorical:
            reference, current = (codes.blank for codes in sides.input_codes(column))
        else:
            reference, current = (missing(rows, column) for rows in sides.inputs)
        code, name = f"DQ-MISSING-{column}", f"share of missing values in {column}"
        yield sample_pair(code, name, f"column '{column}'", ValueKind.MISSING, sides.inputs, reference, current)


def _where(values: Values, kept: np.ndarray) -> Values:
    return values if kept.all() else values[kept]  # no copy of a million values for each signal
