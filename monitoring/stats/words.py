"""Which words came or went: the share of texts that hold each word, tested exactly and all together.

Every word is a hypothesis with exact hypergeometric tails. A rare word cannot reach a small p-value whatever happens,
so only the attainable ones are paid for (Tarone 1990, Biometrics 46), each with the chance that it really has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from trueup.monitoring.stats.proportions import both_tails

# runs of letters and digits; scripts written without spaces, and emoji, one sign at a time
_WORD = re.compile(r"[぀-ヿ㐀-鿿]|[\U0001F300-\U0001FAFF☀-➿]|[^\W_぀-ヿ㐀-鿿]+(?:['’][^\W_]+)?")
_RARE = 60  # up to this many texts a word's exact chance is summed, above it the bound itself is as good


@dataclass(frozen=True)
class WordShare:
    """One word: the share of texts that hold it before and now, its own p-value, and current texts that hold it."""

    word: str
    reference: float
    current: float
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


def word_counts(texts: np.ndarray) -> np.ndarray:
    """float64 (n,): how many words each text holds; NaN where there is no text."""
    return np.array([np.nan if text is None else len(_WORD.findall(text)) for text in texts], dtype=float)


def known_words(texts: np.ndarray) -> frozenset[str]:
    """All words of the texts (None: no text)."""
    return frozenset(word for text in texts if text is not None for word in words_of(text))


def unseen_shares(texts: np.ndarray, known: frozenset[str]) -> np.ndarray:
    """float64 (n,): the share of each text's distinct words that are not known; NaN where it holds no words."""
    shares = np.full(len(texts), np.nan)
    for position, text in enumerate(texts):
        words = words_of(text) if text is not None else set()
        if words:
            shares[position] = len(words - known) / len(words)
    return shares


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
    exact = tables(n, m + n)
    p_values = _p_values(exact, after, total, n, m + n)
    smallest = float(p_values.min())
    order = _strongest(p_values, read.words, top)
    changed = tuple(
        WordShare(
            read.words[w],
            reference=float(total[w] - after[w]) / m,
            current=float(after[w]) / n,
            p_value=float(p_values[w]),
            examples=tuple(int(t) - m for t in read.text[read.word == w] if t >= m)[:3],
        )
        for w in order
    )
    return WordTest(min(1.0, _chance_of_any(exact, smallest, total)), changed, len(total))


def _strongest(p_values: np.ndarray, words: Sequence[str], top: int) -> list[int]:
    """The words of the smallest p-values; equal ones by their letters, so that every process names the same."""
    near = np.flatnonzero(p_values <= np.sort(p_values)[min(top, len(p_values)) - 1])
    return sorted(near.tolist(), key=lambda word: (p_values[word], words[word]))[:top]


def tables(draws: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Of words that stand in f = 0..60 texts of `size`: P(k of them among `draws`), and the two-sided p-value of k.

    Both (61, 61), rows f and columns k; k > f has probability 0 and p-value 1.
    """
    marked, hits = np.arange(_RARE + 1)[:, None], np.arange(_RARE + 1)[None, :]
    possible = (hits <= marked) & (hits <= draws) & (marked - hits <= size - draws)
    with np.errstate(invalid="ignore"):
        logs = _choose(marked, hits) + _choose(size - marked, draws - hits) - _choose(size, draws)
    chances = np.where(possible, np.exp(np.where(possible, logs, -np.inf)), 0.0)
    lower = np.cumsum(chances, axis=1)
    upper = np.cumsum(chances[:, ::-1], axis=1)[:, ::-1]
    return chances, np.where(possible, np.minimum(1.0, 2.0 * np.minimum(lower, upper)), 1.0)


def _choose(n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
    return np.asarray(gammaln(np.add(n, 1.0)) - gammaln(np.add(k, 1.0)) - gammaln(np.subtract(n, k) + 1.0))


def _p_values(
    exact: tuple[np.ndarray, np.ndarray], after: np.ndarray, total: np.ndarray, draws: int, size: int
) -> np.ndarray:
    """The exact two-sided p-value of each word; of common ones each pair of counts is computed once."""
    found = np.empty(len(total))
    rare = total <= _RARE
    found[rare] = exact[1][total[rare], after[rare]]
    pairs, which = np.unique(np.stack([after[~rare], total[~rare]]), axis=1, return_inverse=True)
    found[~rare] = both_tails(pairs[0], draws, pairs[1], size)[which]
    return found


def _chance_of_any(exact: tuple[np.ndarray, np.ndarray], bound: float, total: np.ndarray) -> float:
    """Sum over the words of P(p-value <= bound) under permutation: the probability that any word gets there."""
    chances, p_values = exact
    frequency, words = np.unique(total, return_counts=True)
    rare = frequency <= _RARE
    reached = (chances * (p_values <= bound * (1 + 1e-9))).sum(axis=1)
    return float(words[rare] @ reached[frequency[rare]] + words[~rare].sum() * bound)
