"""Made comparisons: healthy records of ten columns, and the breaks that a monitor is expected to see.

Nine columns are inputs (`NUMERIC`, `CATEGORICAL`, `TEXT`), the tenth is the model's `score`. Texts and their labels are
real reviews from ../shared/data, each with the class its stars tell (1-2 negative, 4-5 positive; 3 left out). The model
is a TF-IDF logistic regression fitted once on reviews that no comparison draws from. The other columns are independent
of the text and of each other, so that records are exchangeable by construction and what is broken is broken alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection import breaks

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NUMERIC = ("normal", "skewed", "lumpy", "heavy")
CATEGORICAL = ("five", "eight", "many", "flag")
TEXT = "text"
CLASSES = ("negative", "positive")
MODEL_ROWS = 1000  # reviews the model is fitted on
MODEL_SEED = 2024

_FILES = {
    "greenlight": ("greenlight_play.csv", "content", "score"),
    "flipkart": ("flipkart_badminton.csv", "Review text", "Ratings"),
}
_SHARES = {
    "five": np.array([0.4, 0.3, 0.15, 0.1, 0.05]),
    "eight": 1 / np.arange(1, 9) / (1 / np.arange(1, 9)).sum(),
    "many": 1 / np.arange(1, 201) / (1 / np.arange(1, 201)).sum(),
}


@dataclass(frozen=True)
class Kind:
    """A way in which current differs from reference.

    what: the break in words. touches: the columns whose distribution it changes; empty where no input does.
    damage: changes the current frame in place. positive: share of positive reviews before and now.
    """

    what: str
    touches: tuple[str, ...] = ()
    damage: Callable[[pd.DataFrame, np.random.Generator], None] | None = None
    positive: tuple[float, float] = (0.65, 0.65)
    reviews: str = "greenlight"


KINDS: dict[str, Kind] = {
    "none": Kind("nothing: both hands are one draw"),
    "shift": Kind("`normal` moves by .2 standard deviations", ("normal",), breaks.shift),
    "scale": Kind("`normal` spreads by 1.3", ("normal",), breaks.scale),
    "outliers": Kind("10 % of `normal` lie four standard deviations higher", ("normal",), breaks.outliers),
    "humps": Kind("`normal` has two humps, same mean and variance", ("normal",), breaks.humps),
    "category": Kind("5 % of `eight` take a level never seen", ("eight",), breaks.category),
    "missing": Kind("missing values of `heavy` go from 10 % to 20 %", ("heavy",), breaks.missing),
    "topic": Kind("3 of 12 new words in 20 % of texts", ("text",), breaks.topic),
    "topic_common": Kind("3 of 12 words already in use (login, crash …) in 20 % of texts", ("text",),
                         breaks.topic_common),
    "vocabulary": Kind("five common words get other names in 20 % of texts", ("text",), breaks.vocabulary),
    "typos": Kind("two letters swapped in a third of the longer words, in 30 % of texts", ("text",), breaks.typos),
    "mojibake": Kind("UTF-8 read as Windows-1252 in 30 % of texts", ("text",), breaks.mojibake),
    "sentiment": Kind("positive reviews go from .65 to .45, Greenlight", ("text", "score"), None, (0.65, 0.45)),
    "sentiment_flipkart": Kind("positive reviews go from .65 to .45, Flipkart", ("text", "score"), None,
                               (0.65, 0.45), "flipkart"),
    "prior": Kind("positive reviews go from .30 to .80: the mix changes, the concept does not", ("text", "score"),
                  None, (0.3, 0.8)),
    "label_flip": Kind("15 % of the labels turn over: the concept changes, no input does", (), breaks.label_flip),
    "spam": Kind("10 % of records are one text of three authors each", ("text", "score"), breaks.spam),
}


@dataclass(frozen=True)
class Reviews:
    """Real reviews to draw from, with the answers of the model that was fitted on others (`fitted`)."""

    fitted: np.ndarray
    texts: np.ndarray
    positive: np.ndarray
    scores: np.ndarray
    model: Any


def make(kind: str, seed: int, n_reference: int, n_current: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reference and current of one comparison: a pure function of its arguments.

    Columns: `NUMERIC` (float64, `heavy` with NaN), `CATEGORICAL` (str; `flag` is bool), `text`, `author`, `label` and
    `predicted` (of `CLASSES`), `score` (probability of positive). Reviews are drawn without replacement where there
    are enough of a class, else with it. At one seed all kinds start from the same draw of the other columns.
    """
    told = KINDS[kind]
    reviews = real_reviews(told.reviews)
    rng = np.random.default_rng((seed, n_reference, n_current))
    records = _columns(n_reference + n_current, rng)
    positive = rng.random(len(records)) < np.repeat(told.positive, (n_reference, n_current))
    drawn = _draw(reviews, positive, rng)
    records["text"] = reviews.texts[drawn]
    records["author"] = [f"author {number}" for number in rng.integers(0, 2**60, len(records))]
    records["label"] = np.where(positive, CLASSES[1], CLASSES[0]).astype(object)
    records["score"] = reviews.scores[drawn]
    reference, current = (part.reset_index(drop=True) for part in (records[:n_reference], records[n_reference:]))
    if told.damage:
        before = current["text"].copy()
        told.damage(current, rng)
        changed = (current["text"] != before).to_numpy()
        if changed.any():
            current.loc[changed, "score"] = reviews.model.predict_proba(current["text"][changed])[:, 1]
    for part in (reference, current):
        part["predicted"] = np.where(part["score"] > 0.5, CLASSES[1], CLASSES[0]).astype(object)
    return reference, current


@lru_cache
def real_reviews(name: str) -> Reviews:
    """The labelled reviews of a set, scored; those the model was fitted on are left out.

    Raises:
        SystemExit: the data sets are not there.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    file, text, stars = _FILES[name]
    if not (DATA / file).exists():
        raise SystemExit(f"{file} is not in ../shared/data, so no texts can be drawn: put the data sets there")
    rows = pd.read_csv(DATA / file, usecols=[text, stars]).dropna()
    rows = rows[rows[stars] != 3].sample(frac=1, random_state=MODEL_SEED)
    texts = rows[text].str.removesuffix("READ MORE").str.strip().to_numpy(dtype=object)
    positive = (rows[stars] > 3).to_numpy()
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2),
        LogisticRegression(C=10, class_weight="balanced", max_iter=1000),
    )
    model.fit(texts[:MODEL_ROWS], positive[:MODEL_ROWS])
    fitted, texts, positive = texts[:MODEL_ROWS], texts[MODEL_ROWS:], positive[MODEL_ROWS:]
    return Reviews(fitted, texts, positive, model.predict_proba(texts)[:, 1], model)


def _columns(n: int, rng: np.random.Generator) -> pd.DataFrame:
    named = {name: np.array([f"{name} {i}" for i in range(len(p))], dtype=object) for name, p in _SHARES.items()}
    return pd.DataFrame(
        {
            "normal": rng.normal(size=n),
            "skewed": rng.lognormal(size=n),
            "lumpy": np.where(rng.random(n) < 0.6, 0.0, np.round(rng.gamma(2, 2, n))),
            "heavy": np.where(rng.random(n) < breaks.MISSING, np.nan, rng.standard_t(2, n)),
            **{name: rng.choice(named[name], n, p=p) for name, p in _SHARES.items()},
            "flag": rng.random(n) < 0.2,
        }
    )


def _draw(reviews: Reviews, positive: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A review of the wanted class for each record, as row numbers."""
    drawn = np.empty(len(positive), dtype=int)
    for wanted in (False, True):
        places, among = np.flatnonzero(positive == wanted), np.flatnonzero(reviews.positive == wanted)
        drawn[places] = rng.choice(among, len(places), replace=len(places) > len(among))
    return drawn
