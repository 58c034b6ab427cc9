"""What differs between two sets of records is counted, whatever their size and order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_rows import make_rows
from tests.many import examples
from trueup.monitoring.data_difference import data_difference
from trueup.storage.rows import Rows

STREAM, ROWS = make_rows(120, seed=3)
SIDES = ("before", "now")


@settings(max_examples=examples(30), deadline=None)
@given(kept=st.sets(st.integers(0, 119)), other=st.sets(st.integers(0, 119)))
def test_rows_add_up(kept: set[int], other: set[int]) -> None:
    """Came and kept are all there are now, went and kept all there were; nothing differs from itself."""
    before, now = (ROWS.take(np.array(sorted(side), int)) for side in (kept, other))
    found = data_difference(STREAM, SIDES, before, now).rows
    assert (found.came, found.went, found.kept) == (len(other - kept), len(kept - other), len(kept & other))
    assert (found.changed, found.relabelled) == (0, 0)
    assert (found.before, found.now) == (len(kept), len(other))


def test_records_that_changed_or_have_another_label_are_counted() -> None:
    """Of those in both, by their id."""
    content, label = ROWS.meta["content"].to_numpy().copy(), ROWS.meta["label"].to_numpy().copy()
    content[:7] += 1
    label[:3], label[3] = "other", None
    found = data_difference(STREAM, SIDES, ROWS, ROWS.with_meta(content=content, label=label))
    assert (found.rows.changed, found.rows.relabelled) == (7, 4)
    assert [one.name for one in found.classes] == ["no", "other", "yes"]
    assert found.classes[1].before == 0
    assert abs(sum(one.now or 0 for one in found.classes) - 1) < 1e-9


def test_words_that_one_side_alone_has_are_named_the_commonest_first() -> None:
    """Only where at least three records have them: rarer ones are typing errors and names of people."""
    texts = [f"{text} bluetooth" if k < 9 else f"{text} hinge" if k < 14 else text
             for k, text in enumerate(ROWS.features["content"])]  # fmt: skip
    texts[0] += " onlyonce"
    found = data_difference(STREAM, SIDES, ROWS, Rows(ROWS.features.assign(content=texts), ROWS.meta))
    assert [(one.word, one.records) for one in found.came] == [("bluetooth", 9), ("hinge", 5)]
    assert (found.words_came, found.words_went, found.went) == (2, 0, ())


def test_columns_tell_what_is_missing_and_what_moved() -> None:
    """Numbers by their median, categories by the level that moved most; a column that one side lacks by itself."""
    stream, rows = make_rows(100, seed=1, kind="table")
    features = rows.features.assign(a=rows.features["a"].where(np.arange(100) >= 25) + 10, c="one level")
    found = data_difference(stream, SIDES, rows, Rows(features, rows.meta))
    a, b, c = found.columns
    assert (a.missing_before, a.missing_now) == (0, 0.25)
    assert a.middle_before is not None
    assert a.middle_now is not None
    assert a.middle_now > a.middle_before + 5
    assert (b.middle_before, b.moved) == (b.middle_now, "")
    assert (c.moved, c.moved_now, c.middle_now) == ("one level", 1.0, 1.0)
    lacking = data_difference(stream, SIDES, Rows(rows.features.drop(columns="b"), rows.meta), rows)
    assert lacking.columns[1].missing_before is None


def test_the_label_of_a_regression_is_a_column() -> None:
    """Its median, and how many records have none, as of any number."""
    stream, rows = make_rows(40, seed=2, kind="table")
    stream = stream.model_copy(update={"task": "regression"})
    values = np.arange(40.0).astype(object)
    fewer = np.where(values < 10, None, values)
    found = data_difference(stream, SIDES, rows.with_meta(label=values), rows.with_meta(label=fewer))
    label = found.columns[-1]
    assert (label.column, label.missing_before, label.missing_now) == ("label", 0.0, 0.25)
    assert (label.middle_before, label.middle_now, found.classes) == (19.5, 24.5, ())
