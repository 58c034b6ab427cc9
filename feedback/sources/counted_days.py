"""What a file holds of each day, by the intake's own reading: what `doctor` compares the store with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from trueup.feedback.feedback_items import feedback_schema, validate_feedback
from trueup.feedback.feedback_rows import columns_beside_items, each_row
from trueup.feedback.readers import LocalCopy, NamedRows, opened
from trueup.feedback.schema_check import as_brought, required_columns
from trueup.feedback.sources.pulling import Feed
from trueup.feedback.validation import validate
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    from trueup.storage.records.appending import RecordStore

CountedDays = Callable[["LocalCopy | NamedRows"], Iterable[tuple[str, date]]]


def counted_days(store: RecordStore, stream: StreamSettings, feed: Feed, now: datetime) -> CountedDays:
    """What gives the id and the day (UTC) of all that would be accepted of a file, or of rows in memory.

    A record is of the day of its event time; feedback of the day that it was given, if its record is stored. What was
    erased is left out. What it returns raises InputError where a file cannot be taken in at all.
    """
    if feed is Feed.RECORDS:
        hashed = store.hashed(stream)

        def of_records(copy: LocalCopy | NamedRows) -> Iterator[tuple[str, date]]:
            with opened(copy, required_columns(stream), format=stream.format) as source:
                schema, _ = as_brought(stream, source.columns, source.name)
                for chunk in source.chunks():
                    rows = store.not_erased(stream, validate(schema, chunk, now, hashed).accepted)
                    yield from zip(map(str, rows.ids), rows.times.astype("datetime64[D]").tolist(), strict=False)

        return of_records
    mapping = stream.feedback
    needed = columns_beside_items(mapping, required_columns(feedback_schema(mapping)))

    def of_feedback(copy: LocalCopy | NamedRows) -> Iterator[tuple[str, date]]:
        with opened(copy, needed, format=mapping.format) as source:
            for chunk in source.chunks():
                said = validate_feedback(stream, each_row(mapping, chunk), now).items
                yield from ((item.id, item.at.date()) for item in store.on_stored_records(stream, said))

    return of_feedback
