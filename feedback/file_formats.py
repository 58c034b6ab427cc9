"""What lies in a file: header and rows of CSV, JSON Lines and Parquet."""

from __future__ import annotations

import codecs
import csv
import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from trueup.feedback.chunks import Chunk, RawRows, chunk_of, object_array
from trueup.feedback.csv_records import csv_records
from trueup.feedback.typed_values import written
from trueup.feedback.values import encodable, escaped
from trueup.storage.errors import InputError
from trueup.storage.incoming import Refused

_SAMPLE_BYTES = 4 << 20
_LINE_BYTES = 16 << 20          # a longer line is taken in pieces, so that memory stays bounded
_FOREIGN_SHARE = 0.1            # of sampled lines: above it the file is in another encoding, below it a line is spoilt
_MAGIC = {
    b"PK\x03\x04": "a zip archive (or an Excel workbook)", b"\x1f\x8b": "compressed by gzip; name it .gz",
    b"PAR1": "Parquet; name it .parquet", b"%PDF": "a PDF", b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8", b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}



def _open(file: Path) -> IO[bytes]:
    return gzip.open(file, "rb") if file.suffix.lower() == ".gz" else file.open("rb")  # type: ignore[return-value]


def _lines(file: Path) -> Iterator[str]:
    """Physical lines; bytes that are no UTF-8 become lone surrogates, which validation refuses row by row."""
    with _open(file) as handle:
        first = handle.readline(_LINE_BYTES).removeprefix(b"\xef\xbb\xbf")
        rest = iter(lambda: handle.readline(_LINE_BYTES), b"")
        for line in itertools.chain([first] if first else [], rest):
            yield line.decode("utf-8", "surrogateescape")


def _check_text(name: str, file: Path) -> None:
    """Refuse what is no UTF-8 text: another format, binary junk, another encoding."""
    with _open(file) as handle:
        block = handle.read(_SAMPLE_BYTES)
    for magic, what in _MAGIC.items():
        if block.startswith(magic):
            raise InputError(f"{name}: this is not text but {what}. Nothing was stored.")
    lines = block.split(b"\n")
    cut = len(block) == _SAMPLE_BYTES  # perhaps within a character of the last line
    bad = []
    for k, line in enumerate(lines, start=1):
        try:
            codecs.utf_8_decode(line, "strict", not cut or k < len(lines))
        except UnicodeDecodeError as error:
            bad.append((k, line[error.start]))
    if (bad and bad[0][0] == 1) or len(bad) > _FOREIGN_SHARE * len(lines):
        line_number, byte = bad[0]
        raise InputError(
            f"{name}: not UTF-8: byte 0x{byte:02x} in line {line_number}, and {len(bad)} of {len(lines)} lines alike. "
            "Nothing was stored. Save it as UTF-8, for instance: iconv -f WINDOWS-1252 -t UTF-8"
        )
    if any(c < 32 and c not in (9, 10, 13) for c in lines[0]):
        raise InputError(f"{name}: its first line holds control characters, so it is binary. Nothing was stored.")


def _csv_header(name: str, file: Path) -> tuple[tuple[str, ...], int]:
    """The column names, and the number of the first line after them."""
    lines = enumerate(_lines(file), start=1)
    taken: list[str] = []
    for number, line in lines:
        if not taken and not line.strip():
            continue
        taken.append(line)
        try:
            fields = next(csv.reader(taken, strict=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error) and number < 100:
                continue
            raise InputError(f"{name}: the header in line 1 is not CSV ({error}). Nothing was stored.") from None
        names = tuple(field.strip() or f"unnamed_{k}" for k, field in enumerate(fields, start=1))
        twice = sorted({c for c in names if names.count(c) > 1})
        if twice:
            raise InputError(f"{name}: the header names {twice} more than once; rename one. Nothing was stored.")
        return names, number + 1
    raise InputError(f"{name}: no header is found in it; nothing was stored.")


def csv_columns(name: str, file: Path, required: Sequence[str]) -> tuple[str, ...]:
    _check_text(name, file)
    return _csv_header(name, file)[0]


def csv_chunks(name: str, file: Path, size: int, only: Sequence[str] | None) -> Iterator[Chunk]:
    names, start = _csv_header(name, file)
    body = itertools.islice(_lines(file), start - 1, None)
    kept = [k for k, c in enumerate(names) if only is None or c in only]
    records = csv_records(body, len(names), start)
    while batch := list(itertools.islice(records, size)):
        good = [r for r in batch if not r.fault]
        by_column = list(zip(*(r.fields for r in good), strict=True)) or [()] * len(names)
        table = pd.DataFrame({names[k]: object_array([v or None for v in by_column[k]]) for k in kept}, dtype="object")
        broken = tuple(Refused(r.line, "broken_line", r.fault, escaped(r.text)) for r in batch if r.fault)
        yield Chunk(table, np.array([r.line for r in good], dtype=np.int64), RawRows(table), broken)


def _jsonl_objects(file: Path) -> Iterator[tuple[int, dict[str, object] | None, str, str]]:
    """Line number, object (None where the line is broken), fault, raw line."""
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, None, f"not JSON: {error}", line
            continue
        if not isinstance(value, dict):
            yield number, None, f"a JSON {type(value).__name__} where an object with the columns is wanted", line
        elif not all(encodable(key) for key in value):
            yield number, None, "a key that is no Unicode text", line
        else:
            yield number, value, "", line


def jsonl_columns(name: str, file: Path, required: Sequence[str]) -> tuple[str, ...]:
    _check_text(name, file)
    found: dict[str, None] = {}
    for k, (_, value, _, _) in enumerate(_jsonl_objects(file)):
        found.update(dict.fromkeys(value or ()))
        if k >= 1000 and found.keys() >= set(required):
            break
    if not found:
        raise InputError(
            f"{name}: no line of it is a JSON object; JSON Lines has one object a line. Nothing was stored."
        )
    return tuple(found)


def jsonl_chunks(name: str, file: Path, size: int, only: Sequence[str] | None) -> Iterator[Chunk]:
    lines = _jsonl_objects(file)
    while batch := list(itertools.islice(lines, size)):
        good = [(n, value) for n, value, _, _ in batch if value is not None]
        broken = [Refused(n, "broken_line", why, escaped(raw.rstrip("\r\n"))) for n, v, why, raw in batch if v is None]
        parsed = [v if only is None else {c: v[c] for c in only if c in v} for _, v in good]
        yield chunk_of(parsed, [n for n, _ in good], broken)


# ---- Parquet ----


def _parquet(name: str, file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise InputError(f"{name}: not a whole Parquet file ({error}). Nothing was stored.") from None


def parquet_columns(name: str, file: Path, required: Sequence[str]) -> tuple[str, ...]:
    names = tuple(_parquet(name, file).schema_arrow.names)
    twice = sorted({c for c in names if names.count(c) > 1})
    if twice:
        raise InputError(f"{name}: it names {twice} more than once; rename one. Nothing was stored.")
    return names


def parquet_chunks(name: str, file: Path, size: int, only: Sequence[str] | None) -> Iterator[Chunk]:
    import pyarrow.types as types

    parquet = _parquet(name, file)
    wanted = [c for c in parquet.schema_arrow.names if only is None or c in only]
    typed = frozenset(
        field.name for field in parquet.schema_arrow if types.is_timestamp(field.type) or types.is_date(field.type)
    )
    start = 1
    for batch in parquet.iter_batches(batch_size=size, columns=wanted):
        values = {c: object_array([written(v) for v in batch.column(c).to_pylist()]) for c in wanted}
        table = pd.DataFrame(values, columns=wanted, dtype="object")
        yield Chunk(table, np.arange(start, start + batch.num_rows), RawRows(table), (), typed)
        start += batch.num_rows
