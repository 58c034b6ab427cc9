"""Small streams: what serves is fitted on both sides of the split, and judged by the fit on one of them.

An evaluation side of a fifth costs a stream of a few hundred labels more than it costs a large one. Under
`training.refit_below` a version is two fits of one recipe. The *judged* fit, on the training side, has all the figures,
answers the references of checks and passes the gate; the *serving* fit, on the rows of both sides, is what is stored.
What the serving one answers to rows that it learnt judges nothing.
"""

from __future__ import annotations

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.models.fitting import Fitted, fit
from trueup.training.models.recency import recent_row_count


def asks_for_refit(stream: StreamSettings, rows: Rows) -> bool:
    """Whether a version on this snapshot, of both sides, serves refitted: it has fewer labels than the settings say."""
    return int(rows.labelled.sum()) < stream.training.refit_below


def serving_fit(judged: Fitted, stream: StreamSettings, rows: Rows, seed: int) -> Fitted:
    """The recipe of the judged fit, fitted on all labelled rows of the snapshot.

    Raises:
        NotTrainable: the estimator refuses them.
    """
    return fit(judged.recipe, stream, rows, seed, recent_row_count(stream, rows))


def refit_in_words(labels: int, judged: int) -> str:
    """What serves and whose figures are told, from the labels that each was fitted on."""
    return (
        f"serves refitted on all {labels:,} labelled rows of both sides; its figures are those of the same recipe "
        f"fitted on the {judged:,} of the training side"
    )
