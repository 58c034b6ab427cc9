"""What the drift signals look at: the same values of reference and current, whichever way they are then judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.pending import FEWEST
from trueup.monitoring.stats.columns import (
    as_levels,
    as_numbers,
    levels,
    lumpy,
    missing,
    named,
    numbers,
    one_of_a_group,
    present,
    texts,
)
from trueup.monitoring.stats.words import known_words, unseen_shares, word_counts
from trueup.storage.rows import Rows
from trueup.storage.stream import Stream

MOST_LEARNT = 50_000  # training texts whose words count as seen, the newest


class Kind(Enum):
    """How values are compared."""

    NUMBERS = auto()  # float64
    LEVELS = auto()  # str
    TEXTS = auto()  # str
    SHARES = auto()  # float64 in [0, 1], whose mean counts
    MISSING = auto()  # bool


@dataclass(frozen=True)
class Observed:
    """One signal's values on both hands, missing ones left out.

    what: the subject of its sentences, such as "column 'price'".
    before, now: the values (n,), of the type that `kind` says.
    times: event time of each value in `before`, ascending; series streams cut their past windows by it.
    ids: the record behind each value in `now`.
    """

    code: str
    name: str
    what: str
    kind: Kind
    before: np.ndarray
    now: np.ndarray
    times: np.ndarray
    ids: np.ndarray


@dataclass(frozen=True)
class Hands:
    """Rows before and now for each sort of signal: inputs, the model's answers, labels; and those learnt from."""

    inputs: tuple[Rows, Rows]
    model: tuple[Rows, Rows]
    labels: tuple[Rows, Rows]
    learnt: Rows


def observations(stream: Stream, comparison: Comparison) -> Iterator[Observed]:
    """Everything of the stream that can drift; an input whose window was accepted is held against that window."""
    hands = hands_of(stream, comparison)
    for observe in OBSERVERS:
        for observed in observe(stream, hands):
            accepted = comparison.accepted.get(observed.code)
            if accepted is None:
                yield observed
            else:
                rebased = replace(hands, inputs=_inputs(stream, accepted, comparison))
                yield from (other for other in observe(stream, rebased) if other.code == observed.code)


def missing_values(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """The share of missing values of every feature."""
    for column in stream.features:
        before, now = (missing(rows, column) for rows in hands.inputs)
        code, name = f"DQ-MISSING-{column}", f"share of missing values in {column}"
        yield _observed(code, name, f"column '{column}'", Kind.MISSING, hands.inputs, before, now)


def numeric_inputs(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """Numeric features; those with few values or one dominant value are compared as counts."""
    for column in stream.numeric:
        kind = Kind.NUMBERS
        before, now = (numbers(rows, column) for rows in hands.inputs)
        if lumpy(before, now):
            kind, before, now = Kind.LEVELS, named(before), named(now)
        code, name = f"DRF-IN-{column}", f"distribution of {column}"
        yield _observed(code, name, f"column '{column}'", kind, hands.inputs, before, now)


def categorical_inputs(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """Categorical features."""
    for column in stream.categorical:
        before, now = (levels(rows, column) for rows in hands.inputs)
        code, name = f"DRF-IN-{column}", f"levels of {column}"
        yield _observed(code, name, f"column '{column}'", Kind.LEVELS, hands.inputs, before, now)


def text_input(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """The words of all text columns together."""
    if stream.text:
        before, now = (texts(rows, stream.text) for rows in hands.inputs)
        yield _observed("DRF-TEXT", "words of the texts", "the texts", Kind.TEXTS, hands.inputs, before, now)


def text_lengths(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """How many words the texts hold."""
    if stream.text:
        before, now = (word_counts(texts(rows, stream.text)) for rows in hands.inputs)
        kind = Kind.NUMBERS
        if lumpy(before, now):
            kind, before, now = Kind.LEVELS, named(before), named(now)
        yield _observed("DRF-TEXT-length", "words in a text", "the length in words", kind, hands.inputs, before, now)


def unseen_words(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """The share of a text's words that stood in none of the champion's training texts.

    Both hands are texts that the champion was not trained on; those it was trained on hold no unseen word.
    """
    if stream.text and not stream.series:
        learnt = known_words(texts(hands.learnt, stream.text))
        before, now = (unseen_shares(texts(rows, stream.text), learnt) for rows in hands.model)
        name = "share of words that the champion never saw"
        yield _observed("DRF-TEXT-unseen", name, f"the mean {name}", Kind.SHARES, hands.model, before, now)


def scores(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """What the model answers: the mean probability, or the distribution of predicted numbers."""
    column, kind, name = "score", Kind.SHARES, "mean predicted probability"
    if stream.is_regression:
        column, kind, name = "predicted", Kind.NUMBERS, "distribution of predictions"
    before, now = (as_numbers(rows.meta[column]) for rows in hands.model)
    yield _observed("DRF-SCORE", name, f"the {name}", kind, hands.model, before, now)


def predicted_classes(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """The shares of the predicted classes."""
    if not stream.is_regression:
        before, now = (as_levels(rows.meta["predicted"]) for rows in hands.model)
        name = "shares of the predicted classes"
        yield _observed("DRF-CLASS", name, "the predicted classes", Kind.LEVELS, hands.model, before, now)


def labels(stream: Stream, hands: Hands) -> Iterator[Observed]:
    """The distribution of known labels."""
    kind, read = (Kind.NUMBERS, as_numbers) if stream.is_regression else (Kind.LEVELS, as_levels)
    before, now = (read(rows.meta["label"]) for rows in hands.labels)
    yield _observed("DRF-LABEL", "distribution of the labels", "the labels", kind, hands.labels, before, now)


# where a signal of drift is added: a function that reads its values off the hands, and a line here
OBSERVERS: tuple[Callable[[Stream, Hands], Iterator[Observed]], ...] = (
    numeric_inputs,
    categorical_inputs,
    text_input,
    text_lengths,
    unseen_words,
    scores,
    predicted_classes,
    labels,
    missing_values,
)


def _observed(
    code: str, name: str, what: str, kind: Kind, rows: tuple[Rows, Rows], before: np.ndarray, now: np.ndarray
) -> Observed:
    there, here = present(before), present(now)
    times, ids = rows[0].meta["time"].to_numpy(), rows[1].meta["id"].to_numpy()
    return Observed(
        code, name, what, kind, _where(before, there), _where(now, here), _where(times, there), _where(ids, here)
    )


def _where(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return values if kept.all() else values[kept]  # no copy of a million values for each signal


def hands_of(stream: Stream, given: Comparison) -> Hands:
    """Like beside like, one row of a group; series against all of their past."""
    if stream.series:
        return Hands(
            inputs=(given.past, given.current),
            model=(given.model_reference, given.model_current),
            labels=(given.past, given.quality_current),
            learnt=given.past,
        )
    training = np.flatnonzero(~given.past.meta["evaluation"].to_numpy(dtype=bool))
    hands = Hands(
        inputs=_inputs(stream, given.reference, given),
        model=(given.model_reference, given.model_current),
        labels=_labelled(stream, given),
        learnt=given.past.take(training[-MOST_LEARNT:]),
    )
    if not stream.group:
        return hands
    # rows of one author depend on each other, and would alone raise word alarms in 99.8 % of healthy checks
    model, labels = (_thinned(pair, given.seed) for pair in (hands.model, hands.labels))
    return replace(hands, model=model, labels=labels)


def _inputs(stream: Stream, before: Rows, given: Comparison) -> tuple[Rows, Rows]:
    pair = (before, given.current)
    return _thinned(pair, given.seed) if stream.group else pair


def _labelled(stream: Stream, given: Comparison) -> tuple[Rows, Rows]:
    """Labels as the metric is judged on; where those are too few, mature ones of one provenance of the model's rows."""
    if min(int(given.quality_reference.labelled.sum()), int(given.quality_current.labelled.sum())) >= FEWEST:
        return given.quality_reference, given.quality_current
    now = given.model_current
    now = now.take(now.labelled & (now.meta["time"].to_numpy() <= given.mature64(stream.label.maturity_span)))
    if not len(now):
        return given.model_reference, now
    provenance = now.meta["provenance"].astype(str).mode().iloc[0]
    before, now = (rows.take((rows.meta["provenance"].astype(str) == provenance).to_numpy())
                   for rows in (given.model_reference, now))
    return before, now


def _thinned(pair: tuple[Rows, Rows], seed: int) -> tuple[Rows, Rows]:
    size = len(pair[1])
    return one_of_a_group(pair[0], size, seed), one_of_a_group(pair[1], size, seed + 1)
