"""The labels that the metric is judged on, where the window alone holds too few."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from tests.made_comparisons import compared
from tests.made_rows import make_rows
from trueup.flows.check.comparison import judged_rows
from trueup.monitoring.signals.sides import sides_of
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

HOURS = 1000


def _judged(stream: StreamSettings, rows: Rows) -> tuple[Rows, int, int]:
    """What a check at the rows' end judges under a champion that knew none of them."""
    answered = rows.with_meta(predicted=rows.meta["label"])
    end = pd.Timestamp(rows.meta["time"].iloc[-1]).to_pydatetime().replace(tzinfo=UTC)
    champion: Any = type("Record", (), {"cut_off": datetime(2023, 1, 1, tzinfo=UTC)})
    return judged_rows(stream, answered, rows.take(slice(0, 0)), "record", champion, end)


@pytest.mark.parametrize(("window", "looks", "own"), [("7d", 2, 168), ("1d", 9, 24), (100, 2, 100), (200, 1, 200)])
def test_a_series_window_grows_to_the_labels_it_needs(window: int | str, looks: int, own: int) -> None:
    """Hourly records under the default `min_labels` of 200 are judged, whatever the window; the level is shared out."""
    stream, rows = make_rows(HOURS, kind="table", window=window)
    judged, read, of_the_window = _judged(stream.model_copy(update={"series": True}), rows)
    assert len(judged) == max(200, own)
    assert judged.meta["time"].iloc[-1] == rows.meta["time"].iloc[-1]
    assert (read, of_the_window) == (looks, own)


def test_labels_of_a_series_drift_within_their_window() -> None:
    """Past windows are as long as the window, so DRF-LABEL takes no more than the labels of one."""
    stream, rows = make_rows(HOURS, kind="table", window="7d")
    stream = stream.model_copy(update={"series": True})
    judged, looks, own = _judged(stream, rows)
    given = compared(rows, judged, quality_looks=looks, quality_own=own)
    assert len(sides_of(stream, given).labels[1]) == 168
