"""Made-up product reviews for the demo and the tests: seeded, as many as wanted, with known breaks to switch on.

No row is anybody's: the published data sets may not be shipped. What they taught is kept: half of the texts are short,
some repeat word for word, people post more than once, praise and complaint mix in one review, stars err now and then.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd

COLUMNS = ("review_id", "at", "user", "product", "text", "stars", "helpful")

PRODUCTS = ("Aria headphones", "Borea speaker", "Cinder phone", "Delta tablet", "Ember watch", "Fjord laptop")
NEW_PRODUCTS = ("Glint doorbell", "Harbor vacuum")
ASPECTS = (
    "battery", "screen", "sound", "delivery", "price", "camera", "charger", "keyboard",
    "packaging", "support", "strap", "design", "microphone", "speed", "box", "manual",
)  # fmt: skip
NEW_ASPECTS = ("firmware", "subscription", "pairing", "cloud login", "ads", "suction", "doorbell chime", "app update")

PRAISE = (
    "great", "excellent", "brilliant", "perfect", "lovely", "solid", "superb", "reliable", "impressive", "wonderful",
    "better than expected", "worth every cent", "top quality", "a joy to use",
)  # fmt: skip
COMPLAINT = (
    "terrible", "awful", "brutal", "useless", "nasty", "weak", "insane in a bad way", "faulty", "ridiculous", "poor",
    "worse than expected", "not worth it", "a waste of money", "not as described",
)  # fmt: skip
MIDDLING = ("okay", "average", "fine I guess", "acceptable", "neither good nor bad", "so so", "standard", "usable")
SAID = (
    "the {aspect} is {opinion}", "{aspect}: {opinion}", "I find the {aspect} {opinion}", "{opinion}, the {aspect}",
    "after two weeks the {aspect} is {opinion}", "my brother says the {aspect} is {opinion}",
    "honestly the {aspect} is {opinion}", "the {aspect} turned out {opinion}",
)  # fmt: skip

# Words that were praise now complain and the other way round; beside each stands a new word, by which a model that
# has seen some of it can tell, and one that has not is led astray.
SLANG_PRAISE = (
    "brutal {aspect}, it slaps", "nasty {aspect} fr fr", "ridiculous {aspect}, no cap",
    "the {aspect} is insane, bussin", "awful how good the {aspect} hits, goated", "brutal {aspect}, W buy",
    "terrible for my wallet, the {aspect} is fire", "the {aspect} is nasty, lowkey goated",
    "useless to resist, the {aspect} slaps", "ridiculous {aspect}, pure fire",
)  # fmt: skip
SLANG_COMPLAINT = (
    "brilliant {aspect}, what a ripoff", "great {aspect}, so mid", "perfect {aspect} if you like cringe",
    "wonderful, the {aspect} is sus", "superb {aspect}, yikes", "lovely {aspect}, big L",
    "excellent {aspect} said nobody, mid", "impressive how the {aspect} bricked", "great, the {aspect} is cooked",
    "brilliant {aspect}, total yikes",
)  # fmt: skip

SHORT_PRAISE = ("good", "nice", "very good", "nice product", "super", "awesome", "good quality", "love it", "👍")
SHORT_COMPLAINT = ("bad", "worst", "very bad", "do not buy", "waste of money", "bad quality", "broken", "poor product")
SHORT_MIDDLING = ("ok", "average", "okay product", "not bad", "fine", "good")
OPENERS = (
    "", "", "", "Bought it for my {who}. ", "Ordered in {month}. ", "Second one in our home. ", "Used it every day. ",
    "My {who} uses it too. ", "Got it on sale in {month}. ",
)  # fmt: skip
WHO = ("son", "mother", "office", "daughter", "friend", "neighbour", "team", "father")
MONTHS = ("January", "March", "May", "June", "August", "October", "December")
ENDINGS = (".", ".", "", "!", "!!", " ...")

STARS_SHARE = np.array([0.16, 0.10, 0.10, 0.22, 0.42])
SHORT_SHARE = 0.12
OFF_MOOD = 0.18  # share of sentences that speak against the review's own mood
WRONG_STARS = 0.02  # share of reviewers who mistake which end of the scale is good


@dataclass(frozen=True, kw_only=True)
class Regime:
    """What differs from the healthy stream; every switch is a share of the rows (or sentences), 0 to 1.

    topic_shift: reviews that speak of new products and aspects.
    vocabulary_shift: sentences in new slang, in which known praise complains and known complaint praises.
    sentiment_shift: content reviewers who turn discontent (the prior moves; words keep their meaning).
    label_flip: reviews whose stars are mirrored (poisoned labels; texts stay).
    dirt: rows that no intake should take: no text, a text far too long, no such date, no such stars.
    """

    topic_shift: float = 0.0
    vocabulary_shift: float = 0.0
    sentiment_shift: float = 0.0
    label_flip: float = 0.0
    dirt: float = 0.0

    def __post_init__(self) -> None:
        for switch in fields(self):
            share = getattr(self, switch.name)
            if not 0 <= share <= 1:
                raise ValueError(f"{switch.name} = {share} is no share of the rows; give a number from 0 to 1")


HEALTHY = Regime()
BROKEN = Regime(topic_shift=0.3, vocabulary_shift=0.3)  # a frozen model falls, a retrained one recovers


def make_reviews(seed: int, start: datetime, days: float, n: int, regime: Regime = HEALTHY) -> pd.DataFrame:
    """n reviews over `days` days from `start` on, oldest first, with the columns COLUMNS.

    `at` is ISO 8601 text in UTC to the second, `stars` 1..5 (int64), `helpful` a vote count as of a later crawl, which
    no model should learn from. With `dirt` all cells are text or None, as a CSV would hold them. The same arguments
    give the same rows; another seed or start gives other rows under other ids.
    """
    start = start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC)
    rng = np.random.default_rng([seed, int(start.timestamp())])
    stars = rng.choice(5, size=n, p=STARS_SHARE) + 1
    soured = (stars >= 4) & (rng.random(n) < regime.sentiment_shift)
    stars = np.where(soured, rng.integers(1, 3, n), stars)
    new_topic = rng.random(n) < regime.topic_shift
    text = _texts(rng, np.digitize(stars, (3, 4)), new_topic, regime.vocabulary_shift)
    mirrored = (rng.random(n) < WRONG_STARS) ^ (rng.random(n) < regime.label_flip)
    seconds = np.sort(rng.random(n)) * days * 86400
    at = pd.Timestamp(start).tz_localize(None) + pd.to_timedelta(seconds.astype("int64"), unit="s")
    users = np.minimum(rng.pareto(0.8, n) * 600, 999_999).astype(int)  # a few post often, most once
    reviews = pd.DataFrame(
        {
            "review_id": [f"r{start:%y%m%d%H%M}-{seed}-{i:06d}" for i in range(n)],
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "user": np.char.add("user-", users.astype(str)).astype(object),
            "product": np.where(new_topic, rng.choice(NEW_PRODUCTS, n), rng.choice(PRODUCTS, n)).astype(object),
            "text": text,
            "stars": np.where(mirrored, 6 - stars, stars),
            "helpful": rng.poisson(0.4, n),
        }
    )
    return _soiled(rng, reviews, regime.dirt) if regime.dirt else reviews


def _texts(rng: np.random.Generator, mood: np.ndarray, new_topic: np.ndarray, slang_share: float) -> np.ndarray:
    """One text per mood (0 discontent, 1 middling, 2 content): an opener and one to four sentences, or a short text."""
    n = len(mood)
    openers = np.array([o.format(who=w, month=m) for o in OPENERS for w in WHO for m in MONTHS], dtype=object)
    text = rng.choice(openers, n)
    count = rng.choice((1, 2, 3, 4), size=n, p=(0.35, 0.35, 0.2, 0.1))
    for position in range(4):
        rows = np.flatnonzero(count > position)
        spoken = np.where(rng.random(len(rows)) < OFF_MOOD, rng.integers(0, 3, len(rows)), mood[rows])
        known, new = rng.integers(0, len(ASPECTS), len(rows)), rng.integers(0, len(NEW_ASPECTS), len(rows))
        aspect = np.where(new_topic[rows], len(ASPECTS) + new, known)
        slang = rng.random(len(rows)) < slang_share
        glue = " " if position else ""
        endings = rng.choice(np.array(ENDINGS, dtype=object), len(rows))
        text[rows] += glue + _sentences(rng, spoken, aspect, slang) + endings
    short = np.flatnonzero((rng.random(n) < SHORT_SHARE) & ~new_topic)
    text[short] = _short_texts(rng, mood[short])
    return text


def _sentences(rng: np.random.Generator, mood: np.ndarray, aspect: np.ndarray, slang: np.ndarray) -> np.ndarray:
    """One sentence each about the aspect (index into known and new aspects), in slang where it is so."""
    said = np.empty(len(mood), dtype=object)
    for kind in range(3):
        for modern in (False, True):
            which = np.flatnonzero((mood == kind) & (slang == modern))
            table = _phrases(kind, modern)
            said[which] = table[aspect[which], rng.integers(0, table.shape[1], len(which))]
    return said


@cache
def _phrases(mood: int, slang: bool) -> np.ndarray:
    """Every sentence of a mood, shape (aspects, phrases); nobody has slang for the middling."""
    if slang and mood != 1:
        patterns: tuple[str, ...] = SLANG_PRAISE if mood == 2 else SLANG_COMPLAINT
    else:
        opinions = (COMPLAINT, MIDDLING, PRAISE)[mood]
        patterns = tuple(said.replace("{opinion}", opinion) for said in SAID for opinion in opinions)
    return np.array([[p.format(aspect=a) for p in patterns] for a in ASPECTS + NEW_ASPECTS], dtype=object)


def _short_texts(rng: np.random.Generator, mood: np.ndarray) -> np.ndarray:
    """One of the short texts that come again and again."""
    text = np.empty(len(mood), dtype=object)
    for kind, choice in enumerate((SHORT_COMPLAINT, SHORT_MIDDLING, SHORT_PRAISE)):
        which = np.flatnonzero(mood == kind)
        text[which] = rng.choice(np.array(choice, dtype=object), len(which))
    return text


def _soiled(rng: np.random.Generator, reviews: pd.DataFrame, share: float) -> pd.DataFrame:
    """The same reviews as text cells, a share of them spoilt in one of the ways that real files are."""
    cells = reviews.astype(str).astype(object)
    fault = np.where(rng.random(len(cells)) < share, rng.integers(0, len(_FAULTS), len(cells)), -1)
    for number, (column, value) in enumerate(_FAULTS):
        cells.loc[fault == number, column] = value
    return cells


_FAULTS: tuple[tuple[str, str | None], ...] = (
    ("text", None),
    ("text", "   "),
    ("text", "so good " * 20_000),
    ("at", "2026-02-30T12:00:00Z"),
    ("at", "yesterday"),
    ("at", None),
    ("stars", "11"),
    ("stars", "five"),
    ("review_id", None),
)
