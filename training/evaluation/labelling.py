"""Which records are labelled, and by whom: labels that come selectively, or from a source that broke, mislead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trueup.storage.formatting import percent

LEAST_RECORDS = 100  # of the newest window and before it, fewer of which tell nothing
_FEW = 10  # records, fewer of which are not compared
POINTS_APART, LEVEL = 0.10, 0.001  # of shares that are compared, and of Fisher's test


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """n records that are old enough to be labelled: which are, and by whom.

    predicted: the champion's answers. labelled: booleans. wrong: booleans, that its answer is not the label.
    source: where the label came from; "" where there is none. recent: booleans, of the newest window; the others came
        before.
    """

    predicted: np.ndarray
    labelled: np.ndarray
    wrong: np.ndarray
    source: np.ndarray
    recent: np.ndarray


def source_doubt(labelling: Labelling) -> tuple[float, str] | None:
    """By how much one source of labels contradicts the champion more than it did, in words too; None: it does not.

    Who corrects answers corrects wrong ones, so sources that always lay so far apart are no news.
    """
    known, past = labelling.labelled & labelling.recent, labelling.labelled & ~labelling.recent
    for name in np.unique(labelling.source[known]):
        of_source = labelling.source == name
        apart = _apart(labelling.wrong[known], of_source[known])
        if apart is None:
            continue
        own, others = apart
        before = 0.0
        if min((past & of_source).sum(), (past & ~of_source).sum()) >= _FEW:
            before = float(labelling.wrong[past & of_source].mean() - labelling.wrong[past & ~of_source].mean())
        if abs(own - others - before) >= POINTS_APART:
            said = (
                f"labels of the source '{name}' contradict the champion on {percent(own)} of the records, those of "
                f"other sources on {percent(others)}: {100 * (own - others):+.0f} points, before "
                f"{100 * before:+.0f}. One of the sources is probably broken"
            )
            return own - others - before, said
    return None


def selection_doubt(labelling: Labelling) -> tuple[float, str] | None:
    """By how much more of one predicted class is labelled than was before, in words too; None: chance explains it."""
    recent, past = labelling.recent, ~labelling.recent
    if min(recent.sum(), past.sum()) < LEAST_RECORDS:
        return None
    for name in np.unique(labelling.predicted[recent]):
        of_class = labelling.predicted == name
        apart = _apart(labelling.labelled[recent], of_class[recent])
        if apart is None or not (past & of_class).any() or not (past & ~of_class).any():
            continue
        own, others = apart
        before = float(labelling.labelled[past & of_class].mean() - labelling.labelled[past & ~of_class].mean())
        if abs(own - others - before) < POINTS_APART:
            continue
        said = (
            f"labels are selective: {percent(own)} of the records predicted as '{name}' have a label, of the others "
            f"{percent(others)}: {100 * (own - others):+.0f} points, before {100 * before:+.0f}"
        )
        return own - others - before, said
    return None


def _apart(happened: np.ndarray, here: np.ndarray) -> tuple[float, float] | None:
    """Both shares, where they lie apart beyond `POINTS_APART` and chance (Fisher's exact test); else None."""
    from scipy.stats import fisher_exact

    if min(here.sum(), (~here).sum()) < _FEW:
        return None
    own, others = float(happened[here].mean()), float(happened[~here].mean())
    table = [[int((happened & at).sum()), int((~happened & at).sum())] for at in (here, ~here)]
    return (own, others) if abs(own - others) >= POINTS_APART and fisher_exact(table)[1] < LEVEL else None
