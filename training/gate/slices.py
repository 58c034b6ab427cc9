"""GATE-SLICE-<slice>: within no value of a declared slice is the challenger worse by more than the margin.

A value is refused where its loss is larger than the margin and no accident of its rows: the chance of any loss at all,
by the bootstrap of GATE-BETTER, must reach 1 - .05 / k, with k the number of values judged in all slices (Bonferroni).
Simulated with accuracy (300 gates a cell, 10 values, a tenth of the rows answered differently, margin .05), refused:

| rows a value | equal models | 2 points better | one value 10 points worse | one 20 points worse |
|---|---|---|---|---|
| 30 | .007 | .000 | .027 | .37 |
| 100 | .023 | .010 | .90 | 1 |
| 300 | .027 | .000 | 1 | 1 |

By the estimate alone equal models would be refused in .88, .51 and .04 of gates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trueup.storage.formatting import confidence, metric_name, percent
from trueup.storage.policy import ERROR_METRICS
from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.gain import chance_better, metric_pair
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.context import GateContext
from trueup.training.gate.result import GateTest, inapplicable

_LEAST_ROWS = 30   # rows of a value, below which it is not judged
MOST_VALUES = 20     # values of a slice, the commonest first
REFUSAL_LEVEL = 0.05  # chance of a refusal where no value is worse at all, over all values
_NAMED = 3
_FEW = 20     # distinct numbers; more are cut in thirds


@dataclass(frozen=True)
class _Value:
    """One value of a slice: the challenger's loss on it, in points of the metric or as a share of the error."""

    name: str
    loss: float
    rows: Paired


def slice_guardrail(context: GateContext) -> tuple[GateTest, ...]:
    """GATE-SLICE of the judged rows, by the stream's margin."""
    return slice_tests(context.stream, context.judged, context.stream.gate.slice_margin, context.seed)


def slice_tests(stream: StreamSettings, paired: Paired, margin: float, seed: int) -> tuple[GateTest, ...]:
    """A test for each declared slice; none where the stream declares none.

    Args:
        margin: points of the metric; a share for mae and rmse.
    """
    judged = {column: list(_values(stream, paired, column)) for column in stream.slices}
    count = sum(len(values) for values in judged.values())
    return tuple(_test(stream, column, values, margin, count, seed) for column, values in judged.items())


def slice_codes(stream: StreamSettings) -> tuple[str, ...]:
    """The codes of the tests of a stream's declared slices."""
    return tuple(_code(column) for column in stream.slices)


def _code(column: str) -> str:
    return f"GATE-SLICE-{column}"


def _test(stream: StreamSettings, column: str, values: list[_Value], margin: float, count: int, seed: int) -> GateTest:
    code = _code(column)
    if not values:
        why = f"no value of '{column}' has {_LEAST_ROWS} judged rows on which {metric_name(stream.metric)} is defined"
        return inapplicable(code, why)
    bound = 1 - REFUSAL_LEVEL / count
    chances = {v.name: 1 - chance_better(stream.metric, v.rows, seed) for v in values if v.loss > margin}
    refused = [v for v in values if chances.get(v.name, 0.0) >= bound]
    worst = max(refused or values, key=lambda v: v.loss)
    said = (
        f"worst of {len(values)} values of '{column}': '{worst.name[:60]}', {metric_name(stream.metric)} "
        f"{_change(stream, worst)} on {len(worst.rows)} rows, allowed {_figure(stream, margin)}"
    )
    if worst.name in chances:
        said += f"; {confidence(chances[worst.name])} sure that it is worse, refused from {confidence(bound)}"
    also = [f"'{v.name[:60]}'" for v in refused if v is not worst][:_NAMED]
    said += f"; also refused: {', '.join(also)}" if also else ""
    return GateTest(code=code, passed=not refused, value=worst.loss, bound=margin, said=said)


def _change(stream: StreamSettings, value: _Value) -> str:
    by = _figure(stream, abs(value.loss))
    return f"{by} {'worse' if value.loss > 0 else 'better'} than the opponent" if value.loss else "as the opponent"


def _figure(stream: StreamSettings, loss: float) -> str:
    return percent(loss) if stream.metric in ERROR_METRICS else f"{loss:.3g}"


def _values(stream: StreamSettings, paired: Paired, column: str) -> Iterator[_Value]:
    named = _levels(stream, column, paired.slices[column])
    counts = pd.Series(named).value_counts()
    for name in counts.index[counts >= _LEAST_ROWS][:MOST_VALUES]:
        rows = paired.take(named == name)
        loss = _loss(stream.metric, rows)
        if np.isfinite(loss):
            yield _Value(str(name), loss, rows)


def _levels(stream: StreamSettings, column: str, raw: np.ndarray) -> np.ndarray:
    """The value that each row falls in (str): levels as they are, many numbers and the lengths of texts in thirds."""
    if column in stream.text:
        return _thirds(np.array([len(str(text).split()) for text in raw], dtype=float), " words")
    if column in stream.numeric:
        numbers = raw.astype(float)
        if len(np.unique(numbers[~np.isnan(numbers)])) > _FEW:
            return _thirds(numbers)
    return np.array(["missing" if value is None or value != value else str(value) for value in raw], dtype=object)


def _thirds(numbers: np.ndarray, unit: str = "") -> np.ndarray:
    known = numbers[~np.isnan(numbers)]
    low, high = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else (0.0, 0.0)
    names = np.array(
        [f"up to {low:.4g}{unit}", f"{low:.4g} to {high:.4g}{unit}", f"above {high:.4g}{unit}", "missing"], dtype=object
    )
    third = (numbers > low).astype(int) + (numbers > high)
    return np.asarray(names[np.where(np.isnan(numbers), 3, third)])


def _loss(metric: str, rows: Paired) -> float:
    old, new = metric_pair(metric, rows)
    if metric in ERROR_METRICS:
        return float(new / old - 1) if old > 0 else float(new > 0)
    return float(old - new)
