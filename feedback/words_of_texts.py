"""Words of texts, and parts of them that stand beside a word: what an answer may have been written into."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np

_WORD = re.compile(r"\w+(?:[.,/]\w+)*|[^\w\s]+")  # 4,5 and 5/5 are one, ★★★ and :-) too
_MOST = 200      # words of a text that are looked at
_CONTEXTS = 40   # words whose neighbours are looked at: those in most texts
_LEAST = 20      # texts that a word stands in


def tokens(text: str | None) -> list[str]:
    """The words of a text in small letters, signs as words of their own; the first and last of a long one."""
    found = _WORD.findall(text.casefold()) if text else []
    return found if len(found) <= _MOST else found[: _MOST // 2] + found[-_MOST // 2 :]


def words_of_texts(texts: np.ndarray) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Words, and two that follow each other, that stand in enough of n texts.

    Returns:
        The words; then for each time that one stands in a text (once a text) its place among them, and the text's.
    """
    each = [_with_followers(tokens(text)) for text in texts]
    counts = Counter(word for own in each for word in own)
    words = [word for word, times in counts.items() if times >= _LEAST]
    places = {word: k for k, word in enumerate(words)}
    pairs = [(places[word], row) for row, own in enumerate(each) for word in own if word in places]
    place, row = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return words, place, row


def _with_followers(own: list[str]) -> dict[str, None]:
    return dict.fromkeys([*own, *(f"{a} {b}" for a, b in pairwise(own))])


def parts_of_texts(texts: np.ndarray, share: float) -> list[tuple[str, np.ndarray]]:
    """What stands first, last, and before and after each word that many texts hold: in words, and n values or None.

    Args:
        share: of the texts that a word has to stand in.
    """
    each = [[word for word in tokens(text) if word[0].isalnum() or len(word) > 1] for text in texts]
    counts = Counter(word for own in each for word in dict.fromkeys(own))
    contexts = [word for word, times in counts.most_common(_CONTEXTS) if times >= share * len(texts)]
    parts = [("the first word", [own[0] if own else None for own in each])]
    parts.append(("the last word", [own[-1] if own else None for own in each]))
    for context in contexts:
        at = [own.index(context) if context in own else None for own in each]
        after = [None if k is None or k + 1 >= len(own) else own[k + 1] for k, own in zip(at, each, strict=True)]
        before = [own[k - 1] if k else None for k, own in zip(at, each, strict=True)]
        parts += [(f"the word after '{context}'", after), (f"the word before '{context}'", before)]
    return [(said, np.array([*values, None], dtype=object)[:-1]) for said, values in parts]
