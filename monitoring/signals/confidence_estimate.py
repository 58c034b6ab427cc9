"""The class metrics that a model's own probabilities imply, once they are calibrated on labels that are known.

Confidence-based estimation: a record scored p, calibrated to q, counts as q of the last class and 1 - q of the first,
so that a window without labels has expected counts of truth against answer. Records are counted in cells of like
score, which makes a resample a draw of counts, at a cost that does not grow with the records.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from trueup.monitoring.stats.columns import as_level_codes, as_numbers
from trueup.monitoring.stats.metrics import of_cells
from trueup.storage.rows import Rows

_CELLS = 200
_SHARPEST = 1e-6  # scores nearer to 0 or 1 are read as this near
_IDENTITY = np.array([1.0, 0.0, 0.0])  # the curve that leaves scores as they are
_PULL = 1.0  # towards it: the weight of about four records
_STEPS = 60


@dataclass(frozen=True)
class Scored:
    """Records with an answer: score (n,), yes (n,) whether the answer is the last class, truth (n,) 1, 0 or NaN."""

    score: np.ndarray
    yes: np.ndarray
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.score)

    @property
    def labelled(self) -> Scored:
        known = ~np.isnan(self.truth)
        return Scored(self.score[known], self.yes[known], self.truth[known])


def scored(rows: Rows, last: str) -> Scored:
    """The answered rows, seen from the last class."""
    score = as_numbers(rows.meta["score"])
    label, answer = as_level_codes(rows.meta["label"]), as_level_codes(rows.meta["predicted"])
    truth = np.where(label.codes >= 0, label.equal(last).astype(float), np.nan)
    there = ~np.isnan(score) & (answer.codes >= 0)
    return Scored(score[there], answer.equal(last)[there], truth[there])


@dataclass(frozen=True)
class Grid:
    """Cells of like score: the bounds between them, and the curve's three columns at the middle of each."""

    bounds: np.ndarray  # (cells - 1,)
    columns: np.ndarray  # (cells, 3)

    def counts(self, part: Scored) -> np.ndarray:
        """Records (cells, 2, 3) by score, answer (the last class is 1), and truth (0, 1, unknown)."""
        cell = np.searchsorted(self.bounds, _read(part.score), side="right")
        truth = np.where(np.isnan(part.truth), 2, part.truth).astype(np.int64)
        flat = (cell * 2 + part.yes.astype(np.int64)) * 3 + truth
        return np.bincount(flat, minlength=len(self.columns) * 6).reshape(-1, 2, 3)


def grid(*parts: Scored) -> Grid:
    """Cells that hold about as many of the records each; records of one score share a cell."""
    values = np.sort(_read(np.concatenate([part.score for part in parts])))
    bounds = np.unique(values[np.arange(1, _CELLS) * len(values) // _CELLS])
    bounds = bounds[bounds > values[0]]
    cell = np.searchsorted(bounds, values, side="right")
    middle = np.bincount(cell, values) / np.bincount(cell)
    return Grid(bounds, np.column_stack([middle, middle / np.sqrt(1 + middle**2 / 4), np.ones(len(middle))]))


def calibrated(columns: np.ndarray, records: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """P(last class) in each cell (cells,), from the labelled records and those of the last class among them.

    The mean of two calibrations: a logistic curve of the score's logit that may bend towards the ends (Platt 1999,
    with a bounded term for scores that are too sure), drawn to the identity; and isotonic regression (Zadrozny & Elkan
    2002), drawn to the curve by one record in all. The first errs by its shape, the second by chance.
    """
    return _with_steps(records, hits, expit(columns @ _curve(columns, records, hits)))


def recalibrated(columns: np.ndarray, records: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """As `calibrated` (draws, cells) for resamples, whose mean is in the first row; their curves are one step away.

    One step of Newton's method from the fit on all records is as good as a fit of each (Shao & Tu 1995, ch. 2).
    """
    start = _curve(columns, records[0], hits[0])
    probability = expit(columns @ start)
    slope = (hits - records * probability) @ columns - _PULL * (start - _IDENTITY)
    bend = np.einsum("dc,ci,cj->dij", records * (probability * (1 - probability)), columns, columns) + _PULL * np.eye(3)
    curves = expit((start + np.linalg.solve(bend, slope[..., None])[..., 0]) @ columns.T)
    return np.array([_with_steps(*given) for given in zip(records, hits, curves, strict=True)])


def expected(name: str, counts: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """A metric of records (draws, cells, 2 answers) whose chance of the last class is known (draws, cells)."""
    ones, zeros = counts * probability[..., None], counts * (1 - probability)[..., None]
    if name == "roc_auc":
        ones, zeros = ones.sum(-1), zeros.sum(-1)
        right = (ones * (zeros.cumsum(-1) - zeros / 2)).sum(-1)
        return np.asarray(right / np.maximum(ones.sum(-1) * zeros.sum(-1), 1e-12))
    return of_cells(name, np.stack([zeros.sum(-2), ones.sum(-2)], axis=-2))


def _read(score: np.ndarray) -> np.ndarray:
    return np.asarray(logit(np.clip(score, _SHARPEST, 1 - _SHARPEST)))


def _with_steps(records: np.ndarray, hits: np.ndarray, curve: np.ndarray) -> np.ndarray:
    weights = records + 1 / len(curve)
    steps = isotonic_regression((hits + curve / len(curve)) / weights, weights=weights).x
    return np.asarray((curve + steps) / 2)


def _curve(columns: np.ndarray, records: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """The penalised logistic regression (3,), by Newton's method with halved steps."""

    def loss(at: np.ndarray) -> float:
        value = columns @ at
        return float(records @ np.logaddexp(0, value) - hits @ value + _PULL / 2 * ((at - _IDENTITY) ** 2).sum())

    at = _IDENTITY
    for _ in range(_STEPS):
        probability = expit(columns @ at)
        slope = columns.T @ (hits - records * probability) - _PULL * (at - _IDENTITY)
        bend = (columns.T * (records * probability * (1 - probability))) @ columns + _PULL * np.eye(3)
        step, before = np.linalg.solve(bend, slope), loss(at)
        while loss(at + step) > before and np.abs(step).max() > 1e-9:
            step = step / 2
        at = at + step
        if before - loss(at) < 1e-9:
            break
    return at
