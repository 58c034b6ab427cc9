"""What determines an answer is found on newer rows; what only says much of it is not taken for the answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.determination import DETERMINED, Determination, determinations
from trueup.feedback.words_of_texts import tokens

RNG = np.random.default_rng(3)
N = 600
X, Y, NOISE = (RNG.normal(size=N) for _ in range(3))
STARS = RNG.integers(1, 6, N)
SENTIMENT = np.where(STARS < 3, "bad", "good")
WORDS = np.array(["the", "app", "is", "slow", "nice", "on", "my", "phone", "today", "again"])


def _objects(values: list[str | None]) -> np.ndarray:
    return np.array([*values, None], dtype=object)[:-1]


def _texts(write: str, times: float = 1.0) -> np.ndarray:
    plain = [" ".join(RNG.choice(WORDS, 6)) for _ in range(N)]
    return _objects([
        write.format(text=text, stars=s, row="★" * s + "☆" * (5 - s)) if k < times * N else text
        for k, (text, s) in enumerate(zip(plain, STARS, strict=True))
    ])  # fmt: skip


def _determining(
    answer: np.ndarray, *, regression: bool = False, texts: dict[str, np.ndarray] | None = None, **columns: np.ndarray
) -> list[Determination]:
    found = determinations(answer, columns, texts or {}, regression=regression)
    return [one for one in found if one.gain >= DETERMINED]


@pytest.mark.parametrize(
    ("answer", "columns", "culprit"),
    [
        (np.where(X > 0.3, "late", "ok"), {"x": X, "y": Y}, ("x",)),
        (np.where(X > Y, "late", "ok"), {"x": X, "noise": NOISE, "y": Y}, ("x", "y")),
        (np.where(X > 0.5, "a", "b"), {"reply": np.where(X > 0.5, NOISE, np.nan), "y": Y}, ("reply",)),
        (np.where(X > 0.5, "a", "b"), {"agent": _objects([None if x > 0.5 else "v" for x in X])}, ("agent",)),
        (SENTIMENT, {"csat": _objects([f"{s} of 5" for s in STARS])}, ("csat",)),
    ],
)
def test_a_column_or_two_that_hold_a_class_are_named(
    answer: np.ndarray, columns: dict[str, np.ndarray], culprit: tuple[str, ...]
) -> None:
    """By a threshold, by which of two is greater, by being filled, by its values."""
    assert [one.columns for one in _determining(answer, **columns)] == [culprit]


@pytest.mark.parametrize("answer", [X * 1.8 + 32, X + Y, X - Y, X * Y, X / Y])
def test_numbers_that_make_up_a_number_are_named(answer: np.ndarray) -> None:
    """The answer in another unit; two that add up to it, or multiply."""
    (found, *_) = _determining(answer, regression=True, x=X, noise=NOISE, y=Y)
    assert found.columns in (("x",), ("x", "y"))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        ("{text}. Rating: {stars}", "the last word"),
        ("{text} rated {stars}/5 by me, {text}", "the word after 'rated'"),
        ("{text} {row}", "the last word"),
        ("Stars: {stars}. {text}", "the word after 'stars'"),
    ],
)
def test_a_rating_that_stands_in_a_text_is_named(write: str, said: str) -> None:
    """Wherever it stands, with the words beside it."""
    (found,) = _determining(SENTIMENT, texts={"text": _texts(write)})
    assert found.said == f"{said} in 'text'"


def test_a_word_of_one_class_alone_is_named() -> None:
    """Its presence is the answer."""
    texts = _objects([f"{t} refund" if s < 3 else t for t, s in zip(_texts("{text}"), STARS, strict=True)])
    (found,) = _determining(SENTIMENT, texts={"text": texts})
    assert found.said == "'refund' in 'text'"


def test_what_was_written_into_half_of_the_texts_is_seen() -> None:
    """The others do not hide it."""
    order = RNG.permutation(N)
    texts = _texts("{text} Rating: {stars}", times=0.5)[order]
    assert _determining(SENTIMENT[order], texts={"text": texts})[0].part == "the word after 'rating'"


def test_what_follows_a_word_of_the_language_is_no_leak() -> None:
    """In a third of the texts "not" and a word of the other mood: it tells the answer there, as it should."""
    moods = {"good": ["bad", "slow", "awful", "broken"], "bad": ["great", "fast", "nice", "reliable"]}
    texts = _objects([
        f"{text} not {RNG.choice(moods[answer])} today" if RNG.random() < 0.4 else text
        for text, answer in zip(_texts("{text}"), SENTIMENT, strict=True)
    ])  # fmt: skip
    assert _determining(SENTIMENT, texts={"text": texts}) == []


@settings(max_examples=examples(20), deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9), regression=st.booleans())
def test_noise_and_honest_features_determine_nothing(seed: int, share: float, regression: bool) -> None:
    """A column that errs in one row of ten is a good feature, and no leak."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=400)
    good = x + 0.3 * rng.normal(size=400)
    answer = x if regression else np.where(x > np.quantile(x, share), "a", "b")
    assert _determining(answer, regression=regression, good=good, other=rng.normal(size=400)) == []


def test_a_leak_of_a_rare_class_is_seen_among_many_rows() -> None:
    """One row in two hundred: more rows are looked at than otherwise."""
    rare = RNG.random(30_000) < 0.005
    status = _objects(["charged back" if one else "paid" for one in rare])
    answer = np.where(rare, "fraud", "fine")
    (found,) = _determining(answer, status=status, noise=RNG.normal(size=30_000))
    assert (found.columns, found.gain) == (("status",), 1.0)


def test_yesterdays_value_is_no_leak_of_todays() -> None:
    """In a walk the row before says nearly all, as it does by itself: the naive answer."""
    walk = np.cumsum(RNG.normal(size=2000))
    assert _determining(walk, regression=True, lag=np.r_[0.0, walk[:-1]], noise=RNG.normal(size=2000)) == []


@pytest.mark.parametrize("rows", [0, 1, 40, 90])
def test_few_rows_say_nothing(rows: int) -> None:
    """Neither does one class alone."""
    assert determinations(SENTIMENT[:rows], {"x": X[:rows]}, {}, regression=False) == ()
    assert determinations(np.array(["a"] * N), {"x": X}, {}, regression=False) == ()


def test_the_real_sets_have_no_leak_and_one_that_was_left_out(shared_data: Path) -> None:
    """Reviews, and bike rentals by the features of its example; casual and registered add up to the rentals."""
    reviews = pd.read_csv(shared_data / "greenlight_play.csv").sort_values("at").query("score != 3").tail(3000)
    answer = np.where(reviews["score"] < 3, "bad", "good")
    assert _determining(answer, texts={"content": reviews["content"].to_numpy(dtype=object)}) == []
    bikes = pd.read_csv(shared_data / "bike_sharing_hour.csv")
    columns = {c: bikes[c].to_numpy(dtype=float) for c in ("hr", "temp", "hum", "windspeed", "casual", "registered")}
    (found,) = _determining(bikes["cnt"].to_numpy(dtype=float), regression=True, **columns)
    assert found.columns == ("casual", "registered")


def test_words_are_found_as_they_are_written() -> None:
    """Small letters; numbers with their point, and signs, are words."""
    assert tokens("Rating: 4,5 — GREAT 5/5 ★★★!") == ["rating", ":", "4,5", "—", "great", "5/5", "★★★!"]
    assert tokens(None) == []
