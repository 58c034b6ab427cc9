"""The metric's reference asks about what came next, and only about content that was new then."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_rows import make_rows
from trueup.storage.rows import Rows
from trueup.training.candidates.recipes import candidates
from trueup.training.models.fitting import fit
from trueup.training.models.out_of_time import block_edges, out_of_time
from trueup.training.models.recency import recent_row_count


def test_blocks_are_the_newest_windows_of_the_second_half() -> None:
    """Four windows where they fit behind half of the history, eight for a series, one quarter in a young stream."""
    stream, rows = make_rows(2000, 0, window=200)
    assert block_edges(stream, rows).tolist() == [1200, 1400, 1600, 1800, 2000]
    series = stream.model_copy(update={"series": True})
    assert block_edges(series, rows).tolist() == [1000, 1200, 1400, 1600, 1800, 2000]
    assert block_edges(stream, rows.take(slice(0, 300))).tolist() == [225, 300]


def test_a_window_of_days_gives_blocks_of_days() -> None:
    """A window that is a span cuts the history by time."""
    stream, rows = make_rows(1000, 0, window="5d")
    assert block_edges(stream, rows).tolist() == [520, 640, 760, 880, 1000]


def test_each_block_is_answered_by_what_was_known_before_it() -> None:
    """The answers of a block equal those of the recipe fitted on the training side before it."""
    stream, rows = make_rows(1200, 0, window=150, unlabelled=0.2)
    recipe = next(r for r in candidates(stream) if r.model == "logistic_regression")
    found = out_of_time(stream, recipe, rows, 0)
    assert len(found.rows) == len(found.blocks)
    assert found.rows.meta["label"].notna().all()
    assert found.rows.meta["predicted"].notna().all()
    assert found.rows.meta["score"].between(0, 1).all()
    edges = block_edges(stream, rows)
    past = rows.take(slice(0, edges[1])).take(~rows.meta["evaluation"].to_numpy()[: edges[1]])
    fitted = fit(recipe, stream, past, 0, recent_row_count(stream, rows))
    second = found.rows.take(found.blocks == 1)
    np.testing.assert_array_equal(
        second.meta["score"].to_numpy(), fitted.model.predict_proba(second.features[["content"]])[:, 1]
    )


def test_content_that_was_fitted_is_not_asked_about() -> None:
    """A text that stands in the rows learnt from would be answered from memory, so it is left out."""
    stream, rows = make_rows(1200, 0, window=150)
    repeated = rows.with_meta(content=np.arange(1200) % 700)
    found = out_of_time(stream, candidates(stream)[0], repeated, 0)
    for block in range(4):
        first = found.rows.take(found.blocks == block).meta["seq"].min()
        training = ~repeated.meta["evaluation"].to_numpy()[:first]
        known = set(repeated.meta["content"][:first][training])
        assert not known & set(found.rows.take(found.blocks == block).meta["content"])


def test_a_block_with_no_past_to_learn_from_is_left_out() -> None:
    """Where the labels before a block know one class only there is no reference of that block."""
    stream, rows = make_rows(800, 0, window=100)
    late = rows.meta["label"].to_numpy().copy()
    late[:550] = "yes"
    found = out_of_time(stream, candidates(stream)[0], rows.with_meta(label=late), 0)
    assert found.rows.meta["seq"].min() >= 600
    assert found.blocks.min() == 0


def test_an_empty_snapshot_gives_no_reference() -> None:
    """Nothing in, nothing out."""
    stream, _ = make_rows(10, 0)
    assert len(out_of_time(stream, candidates(stream)[0], Rows.empty(stream.columns), 0).rows) == 0


@pytest.mark.parametrize("kind", ["table", "regression"])
def test_other_kinds_of_streams_have_a_reference_too(kind: str) -> None:
    """Numbers and categories are answered out of time as texts are."""
    stream, rows = make_rows(600, 0, kind, window=100)  # type: ignore[arg-type]
    found = out_of_time(stream, candidates(stream)[0], rows, 0)
    assert set(found.blocks) == {0, 1, 2}
