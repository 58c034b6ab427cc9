"""Plain rows validated in columns: what is surely accepted at once, the others one by one. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.feedback.chunks import object_array
from trueup.feedback.columns.plain_chunk import PlainChunk
from trueup.feedback.columns.plain_times import plain_arrivals, plain_event_times, plain_time_texts
from trueup.feedback.columns.plain_values import blank, distinct, finite_numbers, objects_of, plainly, unmarked
from trueup.feedback.labels import HUGE, labelled
from trueup.feedback.missing_marks import marks_of
from trueup.feedback.number_notation import number_columns
from trueup.feedback.row_ids import hashed_ids
from trueup.feedback.schema_check import expected_columns
from trueup.feedback.text_table import TextTable
from trueup.feedback.validation import (
    FUTURE,
    MAX_ID,
    MAX_TEXT,
    Validated,
    prediction_faults,
    validate,
)
from trueup.feedback.values import infinite
from trueup.storage.arrow_columns import one_array
from trueup.storage.incoming import Incoming
from trueup.storage.row_ids import HashedColumns, hashed_columns
from trueup.storage.stream import OrderTime, StreamSettings
from trueup.storage.timepoints import utc


@dataclass
class _Doubt:
    """Rows that are not surely accepted as they are: bool of shape (n,)."""

    where: np.ndarray

    def add(self, where: np.ndarray) -> None:
        self.where |= where


class PlainRaw(Sequence[str]):
    """The raw content of plain rows, made when it is asked for."""

    def __init__(self, chunk: PlainChunk, positions: np.ndarray) -> None:
        self._chunk, self._positions = chunk, positions

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(len(self)))]
        return self._chunk.rows(self._positions[[k]]).raw[0]


class JoinedRaw(Sequence[str]):
    """Raw contents one after another."""

    def __init__(self, parts: Sequence[Sequence[str]], order: np.ndarray | None = None) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)]).tolist()
        self._order = order

    def __len__(self) -> int:
        return self._starts[-1] if self._order is None else len(self._order)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[j] for j in range(*k.indices(len(self)))]
        place = range(self._starts[-1])[k] if self._order is None else int(self._order[k])
        part = bisect_right(self._starts, place) - 1
        return self._parts[part][place - self._starts[part]]


def validate_plain(
    stream: StreamSettings, chunk: PlainChunk, now: datetime, hashed: HashedColumns | None = None
) -> Validated:
    """What `validate` makes of the same rows; the stream's numbers are written with a point."""
    doubt = _Doubt(np.zeros(len(chunk), dtype=bool))
    table = _cleaned(stream, chunk.table, doubt)
    times = _times(stream, chunk, table, now, doubt)
    labels, known_at = _labels(stream, chunk, table, times, doubt)
    ids = _ids(stream, table, chunk, hashed, times, doubt)
    if stream.text:
        doubt.add(np.logical_and.reduce([blank(table[column]) for column in stream.text]))
    if stream.prediction.column:
        answers = {c: objects_of(table[c]) for c in stream.prediction.columns}
        doubt.add(prediction_faults(stream, TextTable(answers, len(chunk))))
    for column in stream.numeric:
        values, wrong = finite_numbers(table[column])
        doubt.add(wrong)
        table[column] = pa.array(values, from_pandas=True)
    doubt.add(np.logical_and.reduce([table[c].is_null().to_numpy(zero_copy_only=False) for c in stream.features]))
    good = np.flatnonzero(~doubt.where)
    one_by_one = np.flatnonzero(doubt.where)
    whole = pa.table(table)
    accepted = Incoming(
        ids=ids[good],
        times=times[good] if len(times) else times,
        table=whole.take(pa.array(good)) if len(one_by_one) else whole,
        labels=labels[good],
        known_at=known_at[good],
        labelled=labelled(stream, labels[good], known_at[good]),
        lines=np.asarray(chunk.lines)[good],
        raw=PlainRaw(chunk, good),
    )
    if not len(one_by_one):
        return Validated(accepted, chunk.broken)
    rest = validate(stream, chunk.rows(one_by_one), now, hashed)
    refused = sorted([*chunk.broken, *rest.refused], key=lambda r: r.line)
    return Validated(in_file_order([accepted, rest.accepted]), tuple(refused))


def in_file_order(parts: Sequence[Incoming]) -> Incoming:
    """Records of one file together, by their lines."""
    parts = [part for part in parts if len(part.ids)] or list(parts[:1])
    if len(parts) == 1:
        return parts[0]
    lines = np.concatenate([part.lines for part in parts])
    sorted_already = bool((lines[1:] >= lines[:-1]).all())
    order = np.arange(len(lines)) if sorted_already else np.argsort(lines, kind="stable")
    table = pa.concat_tables([part.table for part in parts], promote_options="default")

    def together(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])[order if len(getattr(parts[0], name)) else []]

    return Incoming(
        ids=together("ids"), times=together("times"),
        table=table if sorted_already else table.take(pa.array(order)),
        labels=together("labels"), known_at=together("known_at"), labelled=together("labelled"), lines=lines[order],
        raw=JoinedRaw([part.raw for part in parts], None if sorted_already else order),
    )  # fmt: skip


def _cleaned(stream: StreamSettings, table: pa.Table, doubt: _Doubt) -> dict[str, pa.Array]:
    """Every column written plainly but text, without what stands for no value."""
    declared = expected_columns(stream)
    cleaned = {}
    for column in dict.fromkeys([*table.column_names, *declared]):
        if column not in table.column_names:
            cleaned[column] = pa.nulls(table.num_rows, pa.string())
            continue
        values = one_array(table.column(column))
        if column in declared and len(values):
            doubt.add(pc.greater(pc.binary_length(values), MAX_TEXT).fill_null(False).to_numpy(zero_copy_only=False))
        values = values if column in stream.text else plainly(values)
        cleaned[column] = unmarked(values, marks_of(stream, column)) if column in declared else values
    return cleaned


def _ids(
    stream: StreamSettings, table: dict[str, pa.Array], chunk: PlainChunk, hashed: HashedColumns | None,
    times: np.ndarray, doubt: _Doubt,
) -> np.ndarray:  # fmt: skip
    if not stream.id:
        return hashed_ids(hashed or hashed_columns(stream), stream, chunk.rows().table, times)
    column = table[stream.id]
    doubt.add(blank(column))
    doubt.add(pc.greater(pc.binary_length(column), MAX_ID).fill_null(True).to_numpy(zero_copy_only=False))
    return objects_of(column)


def _times(
    stream: StreamSettings, chunk: PlainChunk, table: dict[str, pa.Array], now: datetime, doubt: _Doubt
) -> np.ndarray:
    if isinstance(stream.time, OrderTime):
        return np.empty(0, dtype="datetime64[us]")
    times = chunk.event
    if times is None:
        texts = plain_time_texts(stream, pa.table(table), stream.time_columns)
        times = plain_event_times(stream, texts, chunk.typed)
    latest = np.datetime64(utc(now + FUTURE).replace(tzinfo=None), "us")
    doubt.add(np.isnat(times.last) | (times.last < np.datetime64(0, "us")) | (times.first > latest))
    return times.last


def _labels(
    stream: StreamSettings, chunk: PlainChunk, table: dict[str, pa.Array], times: np.ndarray, doubt: _Doubt
) -> tuple[np.ndarray, np.ndarray]:
    rows = len(doubt.where)
    unknown = np.full(rows, np.datetime64("NaT", "us"))
    if not stream.label.column:
        return object_array([None] * rows), unknown
    column = table[stream.label.column]
    labels = objects_of(column).copy()
    if stream.is_regression:
        values, wrong = finite_numbers(column)
        doubt.add(wrong | (np.abs(values) > HUGE))
        labels[np.isnan(values)] = None
    elif stream.label.column in number_columns(stream):
        doubt.add(distinct(column, infinite) == True)  # noqa: E712  elementwise
    if isinstance(stream.time, OrderTime):
        return labels, unknown
    known_at = times
    if stream.label.arrived:
        texts = plain_time_texts(stream, pa.table(table), [stream.label.arrived])
        arrived = (chunk.arrived or plain_arrivals(stream, texts)).last
        doubt.add(np.isnat(arrived) & ~blank(texts))
        known_at = np.maximum(times, arrived)
    return labels, np.where(labels == None, unknown, known_at)  # noqa: E711  elementwise
