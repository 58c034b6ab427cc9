"""What a report draws of the model's quality on labelled records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trueup.monitoring.report.drift_sections import Part
from trueup.monitoring.report.frames import LABEL, PREDICTED, SCORE
from trueup.storage.stream import Stream

_NAME = "the quality of the model"


def quality(stream: Stream, before: pd.DataFrame, now: pd.DataFrame, said: list[str]) -> Iterator[Part]:
    """The parts for frames made by `answered`; `before` may be empty, and is then left out."""
    if not len(now):
        said.append("No labelled record of the window has an answer of the model yet, so its quality is not drawn.")
    elif stream.is_regression:
        yield from _regression(before, now)
    else:
        yield from _classification(stream, before, now, said)


def _regression(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[Part]:
    from evidently import DataDefinition, Dataset, Regression
    from evidently.presets import RegressionQuality

    definition = DataDefinition(
        numerical_columns=[LABEL, PREDICTED], regression=[Regression(target=LABEL, prediction=PREDICTED)]
    )
    reference = Dataset.from_pandas(before, data_definition=definition) if len(before) else None
    current = Dataset.from_pandas(now, data_definition=definition)
    yield Part(_NAME, RegressionQuality(error_plot=True, error_distr=True), current, reference)


def _classification(stream: Stream, before: pd.DataFrame, now: pd.DataFrame, said: list[str]) -> Iterator[Part]:
    from evidently import BinaryClassification, DataDefinition, Dataset, MulticlassClassification
    from evidently.metrics import RocAuc
    from evidently.presets import ClassificationQuality, ClassificationQualityByLabel

    here, there = _classes(now), _classes(before)
    if len(before) and here != there:
        said.append(
            f"The labelled records of the window know the classes {_listed(here)}, those of the reference "
            f"{_listed(there)}; the quality is drawn for the window alone."
        )
        before = before.iloc[:0]
    declared = tuple(stream.label.classes)
    last = (*(c for c in declared if c in here), *sorted(here - set(declared)))[-1]

    def part(kind: BinaryClassification | MulticlassClassification, metric: object, name: str) -> Part:
        definition = DataDefinition(
            categorical_columns=[LABEL, PREDICTED], numerical_columns=[SCORE], classification=[kind]
        )
        reference = Dataset.from_pandas(before, data_definition=definition) if len(before) else None
        return Part(name, metric, Dataset.from_pandas(now, data_definition=definition), reference)

    # Evidently goes by the number of classes it meets: as "many" it fails on two, as "binary" on any other number.
    kind = (
        BinaryClassification(target=LABEL, prediction_labels=PREDICTED, pos_label=last)
        if len(here) == 2
        else MulticlassClassification(target=LABEL, prediction_labels=PREDICTED)
    )
    yield part(kind, ClassificationQuality(conf_matrix=True), _NAME)
    yield part(kind, ClassificationQualityByLabel(), f"{_NAME} by class")
    if len(here | set(declared)) == 2 and now[LABEL].nunique() == 2 and np.isfinite(now[SCORE]).all():
        scored = BinaryClassification(target=LABEL, prediction_probas=SCORE, pos_label=last)
        yield part(scored, RocAuc(), "the ROC curve")


def _classes(frame: pd.DataFrame) -> set[str]:
    return set(frame[LABEL]) | set(frame[PREDICTED])


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)[:10]) or "none"
