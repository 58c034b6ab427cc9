"""The made-up reviews are seeded, varied and fast; they can be learnt, break when told to, and can be learnt again."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pandas as pd
import pytest

from trueup.flows.demo.reviews import BROKEN, COLUMNS, Regime, make_reviews

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 1, tzinfo=UTC)


def learn(reviews: pd.DataFrame):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    decided = reviews[reviews.stars != 3]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(class_weight="balanced", max_iter=500))
    return model.fit(decided.text, decided.stars >= 4)


def macro_f1(model, reviews: pd.DataFrame) -> float:
    from sklearn.metrics import f1_score

    decided = reviews[reviews.stars != 3]
    return f1_score(decided.stars >= 4, model.predict(decided.text), average="macro")


@pytest.fixture(scope="module")
def healthy() -> pd.DataFrame:
    return make_reviews(1, START, 59, 3000)


@pytest.fixture(scope="module")
def champion(healthy):
    return learn(healthy)


def test_same_arguments_same_rows_and_other_ids_elsewhere(healthy):
    """A run can be repeated to the row, and what another seed or start makes never collides with it."""
    pd.testing.assert_frame_equal(healthy, make_reviews(1, START, 59, 3000))
    others = pd.concat([make_reviews(2, START, 59, 500), make_reviews(1, LATER, 59, 500)])
    assert not set(healthy.review_id) & set(others.review_id)
    assert tuple(healthy.columns) == COLUMNS


def test_rows_look_like_a_real_stream(healthy):
    """Texts vary but some repeat word for word, people post more than once, times rise inside the span."""
    assert healthy.review_id.is_unique
    assert 2000 < healthy.text.nunique() < 3000
    assert healthy.user.duplicated().mean() > 0.1
    assert set(healthy.stars) == {1, 2, 3, 4, 5}
    at = pd.to_datetime(healthy["at"], utc=True)
    assert at.is_monotonic_increasing
    assert at.iloc[0] >= START
    assert at.iloc[-1] < pd.Timestamp(START) + pd.Timedelta(days=59)


def test_twenty_thousand_rows_come_within_a_second():
    """The demo and the load tests do not wait for their data."""
    began = time.perf_counter()
    assert len(make_reviews(1, START, 60, 20_000)) == 20_000
    assert time.perf_counter() - began < 1


def test_a_simple_model_learns_the_healthy_stream(champion):
    """A TF-IDF logistic regression reaches .85 to .95 on later rows: learnable, and not trivial."""
    assert 0.85 < macro_f1(champion, make_reviews(1, LATER, 20, 3000)) < 0.95


def test_the_break_fells_a_frozen_model_and_a_retrained_one_recovers(champion, healthy):
    """The broken regime costs the old model more than a tenth; a thousand broken rows win most of it back."""
    seen, unseen = make_reviews(1, LATER, 10, 1000, BROKEN), make_reviews(2, LATER, 20, 2500, BROKEN)
    frozen = macro_f1(champion, unseen)
    assert frozen < macro_f1(champion, make_reviews(2, LATER, 20, 2500)) - 0.1
    assert macro_f1(learn(pd.concat([healthy, seen])), unseen) > max(0.85, frozen + 0.1)


def test_each_switch_moves_what_it_names(healthy):
    """New topics bring new products, sour moods lower stars, flipped labels keep the texts and mirror the stars."""
    topical = make_reviews(1, START, 59, 3000, Regime(topic_shift=0.5))
    assert 0.45 < topical["product"].isin(["Glint doorbell", "Harbor vacuum"]).mean() < 0.55
    sour = make_reviews(1, START, 59, 3000, Regime(sentiment_shift=0.5))
    assert (sour.stars >= 4).mean() < (healthy.stars >= 4).mean() - 0.2
    flipped = make_reviews(1, START, 59, 3000, Regime(label_flip=1.0))
    assert list(flipped.text) == list(healthy.text)
    assert list(flipped.stars) == list(6 - healthy.stars)


def test_dirt_spoils_its_share_and_writes_cells(tmp_path):
    """Dirty rows hold what real files hold, as text that a CSV keeps."""
    dirty = make_reviews(1, START, 59, 3000, Regime(dirt=0.2))
    clean = make_reviews(1, START, 59, 3000).astype(str).astype(object)
    spoilt = (dirty != clean).any(axis=1).mean()
    assert 0.17 < spoilt < 0.23
    assert dirty.text.isna().any()
    assert (dirty.text.dropna().str.len() > 100_000).any()
    assert {"yesterday", "2026-02-30T12:00:00Z"} <= set(dirty["at"].dropna())
    dirty.to_csv(tmp_path / "dirty.csv", index=False)
    assert len(pd.read_csv(tmp_path / "dirty.csv", dtype=str)) == 3000


def test_a_share_outside_nought_to_one_is_refused():
    """A switch is a share; anything else is a mistake of the caller, named."""
    with pytest.raises(ValueError, match=r"topic_shift = 1\.5 is no share"):
        Regime(topic_shift=1.5)
