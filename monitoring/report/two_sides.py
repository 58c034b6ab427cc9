"""Two sides of labelled answers, or of records, as Evidently's plots: by its classification and regression presets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd

from trueup.monitoring.report.drift_sections import Section, summary_sections
from trueup.monitoring.report.frames import LABEL, PREDICTED, SCORE_COLUMN, input_frames, labelled_frame, sample_rows
from trueup.monitoring.report.quality_section import quality_sections
from trueup.monitoring.report.render import snapshot_of
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

_MOST = 5_000  # rows that are plotted


def snapshot_of_models(
    stream: StreamSettings,
    truth: np.ndarray,
    before: tuple[np.ndarray, np.ndarray],
    now: tuple[np.ndarray, np.ndarray],
    *,
    title: str,
    seed: int,
    as_of: datetime,
) -> tuple[bytes, tuple[str, ...]]:
    """What two models answered on the same n rows, the second as current, the first as reference.

    before, now: answers and scores of either.

    Returns:
        Evidently's snapshot as JSON, and what it could not show, one sentence each.
    """
    kept = np.arange(len(truth))
    if len(kept) > _MOST:
        kept = np.sort(np.random.default_rng(seed).choice(len(kept), _MOST, replace=False))
    first, second = (_answers(stream, truth[kept], answers[kept], score[kept]) for answers, score in (before, now))
    return snapshot_of(lambda said: quality_sections(stream, first, second, said), title=title, seed=seed, as_of=as_of)


def snapshot_of_periods(
    stream: StreamSettings, before: Rows, now: Rows, *, title: str, seed: int, as_of: datetime
) -> tuple[bytes, tuple[str, ...]]:
    """The records of two periods, with what was answered, the second as current, the first as reference.

    Returns: as `snapshot_of_models`.
    """
    first, second = sample_rows(before, seed), sample_rows(now, seed)

    def sections(said: list[str]) -> Iterator[Section]:
        yield from summary_sections(input_frames(stream, first, second), said)
        if stream.predicts:
            yield from quality_sections(stream, labelled_frame(stream, first), labelled_frame(stream, second), said)

    return snapshot_of(sections, title=title, seed=seed, as_of=as_of)


def _answers(stream: StreamSettings, truth: np.ndarray, answers: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    if stream.is_regression:
        return pd.DataFrame({LABEL: truth.astype(float), PREDICTED: answers.astype(float)})
    names = {LABEL: truth, PREDICTED: answers}
    frame = pd.DataFrame({name: pd.Series(list(map(str, values)), dtype=object) for name, values in names.items()})
    return frame.assign(**{SCORE_COLUMN: score.astype(float)})
