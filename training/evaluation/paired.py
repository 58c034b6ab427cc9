"""The same rows answered by two models: what every comparison of a challenger with its opponent is made on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

Opponent = Literal["champion", "constant", "candidate"]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The same n labelled rows answered by a challenger and its opponent, neither of which was fitted on them.

    opponent: what the challenger is compared with: the champion in force; for a first version a constant, which is no
        model (the majority class or the mean, with a score of ½); in a search another candidate.
    truth, opponent_predicted, challenger_predicted: n classes (object, text), or n numbers (float64).
    opponent_score, challenger_score: n scores as `fitting.answer` gives them.
    unit: n integers; rows of one unit depend on each other, so they are resampled together.
    evaluation: n booleans, the row's side of the split.
    classes: in declared or sorted order; f1_score and roc_auc are about the last. Empty for regression.
    slices: by declared slice column, its n raw values.
    age: n numbers, how many windows of records came after the row; None: nobody asks.
    ids: n record ids; empty: nobody asks.
    """

    opponent: Opponent
    truth: np.ndarray
    opponent_predicted: np.ndarray
    challenger_predicted: np.ndarray
    opponent_score: np.ndarray
    challenger_score: np.ndarray
    unit: np.ndarray
    evaluation: np.ndarray
    classes: tuple[str, ...]
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)
    age: np.ndarray | None = None
    ids: np.ndarray = field(default_factory=lambda: np.array([], dtype=object))

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, which: np.ndarray) -> Paired:
        """The rows that a boolean mask names."""
        return replace(
            self,
            truth=self.truth[which],
            opponent_predicted=self.opponent_predicted[which],
            challenger_predicted=self.challenger_predicted[which],
            opponent_score=self.opponent_score[which],
            challenger_score=self.challenger_score[which],
            unit=self.unit[which],
            evaluation=self.evaluation[which],
            slices={name: values[which] for name, values in self.slices.items()},
            age=None if self.age is None else self.age[which],
            ids=self.ids[which] if len(self.ids) else self.ids,
        )

    def stated_probabilities(self, answers: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each row's stated probability, of the last of two classes or of the answer, and whether that came true."""
        about = self.classes[-1] if len(self.classes) == 2 else answers
        return score.astype(np.float64), (self.truth == about).astype(np.float64)

    def against_truth(self) -> Paired:
        """The opponent against the truth itself: a gain on these rows is what the opponent lacks."""
        score = (self.truth == self.classes[-1]).astype(np.float64) if self.classes else self.opponent_score
        return replace(self, challenger_predicted=self.truth, challenger_score=score)
