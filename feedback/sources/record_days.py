"""Which records a file holds, and of which day each is: what `doctor` compares the store with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from trueup.feedback.readers import LocalCopy, opened
from trueup.feedback.schema_check import as_brought, required_columns
from trueup.feedback.validation import validate
from trueup.storage.row_ids import HashedColumns
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    import pyarrow as pa


def days_of_records(
    stream: StreamSettings, copy: LocalCopy | pa.Table, hashed: HashedColumns, now: datetime
) -> Iterator[tuple[str, date]]:
    """The id and the day (of its event time, UTC) of every record that would be accepted, of a file or rows in memory.

    Raises:
        InputError: the file cannot be taken in at all.
    """
    with opened(copy, required_columns(stream), format=stream.format) as source:
        schema, _ = as_brought(stream, source.columns, source.name)
        for chunk in source.chunks():
            rows = validate(schema, chunk, now, hashed).accepted
            yield from zip(map(str, rows.ids), rows.times.astype("datetime64[D]").tolist(), strict=False)
