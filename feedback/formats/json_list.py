"""JSON documents: a list of objects, at the root or under a path of keys, read item by item in bounded memory.

The standard library parses each item, so that every value is exactly what `json.loads` makes of the whole document:
ijson turns half a surrogate pair into "?" and knows no integer beyond 64 bits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trueup.feedback.formats.contents import Contents, Place
from trueup.feedback.formats.encodings import check_encoding, text_blocks
from trueup.feedback.formats.json_lines import JsonRecord, columns_of, json_chunks, record_of
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE

_SPACE = " \t\n\r"
_LONGEST = 64 << 20      # characters of one value
_NEAR = 16               # characters from the end of what was read within which a fault may only be a cut
_SHOWN = 200
_DEEPEST = 8             # keys of a path


@dataclass(frozen=True)
class Item:
    """One item of a list that lies under `path`; `number` counts from 1."""

    path: str
    number: int
    value: object
    text: str


class _Document:
    """A text that is read as far as it is needed: `peek` sees the next sign, `value` takes the next whole value."""

    def __init__(self, name: str, blocks: Iterator[str]) -> None:
        self._name = name
        self._blocks = blocks
        self._held, self._at, self._lines = "", 0, 1
        self._ended = False
        self._decode: Callable[[str, int], tuple[object, int]] = json.JSONDecoder().raw_decode

    def _more(self, wanted: int = 1) -> bool:
        """Read on; False where the text ends."""
        self._lines += self._held.count("\n", 0, self._at)
        parts, size = [self._held[self._at :]], 0
        self._at = 0
        while size < wanted:
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                break
            parts.append(block)
            size += len(block)
        self._held = "".join(parts)
        return size > 0

    def peek(self) -> str:
        """The next sign that is no white space, "" at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if self._ended or not self._more():
                return ""

    def take(self, wanted: str) -> str:
        """The next sign, which must be one of `wanted`."""
        sign = self.peek()
        if not sign or sign not in wanted:
            raise self._broken(f"expected {' or '.join(wanted)}, found {sign or 'the end of the file'}")
        self._at += 1
        return sign

    def value(self) -> tuple[object, str]:
        """The next value, and its own text."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._held, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos > len(self._held) - _NEAR
                if not cut or self._ended or len(self._held) - self._at > _LONGEST:
                    raise self._broken(error.msg, error.pos) from None
            except RecursionError:
                raise self._broken("objects are nested too deeply to read") from None
            else:
                if end < len(self._held) or self._ended:
                    text, self._at = self._held[self._at : end], end
                    return value, text
            self._more(len(self._held) - self._at)

    def end(self) -> None:
        """Refuse what follows the document."""
        if self.peek():
            raise self._broken("there is text after the end of the document")

    def _broken(self, said: str, at: int | None = None) -> InputError:
        line = self._lines + self._held.count("\n", 0, self._at if at is None else at)
        return InputError(f"{self._name}: line {line}: not JSON: {said}. Nothing was stored. Get it again, or fix it.")


def items_of(place: Place) -> Iterator[Item]:
    """The items of every list that lies at the root or under keys of objects, in the order of the document.

    Raises:
        InputError: the text is no JSON, or breaks off.
    """
    document = _Document(place.name, text_blocks(place))
    yield from _walk(document, "", 0)
    document.end()


def _walk(document: _Document, path: str, depth: int) -> Iterator[Item]:
    sign = document.peek()
    if sign == "[":
        yield from _items(document, path)
    elif sign == "{" and depth < _DEEPEST:
        yield from _keys(document, path, depth)
    else:
        document.value()


def _items(document: _Document, path: str) -> Iterator[Item]:
    document.take("[")
    if document.peek() == "]":
        document.take("]")
        return
    number, sign = 0, ","
    while sign == ",":
        number += 1
        value, text = document.value()
        yield Item(path, number, value, text)
        sign = document.take(",]")


def _keys(document: _Document, path: str, depth: int) -> Iterator[Item]:
    document.take("{")
    if document.peek() == "}":
        document.take("}")
        return
    sign = ","
    while sign == ",":
        if document.peek() != '"':
            document.take('"')
        key, _ = document.value()
        document.take(":")
        yield from _walk(document, f"{path}.{key}" if path else str(key), depth + 1)
        sign = document.take(",}")


def list_paths(place: Place) -> dict[str, int]:
    """Where in a document lists of objects lie, and how many objects each holds, in the order of the document."""
    found: dict[str, int] = {}
    for item in items_of(place):
        if isinstance(item.value, dict):
            found[item.path] = found.get(item.path, 0) + 1
    return found


def read_json_list(place: Place) -> Contents:
    """The columns of the list under `format.path`; its rows are read by `chunks`, numbered as items.

    Raises:
        InputError: no JSON in the declared encoding, or no list of objects lies there (it says where some do).
    """
    check_encoding(place)
    columns = columns_of(_records(place), (*place.required, *(place.wanted or ())))
    if not columns:
        raise InputError(_nowhere(place))
    return Contents(columns, lambda size, only: json_chunks(_records(place), size, only))


def _records(place: Place) -> Iterator[JsonRecord]:
    before = 0
    for item in items_of(place):
        if item.path == place.format.path:
            if item.number <= before:
                raise InputError(
                    f"{place.name}: the document holds two lists named '{item.path}'. Nothing was stored."
                )
            before = item.number
            record = record_of(item.number, item.value, item.text)
            yield record


def _nowhere(place: Place) -> str:
    path = place.format.path
    where = f"no list of objects under '{path}'" if path else "the document is not a list of objects"
    paths = list_paths(place)
    if not paths:
        return f"{place.name}: {where}, nor elsewhere in it. Nothing was stored. Export it as CSV or JSON Lines."
    told = " or ".join(f'path = "{p}" ({n:,} objects)' for p, n in list(paths.items())[:5])
    return f"{place.name}: {where}, and format.path is '{path}'. Nothing was stored. Set {told} {ADVICE}."
