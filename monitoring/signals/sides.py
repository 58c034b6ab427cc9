"""Which rows are compared with which: like beside like, for inputs, the model's answers and labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.pending import MIN_VALUES
from trueup.monitoring.stats.columns import LevelCodes, level_codes, one_row_per_group
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import utc

MOST_LEARNT = 50_000  # training texts whose words count as seen, the newest


@dataclass(frozen=True)
class Sides:
    """(reference, current) for each sort of signal: inputs, the model's answers, labels; and the rows learnt from."""

    inputs: tuple[Rows, Rows]
    model: tuple[Rows, Rows]
    labels: tuple[Rows, Rows]
    learnt: Rows
    _codes: dict[str, tuple[LevelCodes, LevelCodes]] = field(default_factory=dict, init=False, repr=False)

    def input_codes(self, column: str) -> tuple[LevelCodes, LevelCodes]:
        """The levels of a column in the inputs of both sides, told apart once for all signals that look at them."""
        if column not in self._codes:
            self._codes[column] = level_codes(self.inputs[0], column), level_codes(self.inputs[1], column)
        return self._codes[column]


def sides_of(stream: StreamSettings, comparison: Comparison) -> Sides:
    """Like beside like, one row of a group; series against all of their past."""
    if stream.series:
        own = len(comparison.quality_current) if comparison.quality_own is None else comparison.quality_own
        return Sides(
            inputs=(comparison.past, comparison.current),
            model=(comparison.model_reference, comparison.model_current),
            labels=(comparison.past, comparison.quality_current.newest(own)),  # as long as the past windows
            learnt=comparison.past,
        )
    learnt = comparison.learnt
    sides = Sides(
        inputs=_inputs(stream, comparison.reference, comparison),
        model=(comparison.model_reference, comparison.model_current),
        labels=_labelled(stream, comparison),
        learnt=comparison.past.take(newest_learnt(comparison.past)) if learnt is None else learnt,
    )
    if not stream.group:
        return sides
    # rows of one author depend on each other, and would alone raise word alarms in 99.8 % of healthy checks
    model, labels = (_thinned(pair, comparison.seed) for pair in (sides.model, sides.labels))
    return replace(sides, model=model, labels=labels)


def newest_learnt(past: Rows) -> np.ndarray:
    """Where among a snapshot's rows the newest stand that the champion was trained on."""
    return np.flatnonzero(~past.meta["evaluation"].to_numpy(dtype=bool))[-MOST_LEARNT:]


def with_reference(sides: Sides, stream: StreamSettings, rows: Rows, comparison: Comparison) -> Sides:
    """The sides with other rows as the reference of each."""
    inputs = _inputs(stream, rows, comparison)
    reference = inputs[0] if stream.group else rows
    return replace(sides, inputs=inputs, model=(reference, sides.model[1]), labels=(reference, sides.labels[1]))


def before(sides: Sides, since: datetime) -> Sides:
    """The sides with what is older than a time as the reference of each."""
    limit = np.datetime64(utc(since).replace(tzinfo=None), "us")

    def older(pair: tuple[Rows, Rows]) -> tuple[Rows, Rows]:
        return pair[0].take(pair[0].meta["time"].to_numpy() < limit), pair[1]

    return replace(sides, inputs=older(sides.inputs), model=older(sides.model), labels=older(sides.labels))


def _inputs(stream: StreamSettings, reference: Rows, comparison: Comparison) -> tuple[Rows, Rows]:
    pair = (reference, comparison.current)
    return _thinned(pair, comparison.seed) if stream.group else pair


def _labelled(stream: StreamSettings, comparison: Comparison) -> tuple[Rows, Rows]:
    """Labels as the metric is judged on; where those are too few, mature ones of one provenance of the model's rows."""
    reference, current = comparison.quality_reference, comparison.quality_current
    if min(int(reference.labelled.sum()), int(current.labelled.sum())) >= MIN_VALUES:
        return reference, current
    reference, current = comparison.model_reference, comparison.model_current
    mature = current.meta["time"].to_numpy() <= comparison.mature64(stream.label.maturity_span)
    current = current.take(current.labelled & mature)
    if not len(current):
        return reference, current
    provenance = current.meta["provenance"].astype(str).mode().iloc[0]
    reference, current = (
        rows.take((rows.meta["provenance"].astype(str) == provenance).to_numpy()) for rows in (reference, current)
    )
    return reference, current


def _thinned(pair: tuple[Rows, Rows], seed: int) -> tuple[Rows, Rows]:
    size = len(pair[1])
    return one_row_per_group(pair[0], size, seed), one_row_per_group(pair[1], size, seed + 1)
