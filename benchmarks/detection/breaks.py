"""The breaks: each changes a current frame in place, by draws of the generator it is given."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

MISSING = 0.10  # share of missing values in a healthy `heavy`
NEW_WORDS = ("quibbet", "zandora", "frelling", "mopstick", "hurdine", "velkast", "brontip", "gossaly", "pelwick",
             "tramble", "ysterin", "ockwood")
COMMON_WORDS = ("login", "crash", "screen", "password", "update", "error", "load", "log", "code", "email", "number",
                "phone")
RENAMED = {"app": "platform", "card": "plastic", "money": "funds", "kids": "youngsters", "account": "profile"}
SPAM = ("earn 500 every day at home, ask me how, link in my profile",
        "use my code GOLD77 and get ten dollars free, works every time",
        "best loans without papers, write to our number for fast cash")


def shift(current: pd.DataFrame, rng: np.random.Generator) -> None:
    current["normal"] += 0.2


def scale(current: pd.DataFrame, rng: np.random.Generator) -> None:
    current["normal"] *= 1.3


def outliers(current: pd.DataFrame, rng: np.random.Generator) -> None:
    current["normal"] += 4.0 * (rng.random(len(current)) < 0.1)


def humps(current: pd.DataFrame, rng: np.random.Generator) -> None:
    """Two normals at ±.8, each of variance .36, so that mean and variance stay as they were."""
    current["normal"] = 0.6 * current["normal"] + rng.choice([-0.8, 0.8], len(current))


def category(current: pd.DataFrame, rng: np.random.Generator) -> None:
    current.loc[_some(current, 0.05, rng), "eight"] = "eight new"


def missing(current: pd.DataFrame, rng: np.random.Generator) -> None:
    """As many of the present values vanish as double the share."""
    current.loc[_some(current, MISSING / (1 - MISSING), rng), "heavy"] = np.nan


def topic(current: pd.DataFrame, rng: np.random.Generator) -> None:
    _append(current, NEW_WORDS, rng)


def topic_common(current: pd.DataFrame, rng: np.random.Generator) -> None:
    """The words stand in .1 to 5 % of real reviews each."""
    _append(current, COMMON_WORDS, rng)


def vocabulary(current: pd.DataFrame, rng: np.random.Generator) -> None:
    words = re.compile(rf"\b({'|'.join(RENAMED)})\b", flags=re.IGNORECASE)
    hit = _some(current, 0.2, rng)
    current.loc[hit, "text"] = [words.sub(lambda m: RENAMED[m[0].lower()], text) for text in current["text"][hit]]


def typos(current: pd.DataFrame, rng: np.random.Generator) -> None:
    hit = _some(current, 0.3, rng)
    current.loc[hit, "text"] = [
        " ".join(_swapped(word, rng) if len(word) > 3 and rng.random() < 1 / 3 else word for word in text.split())
        for text in current["text"][hit]
    ]


def mojibake(current: pd.DataFrame, rng: np.random.Generator) -> None:
    """Straight apostrophes are made typographic first, as phones write them; plain ASCII passes unharmed."""
    hit = _some(current, 0.3, rng)
    current.loc[hit, "text"] = [
        text.replace("'", "’").encode("utf-8").decode("cp1252", errors="replace") for text in current["text"][hit]
    ]


def label_flip(current: pd.DataFrame, rng: np.random.Generator) -> None:
    hit = _some(current, 0.15, rng)
    current.loc[hit, "label"] = current["label"][hit].map({"negative": "positive", "positive": "negative"})


def spam(current: pd.DataFrame, rng: np.random.Generator) -> None:
    hit = _some(current, 0.1, rng)
    who = rng.integers(0, len(SPAM), int(hit.sum()))
    current.loc[hit, "text"] = np.array(SPAM, dtype=object)[who]
    current.loc[hit, "author"] = np.array([f"spammer {i}" for i in range(len(SPAM))], dtype=object)[who]
    current.loc[hit, "label"] = "positive"


def _some(current: pd.DataFrame, share: float, rng: np.random.Generator) -> np.ndarray:
    return rng.random(len(current)) < share


def _append(current: pd.DataFrame, words: tuple[str, ...], rng: np.random.Generator) -> None:
    """Three of the words at the end of every fifth text."""
    hit = _some(current, 0.2, rng)
    current.loc[hit, "text"] = [
        " ".join((text, *rng.choice(words, 3, replace=False))) for text in current["text"][hit]
    ]


def _swapped(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(0, len(word) - 1))
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
