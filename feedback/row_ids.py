"""Ids of rows without one, as a hash of what they say; and what a file's ids, or its equal rows, are to be told of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.feedback.chunks import Chunk, object_array
from trueup.feedback.text_table import TextTable
from trueup.feedback.times.time_columns import event_times
from trueup.feedback.values import number, plain
from trueup.storage.formatting import counted_noun
from trueup.storage.row_ids import HashedColumns
from trueup.storage.stream import OrderTime, StreamSettings

_UNIT = "\x1f"
_WHOLE = re.compile(r"-?\d{1,18}")                         # an id that an int64 holds
_FRACTION = re.compile(r"(-?\d{1,18})\.0+")                # the same as a spreadsheet or a data frame writes it
RUINED = re.compile(r"-?\d(?:[.,]\d+)?[eE]\+?(?:1[1-9]|[2-9]\d)|-?\d{16,}[.,]0+")  # its last digits are gone for good
_LIKE_A_NUMBER = r"^[^A-DF-Za-df-z_:/#]*$"                # no id of any of these forms holds one of these signs
_EXAMPLE = 60  # characters


def hashed_ids(hashed: HashedColumns, stream: StreamSettings, table: TextTable, times: np.ndarray) -> np.ndarray:
    """The id of each of n rows, by what is not missing in its columns, in whatever order and form the file has them.

    Args:
        table: n × columns as they were read, str or None.
        times: event times, datetime64[us] of shape (n,), or of shape (0,) where the stream's time is intake order.
    """
    if hashed.names is None:
        parts = {c: _as_written(table[c], text=c in stream.text) for c in table.columns}
    else:
        parts = {c: [plain(v) for v in _without_nul(table[c])] for c in hashed.names if c in table}
        if len(times):
            parts["\x1etime"] = [str(stamp) for stamp in times.astype("datetime64[us]").astype(np.int64)]
    for column in hashed.numeric:
        if column in parts:
            parts[column] = [v if (x := number(v)) is None else repr(x + 0.0) for v in parts[column]]
    names = sorted(parts)
    rows = zip(*(parts[c] for c in names), strict=True) if names else iter([()] * len(table))
    said = (_UNIT.join(f"{n}={v}" for n, v in zip(names, row, strict=True) if v is not None) for row in rows)
    return object_array([blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest() for text in said])


def _as_written(values: np.ndarray, *, text: bool) -> list[str | None]:
    cleaned = _without_nul(values)
    return list(cleaned) if text else [plain(v) for v in cleaned]


def _without_nul(values: np.ndarray) -> Iterator[str | None]:
    return (v.replace("\x00", "") or None if v is not None and "\x00" in v else v for v in values)


@dataclass
class EqualRows:
    """Rows of one file that equal an earlier one, where no id tells them apart: 16 bytes of memory a row.

    label: the label's column, where it is part of what is hashed.
    """

    hashed: HashedColumns
    stream: StreamSettings
    label: str = ""
    unlabelled: int = 0
    hashes: list[np.ndarray] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)

    def tapped(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, each looked at as it passes."""
        for chunk in chunks:
            ordered = isinstance(self.stream.time, OrderTime)
            times = np.empty(0, "datetime64[us]") if ordered else event_times(self.stream, chunk).last
            ids = hashed_ids(self.hashed, self.stream, chunk.table, times)
            dated = np.ones(len(ids), dtype=bool) if ordered else ~np.isnat(times)
            self.hashes.append(np.array([int(i[:16], 16) for i in ids[dated]], dtype=np.uint64))
            self.lines.append(np.asarray(chunk.lines)[dated])
            if self.label:
                labels = chunk.table[self.label] if self.label in chunk.table else [None] * len(chunk)
                self.unlabelled += sum(plain(v) is None for v in labels)
            yield chunk

    def repeats(self) -> tuple[int, tuple[int, int]]:
        """How many rows equal an earlier one, and the lines of two that are equal (0, 0: there are none)."""
        hashes = np.concatenate([np.empty(0, np.uint64), *self.hashes])
        order = np.argsort(hashes, kind="stable")
        equal = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
        if not len(equal):
            return 0, (0, 0)
        lines = np.concatenate(self.lines)
        return len(equal), (int(lines[order[equal[0]]]), int(lines[order[equal[0] + 1]]))

    def notes(self, name: str) -> Iterator[str]:
        """What is to be told of the file before any of it is stored."""
        if self.unlabelled:
            yield (
                f"{name}: {counted_noun(self.unlabelled, 'row')} without a label yet. Sent again with one, they are "
                "stored as new records, since the stream names no id column. Name one (id), or the column that says "
                "since when a label is known (label.arrived), or send the labels as feedback."
            )
        count, (first, second) = self.repeats()
        if not count:
            return
        rows = sum(map(len, self.hashes))
        what = "every column" if self.hashed.names is None else "every declared column"
        yield (
            f"{name}: {count:,} of {counted_noun(rows, 'row')} equal another row in {what}, such as lines {first:,} "
            f"and {second:,}. Without an id column, equal rows are stored as one record. If they are different "
            f"records, name the column that identifies them: id = \"...\" under [streams.{self.stream.name}]."
        )


@dataclass
class IdForms:
    """How the id column of one file is written: 8 bytes of memory a row with a whole number."""

    stream: StreamSettings
    whole: list[np.ndarray] = field(default_factory=list)
    fractional: list[np.ndarray] = field(default_factory=list)
    ruined: int = 0
    example: str = ""

    def tapped(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """The same chunks, each looked at as it passes."""
        for chunk in chunks:
            self._add([v for v in chunk.table[self.stream.id] if v is not None])
            yield chunk

    def add(self, ids: pa.StringArray) -> None:
        """Look at n ids, null where missing; those that have letters are told apart all at once."""
        whole = pc.match_substring_regex(ids, r"^-?[0-9]{1,18}$").fill_null(False)
        self.whole.append(ids.filter(whole).cast(pa.int64()).to_numpy())
        rest = ids.filter(pc.and_not(pc.match_substring_regex(ids, _LIKE_A_NUMBER).fill_null(False), whole))
        if len(rest):
            self._add(rest.to_pylist())

    def _add(self, values: Sequence[str]) -> None:
        texts = [v.strip() for v in values]
        self.whole.append(_numbers(v for v in texts if _WHOLE.fullmatch(v)))
        self.fractional.append(_numbers(m[1] for v in texts if (m := _FRACTION.fullmatch(v))))
        ruined = [v for v in texts if RUINED.fullmatch(v)]
        self.ruined += len(ruined)
        self.example = self.example or (ruined[0][:_EXAMPLE] if ruined else "")

    def notes(self, name: str) -> Iterator[str]:
        """What is to be told of the file before any of it is stored."""
        column = self.stream.id
        both = np.intersect1d(np.concatenate([_NONE, *self.whole]), np.concatenate([_NONE, *self.fractional]))
        if len(both):
            yield (
                f"{name}: column '{column}' (the id) writes {counted_noun(len(both), 'id')} in two ways, such as "
                f"{both[0]} and {both[0]}.0. Both are the same id, so the second row is a duplicate or a conflict. If "
                "they are different records, correct the file."
            )
        if self.ruined:
            yield (
                f"{name}: column '{column}' (the id) holds {counted_noun(self.ruined, 'id')} that a spreadsheet "
                f"rounded, such as {self.example}, so different records have the same id. Export the column as text."
            )


_NONE = np.empty(0, np.int64)


def _numbers(texts: Iterable[str]) -> np.ndarray:
    return np.array([int(v) for v in texts], dtype=np.int64)


def columns_looked_at(stream: StreamSettings, hashed: HashedColumns) -> Sequence[str] | None:
    """The columns that `EqualRows` or `IdForms` read; None: all."""
    return (stream.id,) if stream.id else hashed.names
