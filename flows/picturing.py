"""What is drawn of a training for MLflow's pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from storage.rows import Rows
from storage.stream import Stream

if TYPE_CHECKING:
    from training.fitting import Fitted

Picture = Callable[[Stream, "Fitted", Rows, Rows, int], Mapping[str, bytes]]


def pictured(stream: Stream, fitted: Fitted, rows: Rows, judged: Rows, seed: int) -> Mapping[str, bytes]:
    """The files of a training's run: pictures of the model, and a summary of the rows it was made of.

    Args:
        rows: the snapshot in time order, both sides.
        judged: its labelled evaluation rows with the model's answers.
    """
    from training.plots import pictures
    from training.summary_page import summary_files

    learning = rows.take(~rows.meta["evaluation"].to_numpy())
    return {
        **pictures(stream, fitted, learning, judged, seed, time.thread_time),
        **summary_files(stream, rows),
    }
