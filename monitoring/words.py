"""Which words came or went: the share of texts that hold each word, tested exactly and all together.

Every word is a hypothesis with exact hypergeometric tails. A rare word cannot reach a small p-value whatever happens,
so only the attainable ones are paid for (Tarone 1990, Biometrics 46), each with the chance that it really has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from monitoring.proportions import both_tails

# runs of letters and digits; scripts written without spaces, and emoji, one sign at a time
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[\U0001F300-\U0001FAFF☀-➿]|[^\W_぀-ヿ㐀-鿿]+(?:['’][^\W_]+)?")
_RARE = 60  # up to this many texts a word's exact chance is summed, above it the bound itself is as good


@dataclass(frozen=True)
class WordShare:
    """One word: the share of texts that hold it before and now, its own p-value, and current texts that hold it."""

    word: str
    before: float
    now: float
    p_value: float
    examples: tuple[int, ...]  # positions in the current sample


@dataclass(frozen=True)
class WordTest:
    """p_value that any word's share changed (adjusted for all of them); the words that changed most, strongest first;
    the number of distinct words."""

    p_value: float
    words: tuple[WordShare, ...]
    vocabulary: int


def words_of(text: str) -> set[str]:
    """The distinct words of a text, case folded."""
    return set(_WORD.findall(text.casefold()))


@dataclass(frozen=True)
class Incidence:
    """Which text holds which word: aligned positions of texts and ids of words; every pair stands once."""

    words: tuple[str, ...]
    text: np.ndarray
    word: np.ndarray
    texts: int

    def counts(self, first: int, last: int) -> np.ndarray:
        """In how many of the texts first..last-1 each word stands."""
        low, high = np.searchsorted(self.text, [first, last])
        return np.bincount(self.word[low:high], minlength=len(self.words))


def incidence(texts: Sequence[str]) -> Incidence:
    """Reads texts into words, in the order given."""
    ids: dict[str, int] = {}
    found: list[int] = []
    lengths = np.zeros(len(texts), dtype=np.int64)
    for position, text in enumerate(texts):
        words = words_of(text)
        lengths[position] = len(words)
        found.extend([ids.setdefault(word, len(ids)) for word in words])
    return Incidence(
        tuple(ids), np.repeat(np.arange(len(texts)), lengths), np.array(found, dtype=np.int64), len(texts)
    )


def word_test(reference: Sequence[str], current: Sequence[str], *, top: int = 5) -> WordTest:
    """Tests whether any word stands in more or fewer of the current texts than in those of the reference."""
    read = incidence([*reference, *current])
    m, n = len(reference), len(current)
    after = read.counts(m, m + n)
    total = after + read.counts(0, m)
    if not len(total):
        return WordTest(1.0, (), 0)
    p_values = both_tails(after, n, total, m + n)
    smallest = float(p_values.min())
    order = np.argsort(p_values, kind="stable")[:top]
    changed = tuple(
        WordShare(
            read.words[w],
            before=float(total[w] - after[w]) / m,
            now=float(after[w]) / n,
            p_value=float(p_values[w]),
            examples=tuple(int(t) - m for t in read.text[read.word == w] if t >= m)[:3],
        )
        for w in order
    )
    return WordTest(min(1.0, _chance_of_any(smallest, total, n, m + n)), changed, len(total))


def _chance_of_any(bound: float, total: np.ndarray, draws: int, size: int) -> float:
    """Sum over the words of P(p-value <= bound) under permutation: the probability that any word gets there."""
    frequency, words = np.unique(total, return_counts=True)
    rare = frequency <= min(_RARE, draws, size - draws)
    support = np.arange(_RARE + 1)
    grid = np.where(support[None, :] <= frequency[rare][:, None], support[None, :], 0)
    p_values = both_tails(grid, draws, frequency[rare][:, None], size)
    reached = (p_values <= bound * (1 + 1e-9)) & (support[None, :] <= frequency[rare][:, None])
    exact = (hypergeom.pmf(grid, size, frequency[rare][:, None], draws) * reached).sum(axis=1)
    return float(words[rare] @ exact + words[~rare].sum() * bound)
