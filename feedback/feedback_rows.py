"""Rows of feedback out of lists: a file with one object a record, of which each holds what several people said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trueup.feedback.chunks import Chunk, chunk_of
from trueup.feedback.typed_values import written
from trueup.storage.errors import InputError
from trueup.storage.feedback_mapping import FeedbackMapping
from trueup.storage.incoming import Refused

_NAME = "from_name"  # what Label Studio calls an item of a list by


def each_row(mapping: FeedbackMapping, chunk: Chunk) -> Chunk:
    """A row for every item of the list that the column `each` holds, with the columns of its record beside it.

    A field of an item is named `each.field`, however deep; an item of a list within it by its place or its `from_name`.
    A list of one value counts as that value. A row without a list has no items; one with something else is broken.
    """
    column = mapping.each
    if not column or column not in chunk.table:
        return chunk
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    broken = list(chunk.broken)
    for k, beside in enumerate(chunk.table.records()):
        items = _list_of(beside.pop(column))
        if items is None:
            detail = f"column '{column}' must hold a list of items in JSON"
            broken.append(Refused(int(chunk.lines[k]), "broken_line", detail, chunk.raw[k]))
            continue
        rows += [beside | dict(_fields(column, item)) for item in items]
        lines += [int(chunk.lines[k])] * len(items)
    return chunk_of(rows, lines, sorted(broken, key=lambda r: r.line))


def columns_beside_items(mapping: FeedbackMapping, named: Sequence[str]) -> tuple[str, ...]:
    """Of the columns that a mapping names those that the file itself must have: of items only their list."""
    inside = f"{mapping.each}." if mapping.each else ""
    columns = (mapping.each if inside and column.startswith(inside) else column for column in named)
    return tuple(dict.fromkeys(columns))


@dataclass
class ItemFields:
    """Whether the items of a file have the fields that a mapping names."""

    mapping: FeedbackMapping
    named: Sequence[str]
    rows: int = 0
    found: dict[str, None] = field(default_factory=dict)

    def tapped(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, each looked at as it passes."""
        for chunk in chunks:
            self.rows += len(chunk)
            self.found |= dict.fromkeys(chunk.table.columns)
            yield chunk

    def notes(self, name: str) -> tuple[str, ...]:
        """Nothing to tell.

        Raises:
            InputError: no item has a field that the mapping names.
        """
        missing = [column for column in self.named if column not in self.found]
        if not (self.mapping.each and self.rows and missing):
            return ()
        inside = [column for column in self.found if column.startswith(f"{self.mapping.each}.")]
        raise InputError(
            f"{name}: no item of '{self.mapping.each}' has '{missing[0]}'; they have "
            f"{', '.join(map(repr, inside)) or 'no fields'}. Nothing was stored."
        )


def _list_of(text: str | None) -> list[Any] | None:
    if text is None:
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _fields(name: str, value: Any) -> Iterator[tuple[str, object]]:
    """What lies in a value, by dotted name: the deepest values, and lists of one as it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _fields(f"{name}.{key}", inner)
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from _fields(f"{name}.{k}", inner)
            if isinstance(inner, dict) and isinstance(inner.get(_NAME), str):
                yield from _fields(f"{name}.{inner[_NAME]}", inner)
        if not any(isinstance(inner, dict | list) for inner in value):
            yield name, written(value[0] if len(value) == 1 else value or None)
    else:
        yield name, written(value)
