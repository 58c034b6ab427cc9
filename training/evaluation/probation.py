"""The probation of a new champion: is the one before it better after all, on rows that neither knew?

It is asked again as labels come, so each look spends a part of the level: the k-th α·6/(π²k²), which sum up to α
however many there are. By the union bound a champion that is no worse is then rolled back with a chance of at most α
over the whole probation, whenever cycles come and whatever rows the looks share. A look is made when the labels
have grown by half since the last one, or a window was checked: what is added in between is hardly news, and would make
later bounds stricter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.concept_shift import LEAST_NEW_LABELS
from trueup.training.evaluation.gain import chance_better, row_losses
from trueup.training.evaluation.head_to_head import pair_predictions
from trueup.training.evaluation.paired import Paired
from trueup.training.models.metrics import REGRESSION_METRICS

RISK = 0.01  # chance of an unjust rollback, over the whole probation
LOOK_GROWTH = 1.5  # of the judged rows, from one look to the next
DOUBTLESS = 0.02  # chance of one of the two, below which it is drawn again
DRAWINGS = 5
TOSSES = 20_000
TOSSES_IN_MEMORY = 2_000_000  # tosses in memory


class Outcome(StrEnum):
    """How a probation stands."""

    WATCHING = "watching"
    PASSED = "passed"
    ROLLED_BACK = "rolled_back"
    SKIPPED = "skipped"  # this time it could not be asked


@dataclass(frozen=True)
class Looks:
    """How often it was asked before, and on how many rows the last time."""

    made: int = 0
    rows: int = 0

    def due(self, rows: int, *, last: bool, window: bool = False) -> bool:
        """Whether to ask again on so many rows; the `last` look needs no more than new ones.

        Nor does one with a `window` of records since the last: a world that turns back is seen in the next one.
        """
        if rows < LEAST_NEW_LABELS:
            return False
        return not self.made or rows >= LOOK_GROWTH * self.rows or ((last or window) and rows > self.rows)


def rollback_bound(look: int) -> float:
    """P(the previous one is better) from which the k-th look (1, 2, …) rolls back."""
    return 1 - RISK * 6 / (math.pi * look) ** 2


def chance_of_previous(metric: str, met: Paired, seed: int) -> float:
    """P(the previous one is better); NaN where the metric is undefined on the rows.

    Where one drawing leaves little doubt, further ones are added to it: late bounds lie beyond what it can tell apart.
    Of numbers it is 1 less the p-value of a paired randomisation test: a few large errors mislead the bootstrap, which
    sent back twice as many as stated where errors have heavy tails.
    """
    if metric in REGRESSION_METRICS:
        return _randomisation_test(metric, met, seed)
    first = chance_better(metric, met, seed)
    if not min(first, 1 - first) < DOUBTLESS:
        return first
    return float(np.mean([first, *(chance_better(metric, met, seed + more) for more in range(1, DRAWINGS))]))


def _randomisation_test(metric: str, met: Paired, seed: int) -> float:
    """1 less the chance that as much is saved where a coin says, unit by unit, which version answered what.

    That is exact at any number of rows, whatever the errors (Fisher 1935, The Design of Experiments; Pitman 1937,
    Supplement to the Journal of the Royal Statistical Society 4:119). The other way round it is the chance itself.
    """
    new, old = row_losses(metric, met)
    _, units = np.unique(met.unit, return_inverse=True)
    saved = np.bincount(units, weights=new - old)
    total, rounding = float(saved.sum()), 1e-9 * float(np.abs(saved).sum())
    rng, left, as_much = np.random.default_rng(seed), TOSSES, 1
    while left > 0:
        tosses = min(left, max(1, TOSSES_IN_MEMORY // len(saved)))
        kept = (rng.random((tosses, len(saved)), dtype=np.float32) < 0.5) @ saved
        as_much += int((2 * kept - total >= abs(total) - rounding).sum())
        left -= tosses
    alike = min(0.5, as_much / (TOSSES + 1))
    return 1 - alike if total > 0 else alike


def conclude(chance: float, bound: float, *, last: bool) -> Outcome:
    """What a look comes to, whose chance that the previous one is better is `chance`.

    The new one passes at the last look, or as soon as it is better as surely as the previous one would have to be.
    """
    if chance >= bound:
        return Outcome.ROLLED_BACK
    return Outcome.PASSED if last or chance <= 1 - bound else Outcome.WATCHING


def pair(stream: StreamSettings, champion: Rows, previous: Rows) -> Paired:
    """Both versions' answers to the same n labelled rows, in time order; the previous stands in the challenger's place.

    Neighbouring rows of a series depend on each other, so they are held together in blocks of about √n.
    """
    new = champion.meta
    return pair_predictions(stream, previous, "champion", new["predicted"].to_numpy(), new["score"].to_numpy())
