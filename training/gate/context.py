"""What a guardrail may ask about: a challenger, what it is compared with, and the files that a stream brings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.concept_shift import rows_since_drop
from trueup.training.evaluation.label_feed import AnsweredLabels
from trueup.training.evaluation.labelling import Labelling
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.behaviour_suites import Suite


@dataclass(frozen=True)
class StoredModel:
    """A version's model, and the bytes of the file that it is stored in."""

    model: Any
    size: int


@dataclass(frozen=True)
class GoldenSet:
    """n records: their features, the answer that is right (a class, or a float64), and their lines in the file."""

    features: pd.DataFrame
    expected: np.ndarray
    lines: np.ndarray


@dataclass(frozen=True, kw_only=True)
class GateContext:
    """All that guardrails are given.

    paired: the rows that challenger and opponent both answered; its `opponent` says whether that is a champion.
    champion: the champion's model; None where there is no champion yet, or its model is another service's.
    reference: features of the challenger's reference rows, oldest first.
    labels_before: the champion's answers, out of time, to the labels of its own history; None where there are none.
    labelling: which of the records are labelled, and by whom; None: all, by one source.
    golden: None where the stream has none. own_suites: of behaviour cases, the stream's own.
    """

    stream: StreamSettings
    seed: int
    paired: Paired
    challenger: StoredModel
    champion: StoredModel | None
    reference: pd.DataFrame
    labels_before: AnsweredLabels | None = None
    labelling: Labelling | None = None
    golden: GoldenSet | None = None
    own_suites: tuple[Suite, ...] = ()

    @cached_property
    def judged(self) -> Paired:
        """The rows that predictions are judged on: those since the champion dropped, where it did."""
        return rows_since_drop(self.stream.metric, self.paired, self.seed)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """All classes, as a score means them: as declared, else sorted; none for regression.

        The judged rows alone may hold one class only, where labels broke.
        """
        if self.stream.is_regression or self.stream.label.classes:
            return tuple(self.stream.label.classes)
        seen = [self.paired.truth, self.paired.opponent_predicted, self.paired.challenger_predicted]
        seen += [self.labels_before.truth] if self.labels_before else []
        return tuple(sorted({str(label) for labels in seen for label in labels}))
