"""What drove an answer: exact for linear models, the same question for all others, and never more than asked."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_rows import GOOD, Kind, make_rows, make_stream
from tests.many import examples
from trueup.storage.errors import ModelUnusable
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.training.candidates.recipes import default_recipes
from trueup.training.models.drivers import MOST_PARTS, drivers_of, word_parts
from trueup.training.models.fitting import answer, fit
from trueup_model.cleaning import WORD

WORDS = st.lists(st.sampled_from(["good", "bad", "Good", "so", "so", "!", "ßtark"]), min_size=1, max_size=12)


class CountingModel:
    """Log-odds of "yes": a weight for each time that a word comes."""

    classes_ = np.array(["no", "yes"])

    def __init__(self, weights: dict[str, float]) -> None:
        self.weights = weights

    def decision_function(self, columns: pd.DataFrame) -> np.ndarray:
        return np.array(
            [sum(self.weights.get(word.lower(), 0.0) for word in re.findall(WORD, text)) for text in columns.iloc[:, 0]]
        )


@settings(deadline=None, max_examples=examples(40))
@given(WORDS, st.lists(st.floats(-1, 1), min_size=5, max_size=5))
def test_of_a_linear_model_it_is_coefficient_times_count(words: list[str], weights: list[float]) -> None:
    """Leaving a word out changes the log-odds of the answer by exactly what the word adds to them."""
    weight = dict(zip(["good", "bad", "so", "!", "ßtark"], weights, strict=True))
    found = drivers_of(make_stream("text"), CountingModel(weight), pd.DataFrame({"content": [" ".join(words)]}))
    towards = 1 if found.predicted == "yes" else -1
    lower = [word.lower() for word in words]
    assert {driver.part.lower() for driver in found.drivers} == set(lower)
    for driver in found.drivers:
        name = driver.part.lower()
        assert driver.by == pytest.approx(towards * weight[name] * lower.count(name), abs=1e-6)
    assert [abs(d.by) for d in found.drivers] == sorted((abs(d.by) for d in found.drivers), reverse=True)


@settings(deadline=None)
@given(st.text(max_size=400), st.integers(1, 20))
def test_no_word_is_left_out_and_none_twice(text: str, most: int) -> None:
    """At most as many parts as allowed; together they take every word out once, whatever the text."""
    parts = word_parts(text, most)
    words = [word.lower() for word in re.findall(WORD, text)]
    assert len(parts) <= most
    if len(set(words)) <= most:
        assert [taken.lower() for taken, _ in parts] == list(dict.fromkeys(words))
        assert sum(len(words) - len(re.findall(WORD, left)) for _, left in parts) == len(words)
    else:
        assert [word.lower() for taken, _ in parts for word in re.findall(WORD, taken)] == words


@pytest.mark.parametrize("kind", ["text", "table", "regression"])
def test_every_kind_of_stream(kind: Kind) -> None:
    """The answer is the champion's own; what it learnt is found among the drivers."""
    stream, rows = make_rows(400, kind=kind)
    model = fit(default_recipes(stream)[0], stream, rows, 1, 300).model
    record = rows.features.iloc[:1].copy()
    if kind == "text":
        record["content"] = "word1 great word2"
    predicted, _ = answer(model, stream, record)
    found = drivers_of(stream, model, record)
    assert found.predicted == predicted[0]
    assert not found.untried
    if kind == "text":
        first = found.drivers[0]
        assert (first.column, first.part) == ("content", "great")
        assert first.part in GOOD
        assert first.by > 0
        assert first.without < (found.chance or 0)
    else:
        assert {driver.column for driver in found.drivers} == {"a", "b", "c"}
    if kind == "regression":
        assert found.chances == ()
        assert found.chance is None
        assert all(d.by == pytest.approx(found.predicted - d.without) for d in found.drivers)


def test_more_than_two_classes_and_columns_that_are_empty() -> None:
    """Every class has its chance, adding up to one; a column that holds nothing drove nothing."""
    stream = StreamSettings(name="made", time="at", numeric=("a", "b"), label=LabelPolicy(column="y"))

    class Three:
        classes_ = np.array(["x", "y", "z"])

        def decision_function(self, columns: pd.DataFrame) -> np.ndarray:
            a = columns["a"].fillna(0).to_numpy()
            return np.stack([0 * a, a, -a], axis=1)

    found = drivers_of(stream, Three(), pd.DataFrame({"a": [2.0], "b": [np.nan]}))
    assert found.predicted == "y"
    assert [name for name, _ in found.chances] == ["y", "x", "z"]
    assert sum(chance for _, chance in found.chances) == pytest.approx(1)
    assert [(d.column, d.part) for d in found.drivers] == [("a", "")]
    assert found.drivers[0].without == pytest.approx(1 / 3)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 4))
def test_it_ends_when_the_time_is_up(calls: int) -> None:
    """What was tried by then stands, and how much was not is said."""
    left = iter([True] * calls)
    text = " ".join(f"w{k}" for k in range(MOST_PARTS))
    found = drivers_of(
        make_stream("text"), CountingModel({}), pd.DataFrame({"content": [text]}), lambda: next(left, False)
    )
    assert len(found.drivers) + found.untried == MOST_PARTS
    assert (found.untried == MOST_PARTS) == (calls == 0)


def test_a_model_that_fails_says_so_plainly() -> None:
    """Whatever it raises is the one error that callers know."""
    with pytest.raises(ModelUnusable, match="fails on 1 rows"):
        drivers_of(make_stream("text"), CountingModel({}), pd.DataFrame({"content": [3]}))
