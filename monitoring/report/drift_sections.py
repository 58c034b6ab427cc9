"""What a report draws of the inputs, the model's answers and the labels: a section for each metric of Evidently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.report.frames import LABEL, PREDICTED, SCORE_COLUMN, ColumnKind, FramePair, text_column
from trueup.monitoring.signals.catalogue import DrawnOn, drawn_on
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from evidently import Dataset


@dataclass(frozen=True)
class Section:
    """One metric of Evidently over one pair of data sets. signal: the one whose words its test carries."""

    name: str
    metric: Any
    current: Dataset
    reference: Dataset | None
    signal: Signal | None = None


def input_sections(
    stream: StreamSettings, frames: FramePair, signals: Sequence[Signal], said: list[str]
) -> Iterator[Section]:
    """The features, with the drift tests of the signals that are drawn on them; `said` takes what is left out."""
    if not len(frames.current) or not len(frames.reference):
        which = "current window" if len(frames.reference) else "reference"
        said.append(f"Inputs not plotted: the {which} holds no records.")
        return
    shown = [column for column in frames.kinds if not _left_out(frames, column, said)]
    if not shown:
        return
    reference, current = _dataset(frames.reference, frames, shown), _dataset(frames.current, frames, shown)
    drawn = {column: DrawnOn.FEATURE for column in shown if column in stream.features}
    if stream.text:
        drawn[text_column(stream)] = DrawnOn.TEXT
    for column in shown:
        if column in drawn:
            for kind in drawn_on(drawn[column]):
                code = kind.code_of(column)
                yield from _drift(code, column, frames.kinds[column], signals, current, reference, said)
    yield from _summaries(frames, shown, current, reference)


def summary_sections(frames: FramePair, said: list[str]) -> Iterator[Section]:
    """The features side by side, judged by no test."""
    shown = [column for column in frames.kinds if not _left_out(frames, column, said)]
    if shown:
        reference, current = _dataset(frames.reference, frames, shown), _dataset(frames.current, frames, shown)
        yield from _summaries(frames, shown, current, reference)


def _summaries(frames: FramePair, shown: Sequence[str], current: Dataset, reference: Dataset) -> Iterator[Section]:
    from evidently.presets import DatasetStats, ValueStats

    yield Section("the summary of the records", DatasetStats(), current, reference)
    for column in shown:
        # a text's widget has no plot, and without one the whole page stays blank
        if frames.kinds[column] is not ColumnKind.TEXT:
            yield Section(f"the summary of '{column}'", ValueStats(column=column), current, reference)


def model_sections(
    stream: StreamSettings, frames: FramePair, signals: Sequence[Signal], said: list[str]
) -> Iterator[Section]:
    """The model's answers and the labels, in the same way."""
    drawn = {SCORE_COLUMN: DrawnOn.SCORE, PREDICTED: DrawnOn.PREDICTED_CLASS, LABEL: DrawnOn.LABEL}
    if stream.is_regression:
        drawn = {PREDICTED: DrawnOn.SCORE, LABEL: DrawnOn.LABEL}
    shown = [column for column in frames.kinds if not _left_out(frames, column, said)]
    if not shown:
        return
    reference, current = _dataset(frames.reference, frames, shown), _dataset(frames.current, frames, shown)
    for column in shown:
        for kind in drawn_on(drawn[column]):
            yield from _drift(kind.code, column, frames.kinds[column], signals, current, reference, said)


def _left_out(frames: FramePair, column: str, said: list[str]) -> bool:
    bare = frames.empty_in(column)
    if bare:
        said.append(f"'{column}' not plotted: no values in the {bare}.")
    return bool(bare)


def _dataset(frame: pd.DataFrame, frames: FramePair, columns: Sequence[str]) -> Dataset:
    from evidently import DataDefinition, Dataset

    def of(kind: ColumnKind) -> list[str]:
        return [column for column in columns if frames.kinds[column] is kind]

    definition = DataDefinition(
        numerical_columns=of(ColumnKind.NUMBER),
        categorical_columns=of(ColumnKind.LEVEL),
        text_columns=of(ColumnKind.TEXT),
    )
    return Dataset.from_pandas(frame[list(columns)], data_definition=definition)


def _drift(
    code: str,
    column: str,
    kind: ColumnKind,
    signals: Sequence[Signal],
    current: Dataset,
    reference: Dataset,
    said: list[str],
) -> Iterator[Section]:
    """The column's plot, with the signal's own p-value and verdict as the result of Evidently's drift test."""
    from evidently.metrics import ValueDrift

    signal = next((s for s in signals if s.code == code), None)
    figure = None if signal is None else signal.value if signal.p_value is None else signal.p_value
    if signal is None or figure is None:
        why = f": {signal.said}" if signal else "."
        said.append(f"'{column}' not judged in this report ({code}){why}")
        return
    threshold = signal.threshold if signal.threshold is not None else 0.0
    metric = ValueDrift(column=column, method=_registered(signal, kind, figure, threshold), threshold=threshold)
    yield Section(f"the drift of '{column}'", metric, current, reference, signal=signal)


def _registered(signal: Signal, kind: ColumnKind, figure: float, threshold: float) -> str:
    """Register a test in Evidently's registry that answers with the signal's figure and verdict; its name there."""
    from evidently.legacy.calculation_engine.python_engine import PythonEngine
    from evidently.legacy.calculations.stattests.registry import (
        StatTest,
        add_stattest_impl,
        create_impl_wrapper,
        register_stattest,
    )
    from evidently.legacy.core import ColumnType

    types = {
        ColumnKind.NUMBER: ColumnType.Numerical,
        ColumnKind.LEVEL: ColumnType.Categorical,
        ColumnKind.TEXT: ColumnType.Text,
    }
    shown = f"{signal.name} ({'value' if signal.p_value is None else 'p-value'})"
    test = StatTest(f"trueup {signal.code}", shown, [types[kind]], threshold)
    breached = signal.verdict is Verdict.BREACHED

    def answer(_reference: pd.Series, _current: pd.Series, _type: ColumnType, _threshold: float) -> tuple[float, bool]:
        return figure, breached

    register_stattest(test)
    add_stattest_impl(test, PythonEngine, create_impl_wrapper(answer))
    return test.name
