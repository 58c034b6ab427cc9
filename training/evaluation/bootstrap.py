"""By how much one model may be better than another, from their answers to the same rows.

A smoothed paired Bayesian bootstrap (Rubin 1981, The Annals of Statistics 9:130): the rows get Dirichlet weights, and
the metric of both models is computed under each draw. Pseudo-rows smooth it: weight 1 in all where only the challenger
is right, 1 where only the champion is, spread evenly over the classes. So for accuracy the chance is exactly
P(θ > ½ | Beta(1 + b, 1 + c)) with b and c the discordant counts, and without any evidence it is ½ for every metric.
Dirichlet weights are Gamma draws up to a factor that no metric here depends on. Rows of one unit share a weight, and a
pseudo-row then counts as a unit of the mean size: the evidence is that of units, not of rows.

Each function returns draws of the gain: above 0 where the challenger is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

CELL_DRAWS = 20_000  # standard error of the chance at most .0036
UNIT_DRAWS = (500, 4_000)  # least and most, where every unit is drawn
UNIT_WEIGHTS = 20_000_000  # drawn in all, where that leaves the least number of draws
WEIGHTS_IN_MEMORY = 2_000_000  # weights in memory


def gains_of_classes(
    metric: str,
    truth: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
    classes: int,
    unit: np.ndarray,
    rng: np.random.Generator,
    evidence: np.ndarray | None = None,
) -> np.ndarray:
    """Draws of the gain on accuracy, f1_macro or f1_score (of the last class).

    Args:
        truth, champion, challenger: n classes as numbers from 0 to `classes` - 1.
        unit: n integers; rows of one unit are drawn together.
        evidence: n numbers, how much each row counts; None: 1.

    The rows are gathered into cells (truth, champion's answer, challenger's), so where no unit repeats the cost does
    not depend on n.
    """
    codes = (truth * classes + champion) * classes + challenger
    cells, which = np.unique(codes, return_inverse=True)
    counts = np.bincount(which, weights=evidence)
    of_cells = np.stack([cells // classes**2, cells // classes % classes, cells % classes])
    pseudo, prior = _pseudo_cells(classes)
    both = np.concatenate([of_cells, pseudo], axis=1)
    figure = _class_metric(metric, both, classes)
    if len(np.unique(unit)) == len(unit):
        shapes = np.concatenate([counts, prior])
        drawn: Iterator[np.ndarray] = iter([rng.standard_gamma(shapes, size=(CELL_DRAWS, len(shapes)))])
    else:
        _, units = np.unique(unit, return_inverse=True)
        table = np.zeros((units.max() + 1, len(cells)))
        np.add.at(table, (units, which), 1.0 if evidence is None else evidence)
        size = float(table.sum()) / len(table)
        drawn = (
            np.concatenate([weights @ table, size * rng.standard_gamma(prior, size=(len(weights), len(prior)))], axis=1)
            for weights in _unit_weights(len(table), rng)
        )
    return np.concatenate([figure(weights) for weights in drawn])


def _pseudo_cells(classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells where only one model is right, for every class and every wrong answer, with their weight a priori."""
    pairs = [(right, wrong) for right in range(classes) for wrong in range(classes) if right != wrong]
    challenger_right = [(right, wrong, right) for right, wrong in pairs]
    champion_right = [(right, right, wrong) for right, wrong in pairs]
    cells = np.array(challenger_right + champion_right, dtype=np.int64).reshape(-1, 3).T
    return cells, np.full(cells.shape[1], 1 / max(len(pairs), 1))


def _class_metric(metric: str, cells: np.ndarray, classes: int) -> Callable[[np.ndarray], np.ndarray]:
    """From weights (draws × cells) to the challenger's metric less the champion's (draws)."""
    truth, champion, challenger = cells
    if metric == "accuracy":
        gain = (challenger == truth).astype(np.float64) - (champion == truth)
        return lambda weights: weights @ gain / weights.sum(axis=1)
    judged = np.arange(classes) if metric == "f1_macro" else np.array([classes - 1])
    true = truth[:, None] == judged

    def f1(weights: np.ndarray, answers: np.ndarray) -> np.ndarray:
        said = answers[:, None] == judged
        hit, size = weights @ (true & said), weights @ (true.astype(np.float64) + said)
        return np.divide(2 * hit, size, out=np.zeros_like(hit), where=size > 0).mean(axis=1)

    return lambda weights: f1(weights, challenger) - f1(weights, champion)


def gains_of_ranking(
    positive: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
    unit: np.ndarray,
    rng: np.random.Generator,
    evidence: np.ndarray | None = None,
) -> np.ndarray:
    """Draws of the gain on the area under the ROC curve.

    Args:
        positive: n booleans. champion, challenger: n scores, higher where the model is surer of the positive class.
        evidence: as in `gains_of_classes`.

    A pseudo-row where only one model is right lies, for that model, at its end of the ranking, for the other at the
    wrong end.
    """
    least, most = -np.inf, np.inf
    truth = np.concatenate([positive, [True, False, True, False]])
    champion_area = _area(np.concatenate([champion, [least, most, most, least]]), truth)
    challenger_area = _area(np.concatenate([challenger, [most, least, least, most]]), truth)
    _, units = np.unique(unit, return_inverse=True)
    count = int(units.max()) + 1
    counts = np.ones(len(unit)) if evidence is None else evidence
    size = float(counts.sum()) / count

    def differences() -> Iterator[np.ndarray]:
        for weights in _unit_weights(count, rng):
            pseudo = size * rng.standard_gamma(0.5, size=(len(weights), 4))
            rows = np.concatenate([weights[:, units] * counts, pseudo], axis=1)
            yield challenger_area(rows) - champion_area(rows)

    return np.concatenate(list(differences()))


def _area(score: np.ndarray, positive: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From weights (draws × rows) to the weighted area under the ROC curve (draws); ties count half."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], score[order][1:] != score[order][:-1]]))
    hit = positive[order].astype(np.float64)

    def area(weights: np.ndarray) -> np.ndarray:
        ordered = weights[:, order]
        up = np.add.reduceat(ordered * hit, starts, axis=1)
        down = np.add.reduceat(ordered * (1 - hit), starts, axis=1)
        below = np.cumsum(down, axis=1) - down / 2
        return np.asarray((up * below).sum(axis=1) / (up.sum(axis=1) * down.sum(axis=1)))

    return area


def gains_of_losses(
    saved: np.ndarray, unit: np.ndarray, rng: np.random.Generator, evidence: np.ndarray | None = None
) -> np.ndarray:
    """Draws of the mean of `saved`: the champion's loss less the challenger's, row by row.

    Args:
        evidence: as in `gains_of_classes`.

    The pseudo-rows lie at plus and minus the median absolute difference (of units), weight 1 each.
    """
    _, units = np.unique(unit, return_inverse=True)
    counts = np.ones(len(unit)) if evidence is None else evidence
    sums, sizes = np.bincount(units, weights=saved * counts), np.bincount(units, weights=counts)
    size = float(sizes.mean())
    usual = float(np.median(np.abs(sums)))

    def differences() -> Iterator[np.ndarray]:
        for weights in _unit_weights(len(sums), rng):
            pseudo = rng.standard_exponential((len(weights), 2))
            saving = weights @ sums + usual * (pseudo[:, 0] - pseudo[:, 1])
            yield saving / (weights @ sizes + size * pseudo.sum(axis=1))

    return np.concatenate(list(differences()))


def _unit_weights(units: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Exponential weights in pieces of (draws × units) that fit into memory."""
    left = int(np.clip(UNIT_WEIGHTS // units, *UNIT_DRAWS))
    while left > 0:
        draws = min(left, max(1, WEIGHTS_IN_MEMORY // units))
        yield rng.standard_exponential((draws, units))
        left -= draws
