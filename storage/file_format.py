"""How a file of records is written: what must be known before its first row can be read. Frozen settings."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from trueup.storage.errors import ConfigError
from trueup.storage.policy import Frozen

FileKind = Literal["", "csv", "jsonl", "json", "xlsx", "html", "parquet"]
ADVICE = "under [streams.NAME.format], or as an option of `trueup ingest`"  # where a format is declared
_NO_FILE = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined")
_THOUSANDS = ("", ",", ".", " ", "'")


class FileFormat(Frozen):
    """`[streams.NAME.format]`. An empty `kind` is told by the file's name and first bytes.

    delimiter, skip_lines: of CSV (skip_lines also of HTML and Excel): lines before the header. decimal, thousands: of
    numbers that stand in the file as text. path: where in a JSON document the list of records lies, keys joined by
    dots. sheet: of a workbook its name, of an HTML page the number of the table.
    """

    kind: FileKind = ""
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    encoding: str = "utf-8"
    skip_lines: Annotated[int, Field(ge=0)] = 0
    path: str = ""
    sheet: str = ""

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, value: str) -> str:
        value = {"\\t": "\t", "tab": "\t"}.get(value, value)
        if len(value) != 1 or value in '"\r\n\x00':
            raise ValueError(f"{value!r} cannot separate fields; write one character, such as ';' or '\\t' (tab)")
        return value

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            known = codecs.lookup(value)
            if known._is_text_encoding and known.name not in _NO_FILE:
                return value
        except (LookupError, ValueError):
            pass
        raise ValueError(f"'{value}' is no encoding that Python knows; write one such as utf-8, utf-16 or windows-1252")

    @model_validator(mode="after")
    def _tells_the_two_marks_apart(self) -> FileFormat:
        if self.thousands not in _THOUSANDS:
            raise ValueError(f"thousands = '{self.thousands}' is none of ',', '.', ' ' and \"'\"")
        if self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both '{self.decimal}', so 1{self.decimal}234 could be either")
        return self

    def changed(self, given: Mapping[str, object]) -> FileFormat:
        """The same with other settings, by their keys.

        Raises:
            ConfigError: a key that there is not, or a value that it cannot have.
        """
        try:
            return FileFormat.model_validate({**self.model_dump(), **given})
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in ("format", *fault["loc"]))
            raise ConfigError(f"{key}: {fault['msg'].removeprefix('Value error, ')}. Nothing was done.") from None

    @property
    def plain_numbers(self) -> bool:
        """Whether numbers are written as everywhere else in trueup: a decimal point, nothing between thousands."""
        return self.decimal == "." and not self.thousands
