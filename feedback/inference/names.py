"""The words of a column's name, and which of them stand in a vocabulary: whole words only, in any way of writing."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_JOINTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[a-z]{3})(?=\d)")
_GAPS = re.compile(r"[\W_]+")
_UNSPACED = "\u3040"  # scripts from here on (Japanese, Chinese, Korean) write words without spaces
_LONGEST = 4          # words of a phrase


def unaccented(text: str) -> str:
    """Text in small letters without accents: "Calificación" is "calificacion", "Größe" is "grosse"."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKC", bare)


@lru_cache(maxsize=4096)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a name in order: thumbsUpCount, thumbs_up_count and "Thumbs-Up Count" are three each."""
    return tuple(word for word in _GAPS.split(unaccented(_JOINTS.sub(" ", name))) if word)


def vocabulary(*texts: str) -> frozenset[str]:
    """Words and phrases from texts in which commas part them."""
    return frozenset(unaccented(" ".join(part.split())) for text in texts for part in text.split(",") if part.strip())


@lru_cache(maxsize=4096)
def said_in(name: str, known: frozenset[str]) -> tuple[str, ...]:
    """The words and phrases of a vocabulary that stand in a name as whole words, the plural in -s included.

    Of a script without spaces a word may stand anywhere in the name.
    """
    words = name_words(name)
    runs = [
        (" ".join(words[k : k + n]), " ".join((*words[k : k + n - 1], words[k + n - 1].removesuffix("s"))))
        for n in range(1, _LONGEST + 1)
        for k in range(len(words) - n + 1)
    ]
    found = [whole if whole in known else single for whole, single in runs if whole in known or single in known]
    joined = "".join(words)
    return (*found, *sorted(w for w in known if w >= _UNSPACED and w in joined and w not in found))


@lru_cache(maxsize=4096)
def beside(name: str, known: frozenset[str]) -> frozenset[str]:
    """The words of a name that belong to nothing of a vocabulary: what else it says."""
    found = said_in(name, known)
    taken = {part for phrase in found for word in phrase.split() for part in (word, f"{word}s")}
    unspaced = [phrase for phrase in found if phrase >= _UNSPACED]
    return frozenset(w for w in name_words(name) if w not in taken and not any(part in w for part in unspaced))
