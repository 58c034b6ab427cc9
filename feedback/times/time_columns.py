"""The times of a stream's rows, from the columns that its settings name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trueup.feedback.chunks import Chunk, object_array
from trueup.feedback.text_table import TextTable
from trueup.feedback.times.reading import Times, read_times
from trueup.feedback.times.time_formats import ISO
from trueup.feedback.values import MISSING_NUMBER, plain
from trueup.storage.stream import StreamSettings


def joined(table: TextTable, columns: Sequence[str]) -> np.ndarray:
    """The columns of a time as one text a row, None where one is missing; a bare hour number gets two digits."""
    parts = [[_present(v) for v in table[c]] if c in table else [None] * len(table) for c in columns]
    if len(parts) > 1:
        parts[-1] = [f"0{v}" if v is not None and len(v) == 1 and v.isdigit() else v for v in parts[-1]]
    return object_array([None if None in row else " ".join(row) for row in zip(*parts, strict=True)])


def _present(text: str | None) -> str | None:
    """A cell as it is read, None where it is empty or says that it is missing."""
    value = plain(text)
    return None if value is not None and len(value) < 8 and value.lower() in MISSING_NUMBER else value


def event_times(stream: StreamSettings, chunk: Chunk) -> Times:
    """The event times of a chunk's rows by the stream's declaration; a column that the file types as time is exact."""
    typed = set(stream.time_columns) <= chunk.typed
    declared = ISO if typed else stream.time_format
    return read_times(joined(chunk.table, stream.time_columns), declared, stream.time_locale, stream.time_zone)


def arrivals(stream: StreamSettings, chunk: Chunk) -> Times:
    """When the labels of a chunk's rows were known, NaT where unreadable or empty: by `time_format`, or as ISO 8601."""
    texts = joined(chunk.table, [stream.label.arrived])
    iso = read_times(texts, zone=stream.time_zone)
    if not isinstance(stream.time, str):
        return iso
    return read_times(texts, stream.time_format, stream.time_locale, stream.time_zone).completed(iso)
