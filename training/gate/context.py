"""What a guardrail may ask about: a challenger, what it is held against, and the files that a stream brings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.concept_shift import rows_since_drop
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
    golden: None where the stream has none. own_suites: of behaviour cases, the stream's own.
    """

    stream: StreamSettings
    seed: int
    paired: Paired
    challenger: StoredModel
    champion: StoredModel | None
    reference: pd.DataFrame
    golden: GoldenSet | None = None
    own_suites: tuple[Suite, ...] = ()

    @cached_property
    def judged(self) -> Paired:
        """The rows that predictions are judged on: those since the champion dropped, where it did."""
        return rows_since_drop(self.stream.metric, self.paired, self.seed)
