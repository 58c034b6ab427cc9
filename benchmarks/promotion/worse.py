"""Whether one model is worse than another on the same rows: a paired test on the metric itself.

Under the hypothesis that the two are alike, which of them gave which answer is a toss for each unit of rows (all rows
of a group; for a series all rows of a day). The metric's difference is taken anew under tosses of all units at once
(Fisher 1935; for paired classifiers Yeh 2000, "More accurate tests for the statistical significance of result
differences").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TOSSES = 9_999
_AT_ONCE = 500
_EQUAL = 1e-9  # sums in another order differ by less


@dataclass(frozen=True)
class Compared:
    """What the metric was of either model (higher is better: an error stands with its sign turned), and the test.

    p_worse, p_better: the chance of a difference as bad for the new model, or as good, were the two alike.
    """

    old: float
    new: float
    p_worse: float
    p_better: float

    @property
    def gain(self) -> float:
        return self.new - self.old


def compare(
    metric: str, truth: np.ndarray, old: np.ndarray, new: np.ndarray, unit: np.ndarray, seed: int
) -> Compared:
    """The answers of the replaced and of the new model to the same n rows.

    Args:
        metric: "f1_macro" or "mae".
        unit: n hashable values; rows of one unit are tossed together.
    """
    _, which = np.unique(unit, return_inverse=True)
    parts = [_parts(metric, truth, answers, which) for answers in (old, new)]
    whole = [part.sum(axis=0) for part in parts]
    before, after = (float(_figure(metric, total[None])[0]) for total in whole)
    swapped = parts[0] - parts[1]  # what a unit's toss adds to the new model's sums and takes from the old one's
    rng = np.random.default_rng(seed)
    seen, as_bad, as_good = after - before, 0, 0
    for first in range(0, TOSSES, _AT_ONCE):
        tossed = rng.random((min(_AT_ONCE, TOSSES - first), len(swapped))) < 0.5
        moved = tossed.astype(np.float64) @ swapped
        gains = _figure(metric, whole[1] + moved) - _figure(metric, whole[0] - moved)
        as_bad += int((gains <= seen + _EQUAL).sum())
        as_good += int((gains >= seen - _EQUAL).sum())
    return Compared(before, after, *((count + 1) / (TOSSES + 1) for count in (as_bad, as_good)))


def _parts(metric: str, truth: np.ndarray, answers: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Sums per unit (units × columns) that `_figure` makes the metric of."""
    if metric == "mae":
        columns = [-np.abs(truth.astype(float) - answers.astype(float)), np.ones(len(truth))]
    else:
        names = np.unique(truth.astype(str))
        columns = [
            sums
            for name in names
            for sums in (
                2.0 * ((truth == name) & (answers == name)), (truth == name).astype(float) + (answers == name)
            )
        ]
    return np.stack([np.bincount(which, column) for column in columns], axis=1)


def _figure(metric: str, sums: np.ndarray) -> np.ndarray:
    """The metric of each row of sums: -mae, or the mean over classes of 2·hits / (true + answered)."""
    shares = sums[:, 0::2] / np.maximum(sums[:, 1::2], 1.0)
    return np.asarray(shares.mean(axis=1))
