"""Which words came or went."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trueup.monitoring.stats.words import word_test, words_of

pytestmark = pytest.mark.long

WORDS = np.array([f"w{i}" for i in range(400)])
SHARES = 1 / np.arange(1, 401) / (1 / np.arange(1, 401)).sum()


def _texts(rng: np.random.Generator, n: int) -> list[str]:
    return [" ".join(WORDS[row]) for row in rng.choice(400, size=(n, 8), p=SHARES)]


def test_words_are_case_folded_runs_and_single_signs() -> None:
    """Words, contractions, emoji and signs of scripts without spaces are read; punctuation is not."""
    assert words_of("Straße, DON'T! 👍👍 很好 v2_x") == {"strasse", "don't", "👍", "很", "好", "v2", "x"}
    assert words_of("... !!") == set()


def test_false_alarms_stay_below_the_level() -> None:
    """On exchangeable texts the chance that any word alarms is at most the level, with hundreds of words tested."""
    rng = np.random.default_rng(1)
    p_values = []
    for _ in range(200):
        texts = _texts(rng, 460)
        p_values.append(word_test(texts[:400], texts[400:]).p_value)
    assert (np.array(p_values) <= 0.05).mean() <= 0.1


def test_new_words_are_found_and_shown_with_their_texts() -> None:
    """Three of twelve new words in a fifth of 100 texts, compared with 2,000, are found at .001 in most windows."""
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(20):
        now = _texts(rng, 100)
        for i in range(20):
            now[i] += " " + " ".join(f"new{j}" for j in rng.choice(12, 3, replace=False))
        test = word_test(_texts(rng, 2000), now)
        found += test.p_value <= 0.001
        strongest = test.words[0]
        assert strongest.word.startswith("new")
        assert strongest.reference == 0
        assert strongest.current > 0.03
        assert all(strongest.word in now[i] for i in strongest.examples)
    assert found >= 17


def test_a_word_that_went_is_as_visible_as_one_that_came() -> None:
    """Both tails count."""
    before, now = ["good battery"] * 300 + ["good"] * 300, ["good"] * 100
    test = word_test(before, now)
    assert test.p_value < 1e-9
    assert test.words[0].word == "battery"


def test_no_words_at_all() -> None:
    """Texts without a word show nothing."""
    assert word_test(["...", ""], ["!!"]).p_value == 1.0


def test_real_reviews_that_repeat_do_not_alarm_and_a_topic_does(shared_data: Path) -> None:
    """Flipkart's repeated short texts, shuffled, alarm no more than allowed; a burst of refunds is found."""
    frame = pd.read_csv(shared_data / "flipkart_badminton.csv")
    texts = frame["Review text"].dropna().str.removesuffix("READ MORE").tolist()
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(30):
        drawn = [texts[i] for i in rng.permutation(len(texts))[:1200]]
        alarms += word_test(drawn[:1000], drawn[1000:]).p_value <= 0.02
    assert alarms <= 4
    now = [text + " asked for a refund" if i < 30 else text for i, text in enumerate(drawn[1000:])]
    test = word_test(drawn[:1000], now)
    assert test.p_value <= 0.001
    assert {"refund", "asked"} & {word.word for word in test.words}


def test_equally_strong_words_are_named_by_their_letters() -> None:
    """Which of several equal words comes first does not hang on the order in which a process holds a set."""
    found = word_test(["fine"] * 200, ["fine zebra apple mango"] * 50, top=2)
    assert [share.word for share in found.words] == ["apple", "mango"]
