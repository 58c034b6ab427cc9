"""What a report draws of the inputs, the model's answers and the labels: one part for each metric of Evidently's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.report.frames import LABEL, PREDICTED, SCORE, Kind, Sides, text_column
from trueup.storage.stream import Stream

if TYPE_CHECKING:
    from evidently import Dataset


@dataclass(frozen=True)
class Part:
    """One metric over one pair of data sets. `told`: the signal whose words its test shall carry."""

    name: str
    metric: Any
    current: Dataset
    reference: Dataset | None
    told: Signal | None = None


def inputs(stream: Stream, sides: Sides, signals: Sequence[Signal], said: list[str]) -> Iterator[Part]:
    from evidently.presets import DatasetStats, ValueStats

    if not len(sides.current) or not len(sides.reference):
        which = "current window" if len(sides.reference) else "reference"
        said.append(f"The {which} holds no records, so the inputs are not drawn.")
        return
    shown = [column for column in sides.kinds if not _left_out(sides, column, said)]
    if not shown:
        return
    reference, current = _dataset(sides.reference, sides, shown), _dataset(sides.current, sides, shown)
    codes = {column: f"DRF-IN-{column}" for column in shown if column in stream.features}
    if stream.text:
        codes[text_column(stream)] = "DRF-TEXT"
    for column in shown:
        if column in codes:
            yield from _drift(codes[column], column, sides.kinds[column], signals, current, reference, said)
    yield Part("the summary of the records", DatasetStats(), current, reference)
    for column in shown:
        if sides.kinds[column] is not Kind.TEXT:  # its widget has no plot, and without one the whole page stays blank
            yield Part(f"the summary of '{column}'", ValueStats(column=column), current, reference)


def answers(stream: Stream, sides: Sides, signals: Sequence[Signal], said: list[str]) -> Iterator[Part]:
    score = PREDICTED if stream.is_regression else SCORE
    codes = {score: "DRF-SCORE", LABEL: "DRF-LABEL"}
    if not stream.is_regression:
        codes[PREDICTED] = "DRF-CLASS"
    shown = [column for column in sides.kinds if not _left_out(sides, column, said)]
    if not shown:
        return
    reference, current = _dataset(sides.reference, sides, shown), _dataset(sides.current, sides, shown)
    for column in shown:
        yield from _drift(codes[column], column, sides.kinds[column], signals, current, reference, said)


def _left_out(sides: Sides, column: str, said: list[str]) -> bool:
    bare = sides.empty_side(column)
    if bare:
        said.append(f"'{column}' holds no value in the {bare}, so it is not drawn.")
    return bool(bare)


def _dataset(frame: pd.DataFrame, sides: Sides, columns: Sequence[str]) -> Dataset:
    from evidently import DataDefinition, Dataset

    def of(kind: Kind) -> list[str]:
        return [column for column in columns if sides.kinds[column] is kind]

    definition = DataDefinition(
        numerical_columns=of(Kind.NUMBER), categorical_columns=of(Kind.LEVEL), text_columns=of(Kind.TEXT)
    )
    return Dataset.from_pandas(frame[list(columns)], data_definition=definition)


def _drift(
    code: str,
    column: str,
    kind: Kind,
    signals: Sequence[Signal],
    current: Dataset,
    reference: Dataset,
    said: list[str],
) -> Iterator[Part]:
    """The column's plot, with the signal's own p-value and verdict as the result of Evidently's drift test."""
    from evidently.metrics import ValueDrift

    signal = next((s for s in signals if s.code == code), None)
    figure = None if signal is None else signal.value if signal.p_value is None else signal.p_value
    if signal is None or figure is None:
        why = f": {signal.said}" if signal else "."
        said.append(f"'{column}' has no drift test in this report ({code} gave no figure){why}")
        return
    threshold = signal.threshold if signal.threshold is not None else 0.0
    metric = ValueDrift(column=column, method=_registered(signal, kind, figure, threshold), threshold=threshold)
    yield Part(f"the drift of '{column}'", metric, current, reference, told=signal)


def _registered(signal: Signal, kind: Kind, figure: float, threshold: float) -> str:
    """Register a test in Evidently's registry that answers with the signal's figure and verdict; its name there."""
    from evidently.legacy.calculation_engine.python_engine import PythonEngine
    from evidently.legacy.calculations.stattests.registry import (
        StatTest,
        add_stattest_impl,
        create_impl_wrapper,
        register_stattest,
    )
    from evidently.legacy.core import ColumnType

    types = {Kind.NUMBER: ColumnType.Numerical, Kind.LEVEL: ColumnType.Categorical, Kind.TEXT: ColumnType.Text}
    shown = f"{signal.name} ({'value' if signal.p_value is None else 'p-value'})"
    test = StatTest(f"trueup {signal.code}", shown, [types[kind]], threshold)
    breached = signal.verdict is Verdict.BREACHED

    def answer(_before: pd.Series, _now: pd.Series, _type: ColumnType, _threshold: float) -> tuple[float, bool]:
        return figure, breached

    register_stattest(test)
    add_stattest_impl(test, PythonEngine, create_impl_wrapper(answer))
    return test.name
