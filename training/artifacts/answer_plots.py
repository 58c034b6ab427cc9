"""Pictures of a model's answers to labelled rows: confusion, ROC, precision and recall, calibration, residuals.

Each gives None where its rows say nothing: one class, or too few of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trueup.training.artifacts.canvas import BLUE, COLOURS, GREY, ORANGE, canvas, png, shortened

MOST_CLASSES = 8  # drawn one by one; the rarer ones are left out of curves, and are one class in the confusion matrix
_LEAST_ROWS = 20  # below, a curve shows chance
MOST_POINTS = 2000


@dataclass(frozen=True)
class JudgedPredictions:
    """n labelled rows and what a model said of them.

    truth, predicted: classes as text, or float64. classes: in the declared or sorted order; empty for regression.
    chances: n × k probabilities of `known`, the k classes that the model knows; empty for regression.
    """

    truth: np.ndarray
    predicted: np.ndarray
    classes: tuple[str, ...]
    known: tuple[str, ...]
    chances: np.ndarray

    def curves(self) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """Each class that can be told from the rest: its name, whether a row is of it, and its probability.

        Of two classes only the last one, since the other's curve says the same.
        """
        wanted = self.classes[-1:] if len(self.classes) == 2 else self.classes
        found = []
        for name in sorted(wanted, key=lambda name: -int((self.truth == name).sum()))[:MOST_CLASSES]:
            of_it = self.truth == name
            if name in self.known and 0 < of_it.sum() < len(of_it):
                found.append((name, of_it, self.chances[:, self.known.index(name)]))
        return found if len(self.truth) >= _LEAST_ROWS else []


def confusion(answers: JudgedPredictions) -> bytes | None:
    """How many rows of each class were answered with each class; rows sum up to the class."""
    if not len(answers.truth):
        return None
    counts = {str(n): int(c) for n, c in zip(*np.unique(answers.truth, return_counts=True), strict=True)}
    names = [*answers.classes, *sorted({*answers.truth, *answers.predicted} - {*answers.classes})]
    kept = names
    if len(names) > MOST_CLASSES:
        common = set(sorted(names, key=lambda name: -counts.get(name, 0))[: MOST_CLASSES - 1])
        kept = [*(name for name in names if name in common), "(others)"]
    place = {name: kept.index(name) if name in kept else len(kept) - 1 for name in names}
    table = np.zeros((len(kept), len(kept)), dtype=int)
    np.add.at(table, ([place[t] for t in answers.truth], [place[p] for p in answers.predicted]), 1)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axis = canvas(f"Confusion matrix, {len(answers.truth)} held-out rows")
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(kept)):
        for column in range(len(kept)):
            colour = "white" if share[row, column] > 0.55 else "black"
            cell = f"{table[row, column]}\n{share[row, column]:.0%}"
            axis.text(column, row, cell, ha="center", va="center", color=colour, fontsize=8)
    axis.set_xticks(range(len(kept)), [shortened(name, 14) for name in kept], rotation=30 if len(kept) > 3 else 0)
    axis.set_yticks(range(len(kept)), [shortened(name, 14) for name in kept])
    axis.set_xlabel("answered", fontsize=9)
    axis.set_ylabel("label", fontsize=9)
    return png(figure)


def roc(answers: JudgedPredictions) -> bytes | None:
    """True against false positives at every threshold; more than two classes: each against the rest."""
    from sklearn.metrics import roc_auc_score, roc_curve

    curves = answers.curves()
    if not curves:
        return None
    areas = [float(roc_auc_score(of_it, chance)) for _, of_it, chance in curves]
    figure, axis = canvas(f"ROC, {len(answers.truth)} held-out rows: {_mean('area', areas)}")
    for (name, of_it, chance), area, colour in zip(curves, areas, COLOURS, strict=False):
        false, true, _ = roc_curve(of_it, chance)
        axis.plot(false, true, color=colour, lw=1.8, label=f"{shortened(name, 20)} ({area:.3f})")
    axis.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--")
    _named(axis, "share of the others that were taken for it", "share of it that was found", "lower right")
    return png(figure)


def precision_recall(answers: JudgedPredictions) -> bytes | None:
    """How many of those found are right, against how many are found; the dashed line is the class's share."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    curves = answers.curves()
    if not curves:
        return None
    means = [float(average_precision_score(of_it, chance)) for _, of_it, chance in curves]
    figure, axis = canvas(f"Precision and recall, {len(answers.truth)} held-out rows: {_mean('average', means)}")
    for (name, of_it, chance), mean, colour in zip(curves, means, COLOURS, strict=False):
        precision, recall, _ = precision_recall_curve(of_it, chance)
        axis.plot(recall, precision, color=colour, lw=1.8, label=f"{shortened(name, 20)} ({mean:.3f})")
        axis.axhline(of_it.mean(), color=colour, lw=0.8, ls="--")
    axis.set_ylim(0, 1.03)
    _named(axis, "recall", "precision", "lower left")
    return png(figure)


def calibration(answers: JudgedPredictions) -> bytes | None:
    """What was foretold against what came, in bins of as many rows each, with 95 % intervals.

    Two classes: the probability of the last. More: that of the answer, against how often the answer is right.
    """
    n = len(answers.truth)
    if n < _LEAST_ROWS or not answers.chances.size:
        return None
    if len(answers.classes) == 2:
        curves = answers.curves()
        if not curves:
            return None
        name, came, foretold = curves[0]
        what = f"probability of {shortened(name, 20)}"
    else:
        came, foretold, what = answers.truth == answers.predicted, answers.chances.max(axis=1), "confidence"
    bins = np.array_split(np.argsort(foretold, kind="stable"), max(2, min(10, n // _LEAST_ROWS)))
    said = np.array([foretold[one].mean() for one in bins])
    share = np.array([came[one].mean() for one in bins])
    sizes = np.array([len(one) for one in bins])
    error = float((np.abs(said - share) * sizes).sum() / n)
    figure, axis = canvas(f"Calibration, {n} held-out rows: off by {error:.3f} on average")
    axis.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--")
    middle, half = _wilson(share, sizes)
    reach = np.clip([share - (middle - half), middle + half - share], 0, 1)
    axis.errorbar(said, share, reach, fmt="o-", color=BLUE, ms=4, capsize=2)
    axis.set_xlabel(f"foretold {what}", fontsize=9)
    axis.set_ylabel("share that came true", fontsize=9)
    return png(figure)


def residuals(answers: JudgedPredictions) -> bytes | None:
    """Regression: the label against the answer, and what is left over against the answer and by size."""
    n = len(answers.truth)
    if n < 2:
        return None
    step = max(1, n // MOST_POINTS)
    label, answer = answers.truth[::step], answers.predicted[::step]
    left = answers.truth - answers.predicted
    title = f"Residuals, {n} held-out rows: mean {left.mean():.3g}, mean size {np.abs(left).mean():.3g}"
    figure, axes = canvas(title, across=3, width=4.0)
    ends = [min(label.min(), answer.min()), max(label.max(), answer.max())]
    axes[0].scatter(answer, label, s=6, color=BLUE, alpha=0.5, lw=0)
    axes[0].plot(ends, ends, color=GREY, lw=1, ls="--")
    axes[1].scatter(answer, left[::step], s=6, color=BLUE, alpha=0.5, lw=0)
    axes[1].axhline(0, color=GREY, lw=1, ls="--")
    axes[2].hist(left, bins=min(40, max(5, n // 10)), color=BLUE)
    axes[2].axvline(0, color=ORANGE, lw=1)
    for axis, across, up in zip(
        axes, ("answer", "answer", "label − answer"), ("label", "label − answer", "rows"), strict=True
    ):
        axis.set_xlabel(across, fontsize=9)
        axis.set_ylabel(up, fontsize=9)
    return png(figure)


def _mean(what: str, values: list[float]) -> str:
    return f"{what} {values[0]:.3f}" if len(values) == 1 else f"{what} {np.mean(values):.3f} on average"


def _named(axis: Any, across: str, up: str, legend: str) -> None:
    axis.set_xlabel(across, fontsize=9)
    axis.set_ylabel(up, fontsize=9)
    axis.legend(loc=legend, fontsize=8, frameon=False)


def _wilson(share: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half width of the 95 % interval of shares (Wilson 1927, JASA 22)."""
    scale = 1 + z**2 / n
    return (share + z**2 / (2 * n)) / scale, z / scale * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
