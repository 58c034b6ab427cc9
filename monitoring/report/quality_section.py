"""What a report draws of the model's quality on labelled records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from trueup.monitoring.report.drift_sections import Section
from trueup.monitoring.report.frames import LABEL, PREDICTED, SCORE_COLUMN
from trueup.storage.stream import StreamSettings

_NAME = "the quality of the model"


def quality_sections(
    stream: StreamSettings, reference: pd.DataFrame, current: pd.DataFrame, said: list[str]
) -> Iterator[Section]:
    """The sections for frames made by `labelled_frame`; `reference` may be empty, and is then left out."""
    if not len(current):
        said.append("Quality not plotted: no record of the window has both a label and an answer of the model.")
    elif stream.is_regression:
        yield from _regression(reference, current)
    else:
        yield from _classification(stream, reference, current, said)


def _regression(reference: pd.DataFrame, current: pd.DataFrame) -> Iterator[Section]:
    from evidently import DataDefinition, Dataset, Regression
    from evidently.presets import RegressionQuality

    definition = DataDefinition(
        numerical_columns=[LABEL, PREDICTED], regression=[Regression(target=LABEL, prediction=PREDICTED)]
    )
    before = Dataset.from_pandas(reference, data_definition=definition) if len(reference) else None
    now = Dataset.from_pandas(current, data_definition=definition)
    yield Section(_NAME, RegressionQuality(error_plot=True, error_distr=True), now, before)


def _classification(
    stream: StreamSettings, reference: pd.DataFrame, current: pd.DataFrame, said: list[str]
) -> Iterator[Section]:
    from evidently import BinaryClassification, DataDefinition, Dataset, MulticlassClassification
    from evidently.metrics import RocAuc
    from evidently.presets import ClassificationQuality, ClassificationQualityByLabel

    here, there = _classes(current), _classes(reference)
    if len(reference) and here != there:
        said.append(
            f"Quality plotted without the reference, whose labelled records have other classes: {_listed(there)}; the "
            f"window has {_listed(here)}."
        )
        reference = reference.iloc[:0]
    declared = tuple(stream.label.classes)
    last = (*(c for c in declared if c in here), *sorted(here - set(declared)))[-1]

    def sides(kind: BinaryClassification | MulticlassClassification) -> tuple[Dataset, Dataset | None]:
        definition = DataDefinition(
            categorical_columns=[LABEL, PREDICTED], numerical_columns=[SCORE_COLUMN], classification=[kind]
        )
        before = Dataset.from_pandas(reference, data_definition=definition) if len(reference) else None
        return Dataset.from_pandas(current, data_definition=definition), before

    # Evidently goes by the number of classes it meets: as "many" it fails on two, as "binary" on any other number.
    kind = (
        BinaryClassification(target=LABEL, prediction_labels=PREDICTED, pos_label=last)
        if len(here) == 2
        else MulticlassClassification(target=LABEL, prediction_labels=PREDICTED)
    )
    answered = sides(kind)
    yield Section(_NAME, ClassificationQuality(conf_matrix=True), *answered)
    yield Section(f"{_NAME} by class", ClassificationQualityByLabel(), *answered)
    if len(here | set(declared)) == 2 and current[LABEL].nunique() == 2 and np.isfinite(current[SCORE_COLUMN]).all():
        scored = BinaryClassification(target=LABEL, prediction_probas=SCORE_COLUMN, pos_label=last)
        yield Section("the ROC curve", RocAuc(), *sides(scored))


def _classes(frame: pd.DataFrame) -> set[str]:
    return set(frame[LABEL]) | set(frame[PREDICTED])


def _listed(names: set[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)[:10]) or "none"
