"""What kind of file this is, by its name and first bytes; and what is no file of records, in words."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from trueup.feedback.formats.contents import Place
from trueup.feedback.formats.encodings import SAMPLE_BYTES, bom_of, zero_pattern
from trueup.storage.errors import InputError
from trueup.storage.file_format import ADVICE

_PARQUET = b"PAR1"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # workbooks of Excel until 2003
_OTHER = {
    b"%PDF": "a PDF", b"SQLite format 3": "an SQLite database", b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a RAR archive",
    b"\xfd7zXZ": "compressed by xz; unpack it first: xz -d", b"ARROW1": "an Arrow file (Feather); save it as Parquet",
    b"ORC": "an ORC file; save it as Parquet", b"Obj\x01": "an Avro file; save it as Parquet",
    b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"GIF8": "a picture", b"{\\rtf": "an RTF document",
}  # fmt: skip
_XML = b"<?xml"
_MARKUP = re.compile(rb"\s*(?:<!doctype html|<html|<table|<head|<body|<meta|<style|<div)", re.IGNORECASE)
_OBJECTS = re.compile(r'(?:\[\s*)?\{\s*"')  # how JSON begins, whatever a file is called
_EXCEL_ENDINGS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")


class FormatKind(StrEnum):
    """The kinds of files that are read; the values are those of `format.kind`."""

    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"
    EXCEL = "xlsx"
    HTML = "html"
    PARQUET = "parquet"


_BINARY = {FormatKind.PARQUET: "a Parquet file", FormatKind.EXCEL: "an Excel workbook"}


def format_kind(place: Place) -> FormatKind:
    """The declared kind, or the one that name and first bytes tell.

    Raises:
        InputError: the bytes are of another kind than the declared one, or of none that is read.
    """
    head = place.head()
    binary = _binary(place, head)
    declared = FormatKind(place.format.kind) if place.format.kind else None
    if declared is None:
        return binary or _of_text(place, head)
    if binary is not declared and (binary or declared in _BINARY):
        raise InputError(
            f"{place.name}: this is {_BINARY[binary] if binary else 'text'}, but format.kind is '{declared}'. Nothing "
            f'was stored. Set kind = "{binary or _of_text(place, head)}" {ADVICE}.'
        )
    return declared


def _binary(place: Place, head: bytes) -> FormatKind | None:
    if head.startswith(_PARQUET):
        return FormatKind.PARQUET
    if place.ending in _EXCEL_ENDINGS and head.startswith((_OLE, b"PK\x03\x04")):
        return FormatKind.EXCEL
    if head.startswith(_OLE):
        return FormatKind.EXCEL
    for magic, what in _OTHER.items():
        if head.startswith(magic):
            raise InputError(f"{place.name}: this is not text but {what}. Nothing was stored.")
    if place.ending in (".parquet", ".pq") and head:
        raise InputError(f"{place.name}: this is not a Parquet file, whatever its name says. Nothing was stored.")
    return None


def _of_text(place: Place, head: bytes) -> FormatKind:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if place.ending in (".jsonl", ".ndjson"):
        return FormatKind.JSONL
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return FormatKind.HTML
    if start.startswith(_XML):
        raise InputError(
            f"{place.name}: this is XML (perhaps of Excel); nothing was stored. Open it in a spreadsheet and save it "
            "as .xlsx or as CSV."
        )
    text = _decoded(start)
    if place.ending in (".csv", ".tsv", ".tab", ".txt") and not _OBJECTS.match(text):
        return FormatKind.CSV
    if text.startswith("["):
        return FormatKind.JSON
    if text.startswith("{"):
        if "\n" not in text:
            text = _decoded(place.head(SAMPLE_BYTES)).lstrip()
        lines = not place.format.path and _is_json_line(text, whole=place.ending == ".json")
        return FormatKind.JSONL if lines else FormatKind.JSON
    return FormatKind.JSON if place.ending == ".json" else FormatKind.CSV


def _decoded(start: bytes) -> str:
    wide = bom_of(start) or zero_pattern(start) or "utf-8"
    return start.decode(wide, "replace").removeprefix("\ufeff").lstrip()


def _is_json_line(text: str, *, whole: bool) -> bool:
    """Whether a text begins with one whole object on a line; where that is all of it, it is one record.

    whole: what a line is that is longer than what was read: a document, not a record.
    """
    line, end, _ = text.partition("\n")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return not end and not whole
    return isinstance(value, dict) and (bool(end) or not _holds_a_list_of_objects(value))


def _holds_a_list_of_objects(value: object) -> bool:
    """Whether a list of objects lies under keys of objects."""
    if isinstance(value, list):
        return any(isinstance(item, dict) for item in value)
    return isinstance(value, dict) and any(map(_holds_a_list_of_objects, value.values()))
