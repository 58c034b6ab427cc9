"""CSV files in blocks of bytes: what is plain is read in columns, what is not record by record, in the file's order."""

from __future__ import annotations

import codecs
import csv
import itertools
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from trueup.feedback.columns.csv_proof import PlainPart, plain_part
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.formats.contents import Place
from trueup.feedback.formats.csv_records import Record, csv_records, repeated_header

BLOCK = 1 << 20
_LINE_BYTES = 16 << 20  # a longer line is taken in pieces


class CsvBlocks:
    """The body of a CSV file in UTF-8 with two columns or more.

    place: the file. start: the line after its header. names: of all columns; kept: places of those that are read.
    cells: the header as it is written.
    """

    def __init__(
        self, place: Place, start: int, names: Sequence[str], kept: Sequence[int], cells: Sequence[str]
    ) -> None:
        self._place, self._start, self._names, self._cells = place, start, names, list(cells)
        self._kept, self._delimiter = kept, place.format.delimiter
        self._held, self._ended, self._line = b"", False, start
        columns = dict.fromkeys(map(str, sorted({0, *kept})))
        self._parse = arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True)
        self._convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), include_columns=list(columns), null_values=[""],
            strings_can_be_null=True, check_utf8=False,
        )  # fmt: skip

    def parts(self) -> Iterator[PlainChunk | list[Record]]:
        """Plain rows and single records in turn; records that are no plain ones are few, then more of a sort."""
        with self._place.open() as handle:
            for _ in range(self._start - 1):
                handle.readline(_LINE_BYTES)
            singly, size = 1, BLOCK
            while self._filled(handle, size):
                part = self._proved()
                if part.records:
                    yield self._plain(part)
                if part.whole and not (self._ended and self._held):
                    singly, size = 1, max(BLOCK, len(self._held) + 1)
                    continue
                if records := self._single(handle, singly):
                    yield records
                singly *= 2

    def _filled(self, handle: IO[bytes], size: int) -> bool:
        """Hold more of the file than so many bytes, where there are; whether there is anything."""
        while not self._ended and len(self._held) < size:
            more = handle.read(BLOCK)
            self._held += more
            self._ended = not more
            if self._ended and self._held and not self._held.endswith(b"\n"):
                self._held += b"\n"
        return bool(self._held)

    def _proved(self) -> PlainPart:
        data = np.frombuffer(self._held, np.uint8)
        return plain_part(data, ord(self._delimiter), len(self._names), _valid(self._held))

    def _plain(self, part: PlainPart) -> PlainChunk:
        """The plain records, which are let go of."""
        held, size = self._held, int(part.ends[-1])
        lines = self._line + part.lines
        self._line += part.taken
        self._held = held[size:]
        read = arrow_csv.ReadOptions(
            use_threads=False, block_size=size + 1, column_names=[str(k) for k in range(len(self._names))]
        )
        table = arrow_csv.read_csv(pa.BufferReader(memoryview(held)[:size]), read, self._parse, self._convert)
        if table.num_rows != part.records:
            raise AssertionError("what is proved to be plain CSV was read as another number of records")
        looked_at = self._looked_at(table)
        table = table.select([str(k) for k in self._kept]).rename_columns([self._names[k] for k in self._kept])
        if not len(looked_at):
            return PlainChunk(table, lines)
        return self._without(PlainChunk(table, lines), looked_at, held, part.ends)

    def _looked_at(self, table: pa.Table) -> np.ndarray:
        """Records that may be nothing but delimiters, or repeat the header."""
        again = pc.equal(pc.fill_null(table.column("0"), ""), self._cells[0])
        empty = pc.is_null(table.column(0))
        for column in table.columns[1:]:
            empty = pc.and_(empty, pc.is_null(column))
        return np.flatnonzero(pc.or_(again, empty).to_numpy())

    def _without(self, chunk: PlainChunk, looked_at: np.ndarray, held: bytes, ends: np.ndarray) -> PlainChunk:
        """The chunk without what is no row; what repeats the header is told."""
        dropped, broken = [], []
        for k in map(int, looked_at):
            text = held[int(ends[k - 1]) if k else 0 : int(ends[k])].decode()
            fields = next(csv.reader([text], delimiter=self._delimiter))
            if not any(fields):
                dropped.append(k)
            elif fields == self._cells:
                dropped.append(k)
                broken.append(repeated_header(int(chunk.lines[k]), text.rstrip("\r\n")))
        left = np.delete(np.arange(len(chunk)), dropped)
        return PlainChunk(chunk.table.take(pa.array(left)), chunk.lines[left], tuple(broken))

    def _single(self, handle: IO[bytes], count: int) -> list[Record]:
        """So many records read one by one; what they take is let go of."""
        sizes: list[int] = []
        records = list(itertools.islice(self._records(handle, sizes), count))
        lines = records[-1].line + records[-1].lines - self._line if len(records) == count else len(sizes)
        self._held = self._held[sum(sizes[:lines]) :]
        self._line += lines
        return records

    def _records(self, handle: IO[bytes], sizes: list[int]) -> Iterator[Record]:
        lines = (line.decode("utf-8", "trueup-bytes") for line in self._physical(handle, sizes))
        return csv_records(lines, len(self._names), self._line, self._delimiter)

    def _physical(self, handle: IO[bytes], sizes: list[int]) -> Iterator[bytes]:
        """Physical lines from where reading stands; their sizes are noted."""
        at = 0
        while True:
            end = self._held.find(b"\n", at, at + _LINE_BYTES) + 1
            if not end and len(self._held) - at >= _LINE_BYTES:
                end = at + _LINE_BYTES
            if end:
                sizes.append(end - at)
                yield self._held[at:end]
                at = end
            elif not self._filled(handle, len(self._held) + 1) or (self._ended and at == len(self._held)):
                return


def _valid(held: bytes) -> int:
    """How many of the bytes, from the first, are UTF-8, but for a character that their end cuts off."""
    text = [None, pa.py_buffer(np.array([0, len(held)], np.int32)), pa.py_buffer(held)]
    try:
        pa.Array.from_buffers(pa.string(), 1, text).validate(full=True)  # decoding takes forty times as long
    except pa.ArrowInvalid:
        try:
            codecs.utf_8_decode(held, "strict", False)
        except UnicodeDecodeError as error:
            return error.start
    return len(held)
