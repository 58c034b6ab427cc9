"""What a model of texts does when a text is changed in a way that has a known effect on the answer, or none.

After Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList" (ACL): invariance (the
answer stays), direction (it does not move the wrong way) and minimum functionality (the answer is known). A suite is a
list of such changes; the built-in ones are made of the stream's own newest texts, or of English templates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.stream import StreamSettings
from trueup.training.models.fitting import answer

TEXTS = 300        # newest texts that the built-in suites change
LEAST_TEXTS = 20   # changed texts of a built-in suite; fewer show nothing
LEAST_PAIRS = 5    # pairs of the negation suite
KNOWN = 10         # texts that a word stands in, for a model to have an opinion of it
SLACK = 0.01       # of the probability of the last class: a smaller move is none
MOVED = 0.1        # of a regression: a change beyond this share of the answers' standard deviation is another answer

NEGATIVE = frozenset({"negative", "neg", "bad"})
POSITIVE = frozenset({"positive", "pos", "good"})
_PRAISE = (
    "good", "great", "excellent", "useful", "helpful", "easy", "reliable", "nice", "perfect", "awesome", "happy",
    "comfortable",
)
_SAID = (
    ("I like it", "I do not like it"), ("I love it", "I do not love it"), ("I love this", "I don't love this"),
    ("I recommend it", "I do not recommend it"), ("It works", "It does not work"), ("It works well", "It never works"),
    ("I am satisfied", "I am not satisfied"), ("Worth the money", "Not worth the money"),
)
_BLAME = (
    "bad", "terrible", "awful", "useless", "poor", "horrible", "broken", "disappointing", "slow", "annoying", "weak",
    "unreliable",
)
_PRAISING = frozenset({*_PRAISE, "love", "best", "amazing", "recommend", "satisfied"})
_BLAMING = frozenset({*_BLAME, "worst", "hate", "waste", "not", "never", "don't", "doesn't", "can't", "won't"})
_FRAME = frozenset({"i", "it", "is", "am", "the", "this"})  # stand on both sides of a pair and say nothing
NEGATIONS = (*((f"It is {word}", f"It is not {word}") for word in _PRAISE), *_SAID)


class SuiteKind(StrEnum):
    """What is known of a case."""

    INVARIANCE = "invariance"    # the changed text has the answer of the text
    DIRECTIONAL = "directional"  # its score, or number, is not higher (expect "lower") or not lower (expect "higher")
    MINIMUM = "minimum"          # the text's answer is `expect`


@dataclass(frozen=True)
class Suite:
    """n cases of one kind under a name; `before` and `after` hold the columns that a model takes.

    after: of a minimum suite the same as `before`. expect: n words, "" for an invariance. own: the stream's, not ours.
    least: with fewer cases it is not judged.
    poles: of a directional suite, rows that praise and rows that blame (None: nobody asks). Labels may mean the
    contrary of their names, as after a label flip: of a model that has learnt so, and scores blame above praise, the
    direction is not known. Whether it should is the metric's to say.
    """

    name: str
    kind: SuiteKind
    before: pd.DataFrame
    after: pd.DataFrame
    expect: tuple[str, ...]
    own: bool = False
    least: int = 1
    poles: tuple[pd.DataFrame, pd.DataFrame] | None = None

    def __len__(self) -> int:
        return len(self.before)


def built_in(stream: StreamSettings, newest: pd.DataFrame, classes: Sequence[str], seed: int) -> tuple[Suite, ...]:
    """The suites that every stream of texts is put to.

    Args:
        newest: features, oldest first; the last TEXTS of them are changed.
        classes: two named like negative and positive are asked for negation as well, in English, by the pairs whose
            words stand in KNOWN of these texts or more: what a model answers to a word that it never met is chance.
    """
    texts = newest.iloc[-TEXTS:].reset_index(drop=True)
    rng = np.random.default_rng(seed)
    changes: dict[str, Callable[[str], str]] = {
        "case": str.upper,
        "space": lambda text: f"  {text.replace(' ', '  ')} ",
        "punctuation": lambda text: f"{text.rstrip(' .!?')}.",
        "typo": lambda text: _mistyped(text, rng),
    }
    suites = [_changed(stream, name, texts, change) for name, change in changes.items()]
    if len(classes) == 2 and classes[0].casefold() in NEGATIVE and classes[1].casefold() in POSITIVE and len(texts):
        suites.append(_negation(stream, texts, _known(stream, newest)))
    return tuple(suites)


def rows_with_texts(stream: StreamSettings, like: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """Rows that hold `texts` in the first text column, nothing in the others, and all else as the newest of `like`."""
    rows = like.iloc[[-1] * len(texts)].reset_index(drop=True)
    return rows.assign(**{stream.text[0]: list(texts)}, **dict.fromkeys(stream.text[1:], ""))


def failures(stream: StreamSettings, model: Any, suite: Suite) -> np.ndarray:
    """Which cases of a suite a model fails (booleans).

    Raises:
        ModelUnusable: it cannot answer them.
    """
    predicted, score = answer(model, stream, suite.before)
    if suite.kind is SuiteKind.MINIMUM:
        return np.asarray(predicted.astype(str) != np.array(suite.expect))
    changed, moved_to = answer(model, stream, suite.after)
    regression = stream.is_regression
    if suite.kind is SuiteKind.INVARIANCE:
        if regression:
            return np.asarray(np.abs(changed - predicted) > MOVED * predicted.std())
        return np.asarray(changed != predicted)
    up = (changed - predicted) if regression else (moved_to - score)
    wrong_way = np.where(np.array(suite.expect) == "lower", up, -up)
    return np.asarray(wrong_way > (0.0 if regression else SLACK))


def reads_contrary(stream: StreamSettings, model: Any, suite: Suite) -> bool:
    """Whether a model scores texts that blame above texts that praise.

    Raises:
        ModelUnusable: it cannot answer them.
    """
    if suite.poles is None:
        return False
    praise, blame = (answer(model, stream, rows)[1].mean() for rows in suite.poles)
    return bool(blame > praise)


def _negation(stream: StreamSettings, texts: pd.DataFrame, known: frozenset[str]) -> Suite:
    """The pairs of which each word is known, but for those that only frame a sentence."""
    asked = [pair for pair in NEGATIONS if set(_words(" ".join(pair))) - _FRAME <= known]
    before, after = (rows_with_texts(stream, texts, [pair[side] for pair in asked]) for side in (0, 1))
    return Suite(
        "negation", SuiteKind.DIRECTIONAL, before, after, ("lower",) * len(asked), least=LEAST_PAIRS,
        poles=_poles(stream, texts),
    )  # fmt: skip


def _known(stream: StreamSettings, texts: pd.DataFrame) -> frozenset[str]:
    """The words that stand in KNOWN texts or more."""
    count = Counter(word for text in _joined(stream, texts) for word in set(_words(text)))
    return frozenset(word for word, times in count.items() if times >= KNOWN)


def _joined(stream: StreamSettings, texts: pd.DataFrame) -> pd.Series:
    """The text columns of each row as one text."""
    return texts[list(stream.text)].fillna("").agg(" ".join, axis=1)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.casefold().replace("’", "'"))


def _poles(stream: StreamSettings, texts: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plain praise and blame, each with the stream's own texts that hold a word of one and none of the other.

    A model of one stream may know few words of a list, but it knows those that the stream uses.
    """
    words = _joined(stream, texts).map(_words).map(set)
    praises, blames = (words.map(lambda own, side=side: not side.isdisjoint(own)) for side in (_PRAISING, _BLAMING))
    return (
        pd.concat([rows_with_texts(stream, texts, [f"It is {word}" for word in _PRAISE]), texts[praises & ~blames]]),
        pd.concat([rows_with_texts(stream, texts, [f"It is {word}" for word in _BLAME]), texts[blames & ~praises]]),
    )


def _changed(stream: StreamSettings, name: str, texts: pd.DataFrame, change: Callable[[str], str]) -> Suite:
    """The texts on which a change shows."""
    after = texts.assign(**{c: [change(t) if isinstance(t, str) and t.strip() else t for t in texts[c]]
                            for c in stream.text})
    differs = (after[list(stream.text)].fillna("") != texts[list(stream.text)].fillna("")).any(axis=1).to_numpy()
    before, after = (frame[differs].reset_index(drop=True) for frame in (texts, after))
    return Suite(name, SuiteKind.INVARIANCE, before, after, ("",) * len(before), least=LEAST_TEXTS)


def _mistyped(text: str, rng: np.random.Generator) -> str:
    """Two neighbouring inner letters of one word swapped; a text without a word of four letters stays as it is."""
    words = text.split(" ")
    long = [k for k, word in enumerate(words) if len(word) >= 4 and word.isalpha()]
    if not long:
        return text
    k = long[int(rng.integers(len(long)))]
    word = words[k]
    at = int(rng.integers(1, len(word) - 2))
    words[k] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
