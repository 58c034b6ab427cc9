"""What is drawn of a training for MLflow's pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.training.models.fitting import Fitted

MakeArtifacts = Callable[[StreamSettings, "Fitted", Rows, Rows, int, Callable[[str], str]], Mapping[str, bytes]]


def training_artifacts(
    stream: StreamSettings, fitted: Fitted, rows: Rows, judged: Rows, seed: int, mask: Callable[[str], str]
) -> Mapping[str, bytes]:
    """The files of a training's run: pictures of the model, and a summary of the rows it was made of.

    Args:
        rows: the snapshot in time order, both sides.
        judged: its labelled evaluation rows with the model's answers.
        mask: takes personal data out of a text that is shown.
    """
    from trueup.training.artifacts.data_summary_page import summary_files
    from trueup.training.artifacts.run_artifacts import pictures

    learning = rows.take(~rows.meta["evaluation"].to_numpy())
    return {
        **pictures(stream, fitted, learning, judged, seed, time.thread_time, mask),
        **summary_files(stream, rows, mask),
    }
