"""Snapshots give back the rows that were put into them, to the digit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_rows import Kind, make_rows
from trueup.storage import snapshots
from trueup.storage.archive import Archive
from trueup.storage.rows import Rows


@pytest.mark.parametrize("kind", ["text", "table", "regression"])
def test_rows_come_back_as_they_were(kind: Kind, tmp_path: Path) -> None:
    """Features, labels, answers and what is known of each record are the same after keeping and loading."""
    _, rows = make_rows(300, 1, kind, unlabelled=0.3)
    answers = rows.meta["label"].to_numpy().copy()
    answers[::5] = None
    rows = rows.with_meta(predicted=answers, score=np.where(np.arange(300) % 7, np.linspace(0, 1, 300), np.nan))
    if kind == "table":
        levels = rows.features["c"].astype(object).where(np.arange(300) % 11 > 0, None)
        rows = Rows(rows.features.assign(c=levels, nothing=pd.Series([None] * 300, dtype=object)), rows.meta)
    archive = Archive("", tmp_path)
    name = snapshots.keep(archive, "made", rows, block=np.arange(300))
    loaded = snapshots.load(archive, name, regression=kind == "regression")
    pd.testing.assert_frame_equal(loaded.features, rows.features, check_exact=True)
    pd.testing.assert_frame_equal(loaded.meta, rows.meta, check_exact=True)
    held = snapshots.open_snapshot(archive, name, regression=kind == "regression", ids=False)
    nameless = held.rows().meta
    assert nameless["id"].isna().all()
    pd.testing.assert_frame_equal(nameless.drop(columns="id"), rows.meta.drop(columns="id"), check_exact=True)
    for which in (slice(290, None), np.array([3, 7, 299])):
        part, expected = held.rows(which), loaded.take(which)
        pd.testing.assert_frame_equal(part.features, expected.features, check_exact=True)
        pd.testing.assert_frame_equal(part.meta, expected.meta.assign(id=None), check_exact=True)
    assert held.rows(features=False).features.shape == (300, 0)
