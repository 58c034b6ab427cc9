"""GATE-CLASSES and GATE-CALIBRATION: which answers the challenger gives, and how good its probabilities are."""

from __future__ import annotations

import numpy as np

from trueup.storage.formatting import percent
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.context import GateContext
from trueup.training.gate.result import GateTest, inapplicable

OFTEN = 30           # labels of a class, from which on a class that is never answered is named
BINS = 10            # of the calibration error, each with an equal share of the rows
DRAWS = 2_000        # of the bootstrap of the Brier score
SURE = 0.95          # one-sided limit of the rise of the Brier score


def classes_guardrail(context: GateContext) -> GateTest:
    """GATE-CLASSES of the judged rows."""
    return classes_test(context.judged)


def calibration_guardrail(context: GateContext) -> GateTest:
    """GATE-CALIBRATION of the judged rows, by the stream's margin."""
    return calibration_test(context.judged, context.stream.gate.calibration_margin, context.seed)


def classes_test(paired: Paired) -> GateTest:
    """GATE-CLASSES: the challenger does not give every row the same answer, where the rows do not.

    A class that is never answered is named, and refuses nothing: whether it is worth more is the metric's to say.
    """
    code = "GATE-CLASSES"
    kinds = len(np.unique(paired.truth))
    if kinds < 2:
        return inapplicable(code, "all judged rows have the same label")
    answered = np.unique(paired.challenger_predicted)
    said = f"{len(answered)} different predictions on {len(paired)} rows with {kinds} different labels"
    if paired.classes:
        labels, counts = np.unique(paired.truth, return_counts=True)
        never = [f"'{name}'" for name, count in zip(labels, counts, strict=True) if count >= OFTEN
                 and name not in answered]
        said += f"; never predicted: {', '.join(never)}" if never else ""
    return GateTest(code=code, passed=len(answered) >= 2, value=float(len(answered)), bound=2.0, said=said)


def calibration_test(paired: Paired, margin: float, seed: int) -> GateTest:
    """GATE-CALIBRATION: the challenger's probabilities are not surely worse than the champion's by more than `margin`.

    Worth is the Brier score (Brier 1950, Monthly Weather Review 78:1) of the probability that the model states: of the
    last of two classes, of its own answer where there are more. The figure is the lower 95 % limit of its rise, by a
    paired bootstrap over units. The calibration error (ten bins of equal size) is said beside it. A constant, which the
    first champion is compared with, states .5 and scores .25.

    Args:
        paired: classes, with a probability of both models in each row.
    """
    old, old_hit = paired.stated_probabilities(paired.opponent_predicted, paired.opponent_score)
    new, new_hit = paired.stated_probabilities(paired.challenger_predicted, paired.challenger_score)
    before, after = (old - old_hit) ** 2, (new - new_hit) ** 2
    rise = _lower_limit(after - before, paired.unit, seed)
    beyond = f"at least {rise:.3f} worse ({percent(SURE)} sure), " if rise > margin else ""
    said = (
        f"Brier score {after.mean():.3f}, opponent {before.mean():.3f} on {len(paired)} rows: {beyond}allowed rise "
        f"{margin:.4g}; calibration error {_calibration_error(new, new_hit):.3f}, opponent "
        f"{_calibration_error(old, old_hit):.3f}"
    )
    return GateTest(code="GATE-CALIBRATION", passed=rise <= margin, value=rise, bound=margin, said=said)


def _lower_limit(rise: np.ndarray, unit: np.ndarray, seed: int) -> float:
    """The lower one-sided limit of the mean of `rise`; rows of one unit are drawn together."""
    _, units, sizes = np.unique(unit, return_inverse=True, return_counts=True)
    sums = np.bincount(units, weights=rise)
    rng = np.random.default_rng(seed)
    means = np.empty(DRAWS)
    for k in range(DRAWS):
        weights = rng.standard_exponential(len(sums))
        means[k] = weights @ sums / (weights @ sizes)
    return float(np.quantile(means, 1 - SURE))


def _calibration_error(stated: np.ndarray, hit: np.ndarray) -> float:
    """Mean distance between stated probability and frequency, over bins of equal size."""
    bins = np.array_split(np.argsort(stated, kind="stable"), min(BINS, len(stated)))
    return float(sum(len(b) * abs(stated[b].mean() - hit[b].mean()) for b in bins) / len(stated))
