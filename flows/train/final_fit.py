"""The winner of a search as a version: fitted, answered for, and kept with the rows that it is compared by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.flows.app import App
from trueup.storage import snapshots
from trueup.storage.rows import Rows, unique_content
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.candidates.recipes import Recipe
    from trueup.training.models.fitting import Fitted


@dataclass(frozen=True)
class FinalFit:
    """The winner fitted, and its answers.

    judged_fit: on the training side; metrics and answers are its own. serving: what is stored, the same one but where
    it is refitted on both sides. held_out: the evaluation side, answered; judged: the labelled ones of it.
    """

    judged_fit: Fitted
    serving: Fitted
    held_out: Rows
    judged: Rows
    metrics: dict[str, float]

    @property
    def refit_labels(self) -> int:
        """The labels that the refitted model was fitted on; 0 where none was made."""
        return 0 if self.serving is self.judged_fit else len(self.serving.used)


@dataclass(frozen=True)
class References:
    """The names of the Parquet files that a version is compared by."""

    snapshot: str
    reference: str
    quality: str


def final_fit(stream: StreamSettings, rows: Rows, winner: Recipe, seed: int, *, refit: bool) -> FinalFit:
    """The winner fitted on the training side of the snapshot, its answers to the evaluation side, and what serves.

    Raises:
        NotTrainable: the rows cannot be learnt from.
        ModelUnusable: the model just fitted cannot answer.
    """
    from trueup.training.models.fitting import answer, fit, ordered_classes
    from trueup.training.models.metrics import all_metrics
    from trueup.training.models.recency import recent_row_count
    from trueup.training.models.refit import serving_fit

    learning = rows.take(~rows.meta["evaluation"].to_numpy())
    fitted = fit(winner, stream, learning, seed, recent_row_count(stream, rows))
    held_out = rows.take(rows.meta["evaluation"].to_numpy())
    predicted, chances = answer(fitted.model, stream, held_out.features)
    held_out = held_out.with_meta(predicted=predicted, score=chances)
    judged = held_out.take(held_out.labelled)
    metrics = all_metrics(
        stream.task,
        judged.meta["label"].to_numpy(),
        judged.meta["predicted"].to_numpy(),
        judged.meta["score"].to_numpy(),
        ordered_classes(stream, learning.take(learning.labelled).meta["label"].to_numpy()),
    )
    serving = serving_fit(fitted, stream, rows, seed) if refit else fitted
    return FinalFit(fitted, serving, held_out, judged, metrics)


def keep_references(app: App, stream: StreamSettings, rows: Rows, fit: FinalFit, seed: int) -> References:
    """Keep what later checks and gates compare with: the snapshot, new content with answers, and rows out of time."""
    from trueup.training.models.fitting import answer
    from trueup.training.models.out_of_time import out_of_time

    past = out_of_time(stream, fit.judged_fit.recipe, rows, seed)
    reference = unique_content(fit.held_out, rows)
    served = answer(fit.serving.model, stream, reference.features) if fit.refit_labels else None
    return References(
        snapshot=snapshots.keep(app.archive, stream.name, rows),
        reference=snapshots.keep(app.archive, stream.name, reference, served=served),
        quality=snapshots.keep(app.archive, stream.name, past.rows, block=past.blocks),
    )
