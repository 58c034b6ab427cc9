"""Streams whose label feed breaks, or whose concept changes: made numbers, and texts drawn from the real sets.

A stream is 1,500 records of history and two windows of 300. From the first window on its labels break, or its concept
changes. A model sees a matrix and nothing else; what a broken feed tells is not the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.machine import DATA

HISTORY, WINDOW, WINDOWS = 1500, 300, 2
NEW = WINDOW * WINDOWS
SOURCES = ("made", "greenlight", "flipkart")
_FILES = {
    "greenlight": ("greenlight_play.csv", "content", "score"),
    "flipkart": ("flipkart_badminton.csv", "Review text", "Ratings"),
}


@dataclass(frozen=True)
class FeedStream:
    """inputs: rows × features (sparse or dense), oldest first. truth, told: "no" or "yes". labelled: booleans."""

    inputs: Any
    truth: np.ndarray
    told: np.ndarray
    labelled: np.ndarray
    topic: np.ndarray

    @property
    def new(self) -> np.ndarray:
        return np.arange(len(self.truth)) >= HISTORY


Change = Callable[[FeedStream, np.random.Generator], FeedStream]


def _tell(stream: FeedStream, labels: np.ndarray) -> FeedStream:
    return replace(stream, told=np.where(stream.new, labels, stream.told).astype(object))


def _other(labels: np.ndarray) -> np.ndarray:
    return np.where(labels == "yes", "no", "yes").astype(object)


def _default(share: float) -> Change:
    return lambda s, rng: _tell(s, np.where(rng.random(len(s.truth)) < share, "no", s.truth))


def _random(s: FeedStream, rng: np.random.Generator) -> FeedStream:
    return _tell(s, np.where(rng.random(len(s.truth)) < 0.3, _other(s.truth), s.truth))


def _late(s: FeedStream, rng: np.random.Generator) -> FeedStream:
    return replace(s, labelled=~(s.new & (s.truth == "yes") & (rng.random(len(s.truth)) < 0.8)))


def _topic(s: FeedStream, rng: np.random.Generator) -> FeedStream:
    return _tell(s, np.where(s.topic, _other(s.truth), s.truth))


BROKEN: dict[str, Change] = {
    "one class": _default(1.0),
    "95 % default": _default(0.95),
    "50 % default": _default(0.5),
    "shifted by one row": lambda s, rng: _tell(s, np.roll(s.truth, 1)),
    "30 % random": _random,
    "positives late": _late,
}
TRUE: dict[str, Change] = {
    "full flip": lambda s, rng: _tell(s, _other(s.truth)),
    "topic flip": _topic,
    "class mix": lambda s, rng: s,  # by what is drawn
    "new kind of records": lambda s, rng: s,
}
KINDS = {**BROKEN, **TRUE}


def drawn(source: str, kind: str, seed: int) -> FeedStream:
    """One stream of a source and a kind; the same for the same seed."""
    rng = np.random.default_rng([seed, SOURCES.index(source), list(KINDS).index(kind)])
    stream = _made(kind, rng) if source == "made" else _texts(source, kind, rng)
    return KINDS[kind](stream, rng)


def _stream(inputs: Any, truth: np.ndarray, topic: np.ndarray) -> FeedStream:
    return FeedStream(inputs, truth, truth, np.ones(len(truth), dtype=bool), topic)


def _made(kind: str, rng: np.random.Generator) -> FeedStream:
    n, columns = HISTORY + NEW, 8
    new = np.arange(n) >= HISTORY
    share = np.where(new & (kind == "class mix"), 0.15, 0.42)
    truth = np.where(rng.random(n) < share, "yes", "no").astype(object)
    way = rng.normal(size=columns)
    way *= 2.2 / np.linalg.norm(way)
    values = rng.normal(size=(n, columns)) + np.where(truth == "yes", 0.5, -0.5)[:, None] * way
    if kind == "new kind of records":  # another way of telling the classes, at another place
        other, there = rng.normal(size=columns), new & (rng.random(n) < 0.6)
        other *= 2.2 / np.linalg.norm(other)
        values[there] += np.where(truth[there] == "yes", 0.5, -0.5)[:, None] * (other - way)
    return _stream(values, truth, values @ np.roll(way, 1) > 0.5)


def _texts(source: str, kind: str, rng: np.random.Generator) -> FeedStream:
    words, inputs, label = _pool(source)
    n, picked = HISTORY + NEW, rng.permutation(len(label))
    order = picked[:n]
    if kind == "class mix":  # half of the rarer class's records are left out of the new ones
        names, counts = np.unique(label, return_counts=True)
        rare = label[picked] == names[counts.argmin()]
        later = picked[HISTORY:][~rare[HISTORY:] | (rng.random(len(picked) - HISTORY) < 0.5)]
        order = np.concatenate([picked[:HISTORY], later[:NEW]])
    if kind == "new kind of records":  # long ones, which the history had none of
        long = words[picked] > np.quantile(words, 0.7)
        short, late = picked[~long], picked[long]
        order = np.concatenate([short[:HISTORY], rng.permutation(np.concatenate([late[:NEW], short[HISTORY:n]]))[:NEW]])
    return _stream(inputs[order], label[order], words[order] > np.quantile(words, 0.6))


@cache
def _pool(source: str) -> tuple[np.ndarray, Any, np.ndarray]:
    """Of all different texts of a set: their words, their TF-IDF, and whether the stars say "yes"."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    file, text, stars = _FILES[source]
    rows = pd.read_csv(DATA / file, usecols=[text, stars]).dropna().drop_duplicates(text)
    rows = rows[rows[stars] != 3]
    texts = rows[text].astype(str)
    inputs = TfidfVectorizer(min_df=5, max_features=3000, sublinear_tf=True).fit_transform(texts).tocsr()
    return texts.str.split().str.len().to_numpy(), inputs, np.where(rows[stars] > 3, "yes", "no").astype(object)
