"""The times of plain rows, read in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.columns.plain_values import plainly, unmarked
from trueup.feedback.missing_marks import MissingMarks, marks_of
from trueup.feedback.times.reading import Times, read_times
from trueup.feedback.times.time_formats import ISO
from trueup.feedback.times.time_survey import Dated
from trueup.storage.arrow_columns import one_array
from trueup.storage.stream import OrderTime, StreamSettings


def plain_time_texts(stream: StreamSettings, table: pa.Table, columns: Sequence[str]) -> pa.StringArray:
    """The columns of a time as one text a row, null where one is missing; a bare hour number gets two digits."""
    parts = []
    for column in columns:
        if column not in table.column_names:
            return pa.nulls(table.num_rows, pa.string())
        parts.append(unmarked(plainly(one_array(table.column(column))), _with_words(marks_of(stream, column))))
    if len(parts) == 1:
        return parts[0]
    digit = pc.match_substring_regex(parts[-1], "^[0-9]$")
    parts[-1] = pc.if_else(digit, pc.binary_join_element_wise("0", parts[-1], ""), parts[-1])
    return pc.binary_join_element_wise(*parts, " ")


def _with_words(marks: MissingMarks) -> MissingMarks:
    return MissingMarks(marks.texts, marks.numbers, words=True)


def plain_event_times(stream: StreamSettings, texts: pa.StringArray, typed: frozenset[str]) -> Times:
    """Event times of joined texts, by the stream's declaration; a column that the file types as time is exact."""
    declared = ISO if set(stream.time_columns) <= typed else stream.time_format
    return read_times(texts, declared, stream.time_locale, stream.time_zone)


def plain_arrivals(stream: StreamSettings, texts: pa.StringArray) -> Times:
    """When labels were known: by `time_format`, or as ISO 8601."""
    iso = read_times(texts, zone=stream.time_zone)
    if not isinstance(stream.time, str):
        return iso
    return read_times(texts, stream.time_format, stream.time_locale, stream.time_zone).completed(iso)


def with_times(stream: StreamSettings, chunk: PlainChunk) -> tuple[PlainChunk, Dated]:
    """The chunk with its times read, and what a survey looks at."""
    event = arrived = None
    if not isinstance(stream.time, OrderTime):
        texts = plain_time_texts(stream, chunk.table, stream.time_columns)
        event = (texts, plain_event_times(stream, texts, chunk.typed))
    if stream.label.arrived:
        texts = plain_time_texts(stream, chunk.table, [stream.label.arrived])
        arrived = (texts, plain_arrivals(stream, texts))
    read = replace(chunk, event=event and event[1], arrived=arrived and arrived[1])
    return read, Dated(len(chunk) + len(chunk.broken), np.asarray(chunk.lines), event, arrived)
