"""JSON Lines: one object a line; a line that is none costs only itself."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from trueup.feedback.chunks import Chunk, chunk_of
from trueup.feedback.formats.contents import Contents, Place
from trueup.feedback.formats.encodings import check_encoding, text_lines
from trueup.feedback.nested import NameClash, Nested, flat
from trueup.feedback.values import encodable, escaped
from trueup.storage.errors import InputError
from trueup.storage.incoming import Refused

_JSON_NAMES = {list: "list", str: "text", int: "number", float: "number", bool: "boolean", type(None): "null"}
_LOOKED_AT = 1000  # records in which all columns are looked for, and more only for those that are wanted


@dataclass(frozen=True)
class JsonRecord:
    """One record: its fields by dotted name, or why it has none (`fault`). number: from 1. text: as it came."""

    number: int
    fields: dict[str, object] | None
    fault: str = ""
    text: str = ""


def record_of(number: int, value: object, text: str) -> JsonRecord:
    """A parsed value as a record."""
    if not isinstance(value, dict):
        what = f"a record must be a JSON object with its columns, not a {_JSON_NAMES[type(value)]}"
        return JsonRecord(number, None, what, text)
    try:
        fields = flat(value)
    except NameClash as error:
        return JsonRecord(number, None, str(error), text)
    except RecursionError:
        return JsonRecord(number, None, "objects are nested too deeply to read", text)
    if not all(map(encodable, fields)):
        return JsonRecord(number, None, "a key is not valid Unicode", text)
    return JsonRecord(number, fields)


def columns_of(records: Iterable[JsonRecord], wanted: Sequence[str]) -> tuple[str, ...]:
    """The fields that records have, in the order in which they come; of an object, its fields alone."""
    found: dict[str, bool] = {}  # name → whether it holds a value somewhere, not an object
    for k, record in enumerate(records):
        for name, value in (record.fields or {}).items():
            valued = value is not None and not (isinstance(value, Nested) and value.startswith("{"))
            found[name] = found.get(name, False) or valued
        if k >= _LOOKED_AT and found.keys() >= set(wanted):
            break
    objects = {name[:at] for name in found for at, sign in enumerate(name) if sign == "."}
    return tuple(name for name, valued in found.items() if valued or name not in objects)


def json_chunks(records: Iterator[JsonRecord], size: int, only: Sequence[str] | None) -> Iterator[Chunk]:
    """Records as chunks of `size`."""
    while batch := list(itertools.islice(records, size)):
        good = [r for r in batch if r.fields is not None]
        broken = [Refused(r.number, "broken_line", r.fault, escaped(r.text)) for r in batch if r.fields is None]
        rows = [r.fields or {} for r in good]
        if only is not None:
            rows = [{c: row[c] for c in only if c in row} for row in rows]
        yield chunk_of(rows, [r.number for r in good], broken)


def read_json_lines(place: Place) -> Contents:
    """The columns that its lines have; its rows are read by `chunks`.

    Raises:
        InputError: no text in the declared encoding, or no line of it is a JSON object.
    """
    check_encoding(place)
    columns = columns_of(_records(place), (*place.required, *(place.wanted or ())))
    if not columns:
        raise InputError(
            f"{place.name}: no line is a JSON object, and JSON Lines has one on each line. Nothing was stored."
        )
    return Contents(columns, lambda size, only: json_chunks(_records(place), size, only))


def _records(place: Place) -> Iterator[JsonRecord]:
    for number, line in enumerate(text_lines(place), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield JsonRecord(number, None, f"not JSON: {error}", line.rstrip("\r\n"))
            continue
        yield record_of(number, value, line.rstrip("\r\n"))
