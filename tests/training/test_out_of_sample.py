"""A version that serves refitted on both sides of the split is never judged by an answer to a row that it learnt."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_rows import make_rows
from trueup.storage.rows import Rows
from trueup.training.evaluation.out_of_sample import out_of_sample

STREAM, ROWS = make_rows(60, 1)
TIMES = ROWS.meta["time"].to_numpy()


def answered(rows: Rows, by: str) -> Rows:
    return rows.with_meta(predicted=np.full(len(rows), by, dtype=object), score=np.full(len(rows), 0.5))


@given(
    st.lists(st.booleans(), min_size=60, max_size=60),
    st.lists(st.booleans(), min_size=60, max_size=60),
    st.integers(0, 59),
)
@settings(deadline=None)
def test_no_answer_to_a_learnt_row_is_given(asked: list[bool], judged: list[bool], last: int) -> None:
    """Up to the cut-off only the judged fit speaks, of its own rows; what serves is asked of later rows alone."""
    cut_off = TIMES[last].astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    its, wanted = np.array(judged) & (TIMES[last] >= TIMES), ROWS.take(np.array(asked))
    seen: list[int] = []

    def serving(rows: Rows) -> Rows:
        seen.extend(rows.meta["seq"])
        return answered(rows, "serving")

    met = out_of_sample(STREAM, serving, answered(ROWS.take(its), "judged"), cut_off)(wanted).meta
    later = wanted.meta["time"].to_numpy() > TIMES[last]
    fair = wanted.meta["seq"].isin(ROWS.meta["seq"][its]).to_numpy()
    assert seen == wanted.meta["seq"][later].tolist()
    assert met["seq"].tolist() == wanted.meta["seq"][later | fair].tolist()
    assert (met["predicted"] == np.where(met["time"].to_numpy() > TIMES[last], "serving", "judged")).all()
