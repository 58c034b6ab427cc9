"""What only the erased rows held, looked for in whatever was made of them, and taken out of it."""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

ERASED = "[erased]"
_TOKEN = re.compile(r"\w+")
_QUOTED = 24  # first characters by which a quotation of a text is known, also of one that was cut short
_BY_CHANCE = 6  # characters below which a word may stand in a picture by chance
_SHORTEST = 3  # characters of a word that is looked for by itself


def words_in(texts: Iterable[str]) -> set[str]:
    """The words of texts in small letters; numbers and very short words name nobody and are none."""
    found = set[str]()
    for text in texts:
        found.update(_TOKEN.findall(_lower(text)))
    return {word for word in found if len(word) >= _SHORTEST and not word.isdigit()}


class Needles:
    """Words and whole values (ids, users, texts) that stand in erased rows and in no other.

    A word is found where it stands alone, a value wherever it stands whole, one of signs alone within others too, and
    a long one by its beginning: then all that follows as in the value is taken out with it. Letters of both cases are
    alike.
    """

    def __init__(self, words: Collection[str], values: Collection[str]) -> None:
        self.words, self.values = frozenset(words), tuple(sorted({v.strip() for v in values} - {"", ERASED}))
        self._signs: list[str] = []
        self._short: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._long: dict[str, list[tuple[bool, str]]] = defaultdict(list)
        for value in self.values:
            for written in {value, html.escape(value), html.escape(value, quote=False), json.dumps(value)[1:-1]}:
                self._add(_lower(written))
        for word in self.words:
            for written in () if word.isascii() else (word, word.capitalize(), word.upper()):
                self._add(_lower(json.dumps(written)[1:-1]))
        self._signs.sort(key=len, reverse=True)
        for long in self._long.values():
            long.sort(key=lambda parts: len(parts[1]), reverse=True)
        for short in self._short.values():
            short.sort(key=lambda parts: sum(map(len, parts)), reverse=True)

    def __bool__(self) -> bool:
        return bool(self.words or self.values)

    def _add(self, value: str) -> None:
        first = _TOKEN.search(value)
        if first is None:
            self._signs.append(value)
            return
        before, value = value[: first.start()], value[first.start() :]
        if len(value) > _QUOTED:
            escaped = before.endswith("\\")  # as JSON writes a letter; what it begins with may not stay without it
            self._long[value[:_QUOTED]].append((escaped, value))  # a text is looked for from its first word on
        else:
            self._short[first.group()].append((before, value))  # "👎 value" is not each value

    def scrub(self, text: str) -> str:
        """The text without them; the same object where it holds none."""
        for signs in self._signs:
            if signs in text:
                text = text.replace(signs, ERASED)
        low, parts, done = _lower(text), list[str](), 0
        for word in _TOKEN.finditer(low):
            start = word.start()
            if start < done:
                continue
            begin, end = self._span(low, start, word.group(), done)
            if end > begin:
                parts += (text[done:begin], ERASED)
                done = end
        return text if not parts else "".join((*parts, text[done:]))

    def stand_in(self, data: bytes) -> bool:
        """Whether bytes that are no text hold some of them; short ones are not looked for, since chance writes them."""
        low = _lower(data.decode(errors="replace"))
        if any(signs in low for signs in self._signs):
            return True
        words = {word for word in self.words if len(word) >= _BY_CHANCE}
        if any(word.group() in words for word in _TOKEN.finditer(low)):
            return True
        return any(value[:_QUOTED] in low for value in map(_lower, self.values) if len(value) >= _BY_CHANCE)

    def _span(self, low: str, start: int, word: str, done: int) -> tuple[int, int]:
        """From where to where is taken out, for a word that starts there; nothing before `done`."""
        for escaped, value in self._long.get(low[start : start + _QUOTED], ()):
            begin = start - (escaped and low.endswith("\\", done, start))
            return begin, start + _shared(low, start, value)
        for before, value in self._short.get(word, ()):
            begin, end = start - len(before), start + len(value)
            inside = end < len(low) and low[end - 1].isalnum() and low[end].isalnum()
            if begin >= done and low.startswith(before + value, begin) and not inside:
                return begin, end
        return start, start + len(word) if word in self.words else start

    def scrubbed(self, document: Any) -> Any:
        """A JSON document without them, in its texts and in its keys; the same object where it holds none."""
        if isinstance(document, str):
            return self.scrub(document)
        if isinstance(document, list):
            made = [self.scrubbed(one) for one in document]
            return document if all(a is b for a, b in zip(made, document, strict=True)) else made
        if isinstance(document, dict):
            pairs = [(self.scrub(str(key)), self.scrubbed(value)) for key, value in document.items()]
            if all(k == key and v is document[key] for (k, v), key in zip(pairs, document, strict=True)):
                return document
            kept = dict[str, Any]()
            for key, value in pairs:
                kept[key if key not in kept else f"{key} {len(kept)}"] = value
            return kept
        return document


def _shared(low: str, start: int, value: str) -> int:
    """How many characters stand from `start` on as in the value."""
    count = _QUOTED
    while count < len(value) and start + count < len(low) and low[start + count] == value[count]:
        count += 1
    return count


def _lower(text: str) -> str:
    """The text in small letters, each at its place: İ stays as it is, the one letter whose small form is two."""
    return "İ".join(part.lower() for part in text.split("İ"))
