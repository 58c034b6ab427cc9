"""Parquet files, and folders of them that are partitioned by `key=value`: columns of every type as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.columns.plain_arrow import is_exact, written_at_once
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.formats.contents import Contents, Place
from trueup.feedback.nested import Nested, flat
from trueup.feedback.text_table import TextTable
from trueup.feedback.typed_values import written
from trueup.storage.errors import InputError

_AT_ONCE = 10_000  # rows that are looked at together
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def read_parquet(place: Place, files: Sequence[Path] | None = None) -> Contents:
    """The columns of a Parquet file, or of the `files` of a partitioned folder, in which rows are numbered on.

    Fields of a struct are columns by dotted name. Columns of bytes are read only where they are wanted.

    Raises:
        InputError: not a whole Parquet file, or it names a column more than once.
    """
    parts = [_Part(place.name, file, _keys(place.file, file)) for file in files or [place.unpacked()]]
    names = tuple(dict.fromkeys(name for part in parts for name in part.names(place.wanted)))
    return Contents(
        names,
        lambda size, only: _chunks(parts, names, place.wanted, size, only),
        parts=lambda only: _parts(parts, names, place.wanted, only),
    )


def _keys(folder: Path, file: Path) -> dict[str, str | None]:
    """The columns that a file's path below the folder writes as `key=value`."""
    if not folder.is_dir():
        return {}
    named = [part.split("=", 1) for part in file.relative_to(folder).parts[:-1] if "=" in part]
    return {unquote(key): None if value == _NO_VALUE else unquote(value) for key, value in named}


def _chunks(
    parts: Sequence[_Part], names: Sequence[str], wanted: Sequence[str] | None, size: int, only: Sequence[str] | None
) -> Iterator[Chunk]:
    start = 1
    kept = [c for c in names if only is None or c in only]
    for part in parts:
        for batch in part.batches(size, kept, wanted):
            yield _chunk(part, batch, kept, start)
            start += batch.num_rows


def _parts(
    parts: Sequence[_Part], names: Sequence[str], wanted: Sequence[str] | None, only: Sequence[str] | None
) -> Iterator[Chunk | PlainChunk]:
    """The same rows, in columns where every value of them is plain."""
    start = 1
    kept = [c for c in names if only is None or c in only]
    for part in parts:
        for batch in part.batches(_AT_ONCE, kept, wanted):
            yield _plain(part, batch, kept, start) or _chunk(part, batch, kept, start)
            start += batch.num_rows


def _chunk(part: _Part, batch: Any, kept: Sequence[str], start: int) -> Chunk:
    rows, columns = batch.num_rows, part.texts(batch, kept)
    found = {c: columns[c] if c in columns else object_array([None] * rows) for c in kept}
    more = {c: v for c, v in columns.items() if c not in found}  # objects that are also columns of their fields
    table = TextTable({**found, **more}, rows)
    return Chunk(table, np.arange(start, start + rows), RawRows(table), (), _typed(batch))


def _plain(part: _Part, batch: Any, kept: Sequence[str], start: int) -> PlainChunk | None:
    import pyarrow as pa

    rows = batch.num_rows
    texts = {name: written_at_once(batch.column(name)) for name in batch.schema.names}
    if not kept or any(text is None for text in texts.values()):
        return None
    texts |= {c: pa.array([v] * rows, pa.string()) for c, v in part.keys.items() if c in kept and v != ""}
    if any(part.keys.get(c) == "" for c in kept):
        return None
    table = pa.table({c: texts.get(c, pa.nulls(rows, pa.string())) for c in kept})
    exact = frozenset(field.name for field in batch.schema if is_exact(field.type))
    return PlainChunk(table, np.arange(start, start + rows), exact=exact, typed=_typed(batch))


def _typed(batch: Any) -> frozenset[str]:
    """The columns of a batch that are times."""
    leaves = (leaf for field in batch.schema for leaf in _typed_leaves(field.name, field.type))
    return frozenset(name for name, kind in leaves if _is_time(kind))


class _Part:
    """One Parquet file, with the columns of its path."""

    def __init__(self, name: str, file: Path, keys: dict[str, str | None]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._name, self.keys = name, keys
        try:
            self._file = pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{name}: the Parquet file is damaged ({error}). Nothing was stored.") from None
        self._schema = self._file.schema_arrow
        if "[ns" in str(self._schema):
            import pandas  # noqa: F401  times with nanoseconds are its own, which pyarrow makes only where it is there
        twice = sorted({c for c in self._schema.names if self._schema.names.count(c) > 1 or c in keys})
        if twice:
            told = ", ".join(f"'{c}'" for c in twice)
            raise InputError(f"{name}: several columns are named {told}. Nothing was stored. Rename all but one.")

    def names(self, wanted: Sequence[str] | None) -> list[str]:
        """The names of its columns, the fields of structs for the structs themselves."""
        return [*(n for field in self._read(wanted) for n in _leaves(field.name, field.type)), *self.keys]

    def _read(self, wanted: Sequence[str] | None) -> list[Any]:
        return [f for f in self._schema if wanted is None or f.name in wanted or not _is_bytes(f.type)]

    def batches(self, size: int, kept: Sequence[str], wanted: Sequence[str] | None) -> Iterator[Any]:
        """Batches of rows, of the columns that hold what is kept."""
        import pyarrow as pa

        fields = [f for f in self._read(wanted) if any(c == f.name or c.startswith(f"{f.name}.") for c in kept)]
        paths = [f.name for f in fields if any(leaf in kept for leaf in _leaves(f.name, f.type))]
        try:
            yield from self._file.iter_batches(batch_size=size, columns=paths) if paths else self._empty(size)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise self._broken_off(error) from error

    def texts(self, batch: Any, kept: Sequence[str]) -> dict[str, np.ndarray]:
        """Each column of a batch as text, those of its path beside them."""
        import pyarrow as pa

        found: dict[str, np.ndarray] = {}
        try:
            for field in batch.schema:
                found |= _texts(field.name, batch.column(field.name), batch.num_rows)
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise self._broken_off(error) from error
        return found | {c: object_array([v] * batch.num_rows) for c, v in self.keys.items() if c in kept}

    def _broken_off(self, error: Exception) -> InputError:
        return InputError(f"{self._name}: the file cannot be read to its end ({error}). Get it again.")

    def _empty(self, size: int) -> Iterator[Any]:
        """As many rows as the file has, without a column."""
        return self._file.iter_batches(batch_size=size, columns=[])


def _leaves(name: str, kind: Any) -> list[str]:
    return [leaf for leaf, _ in _typed_leaves(name, kind)]


def _typed_leaves(name: str, kind: Any) -> list[tuple[str, Any]]:
    """A column, or the fields of a struct by dotted name, with their types."""
    import pyarrow.types as types

    if types.is_struct(kind) and kind.num_fields:
        return [leaf for field in kind for leaf in _typed_leaves(f"{name}.{field.name}", field.type)]
    return [(name, kind)]


def _is_bytes(kind: Any) -> bool:
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return str(kind).startswith(("binary", "large_binary", "fixed_size_binary"))


def _is_time(kind: Any) -> bool:
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_timestamp(kind) or types.is_date(kind))


def _texts(name: str, column: Any, rows: int) -> dict[str, np.ndarray]:
    """A column as text, a struct as the text of each of its fields."""
    import pyarrow.types as types

    values = _values(column)
    if not types.is_struct(column.type) or not column.type.num_fields:
        flattened = [flat({name: value})[name] for value in values]
        texts = [value if isinstance(value, Nested) else written(value) for value in flattened]
        return {name: object_array(texts)}
    records = [flat({name: value}) if value is not None else {} for value in values]
    return {leaf: object_array([written(r.get(leaf)) for r in records]) for leaf in _leaves(name, column.type)}


def _values(column: Any) -> list[Any]:
    """The values of an Arrow array; times beyond the years that Python knows as Arrow writes them."""
    import pyarrow as pa

    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        try:
            return list(column.cast(pa.string()).to_pylist())
        except pa.ArrowException as error:
            raise pa.ArrowInvalid(f"a value of type {column.type} cannot be read: {error}") from error
