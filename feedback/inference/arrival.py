"""Which time says since when a label is known: only one whose cells are filled whatever the label is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.names import said_in, vocabulary
from trueup.storage.formatting import percent

_KNOWN_SINCE = vocabulary(
    "arrived, known, labelled, labeled, label, rated, rating, replied, reply, answered, answer, responded, response",
    "resolved, solved, closed, completed, settled, verdict, outcome, reviewed, surveyed, survey, confirmed, feedback",
    "beantwortet, gelost, abgeschlossen, bewertet, repondu, resolu, respondido, resuelto, risposta, ответ, ответа",
)
_LATER = 0.8       # of the rows with both times: so many lie at or after the record's time
_FILLED = 0.9      # of the labelled rows: with fewer, rows whose label is long known would wait for ever
_APART = 0.05      # by which the share of filled cells may differ between labels
_BINS = 4          # of a regression's labels
_FEWEST = 20       # labelled rows of a class that is compared


@dataclass(frozen=True)
class Arrival:
    """The column that says since when a label is known ("": none), why, and what a person has to look at."""

    column: str = ""
    why: str = ""
    undecided: tuple[Undecided, ...] = ()


def find_arrived(
    labels: Sequence[str | float | None], when: np.ndarray, others: Mapping[str, np.ndarray]
) -> Arrival:
    """The arrival of n labels among other times of the same rows.

    Where an empty cell depends on the label, as where only complaints are answered, taking it for "not known yet" would
    drop just those labels: then the column is only proposed.

    Args:
        labels: a class, a number, or None.
        when: the records' times, datetime64 of shape (n,), NaT where unknown.
        others: the other columns of times, by name, of the same shape.
    """
    labelled = np.array([label is not None for label in labels], dtype=bool)
    if not labelled.any():
        return Arrival()
    undecided: list[Undecided] = []
    for name, times in others.items():
        both = ~np.isnat(when) & ~np.isnat(times)
        if not said_in(name, _KNOWN_SINCE) or not both.any() or (times[both] >= when[both]).mean() <= _LATER:
            continue
        filled = ~np.isnat(times[labelled])
        share, apart = float(filled.mean()), _differs([x for x in labels if x is not None], filled)
        told = f"filled in {percent(share)} of the labelled rows"
        if share >= _FILLED and apart <= _APART:
            return Arrival(name, f"later than the record, {told}, whatever the label", tuple(undecided))
        why = f"{told}, and {100 * apart:.0f} points more often for some labels than for others"
        said = f"'{name}' could say since when a label is known, but is {why}; where it is empty no label would count"
        undecided.append(Undecided("arrived", said, (f'arrived = "{name}"', 'maturity = "3d"'), name))
    return Arrival(undecided=tuple(undecided))


def _differs(labels: Sequence[str | float], filled: np.ndarray) -> float:
    """By how much the share of filled cells differs between the labels that are common enough to be compared."""
    if isinstance(labels[0], float):
        values = np.array(labels, dtype=float)
        groups = np.searchsorted(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]), values)
    else:
        groups = np.unique(np.array(labels, dtype=str), return_inverse=True)[1]
    cells, sums = np.bincount(groups), np.bincount(groups, weights=filled)
    common = cells >= _FEWEST
    shares = sums[common] / cells[common]
    return float(shares.max() - shares.min()) if len(shares) else 0.0
