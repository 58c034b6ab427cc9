"""Files of records and of feedback into the store: looked through first, then stored batch by durable batch.

Taking the same file in again, whole or after a kill half-way, leaves the same store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import IO

from feedback.chunks import Chunk
from feedback.feedback_items import SCHEMA, validate_feedback
from feedback.readers import CHUNK, opened
from feedback.times import survey
from feedback.validation import check_schema, required_columns, validate
from storage.incoming import Appended
from storage.records import RecordStore
from storage.stream import Stream

Progress = Callable[[int, int], None]  # rows done, rows in all


def ingest(
    store: RecordStore,
    stream: Stream,
    paths: Sequence[str],
    *,
    now: datetime,
    on_progress: Progress | None = None,
    batch: int = CHUNK,
    stdin: IO[bytes] | None = None,
) -> Appended:
    """Take files of records ("-": standard input) into the store; `batch` rows are one durable transaction.

    Raises:
        ConfigError: the stream's schema cannot be followed.
        InputError: a file cannot be taken in at all; nothing of any of the files was stored.
    """
    check_schema(stream)

    def keep(chunk: Chunk, source: str) -> Appended:
        rows = validate(stream, chunk, now)
        return store.append(stream, rows.accepted, rows.refused, source=source, now=now)

    return _run(stream, paths, keep, on_progress, batch, stdin)


def ingest_feedback(
    store: RecordStore,
    stream: Stream,
    paths: Sequence[str],
    *,
    now: datetime,
    on_progress: Progress | None = None,
    batch: int = CHUNK,
    stdin: IO[bytes] | None = None,
) -> Appended:
    """Take files of feedback (record_id, kind, value, user, at) into the store; raises as `ingest` does."""
    check_schema(stream)

    def keep(chunk: Chunk, source: str) -> Appended:
        said = validate_feedback(stream, chunk, now)
        return store.append_feedback(stream, said.items, said.refused, source=source, now=now)

    return _run(SCHEMA, paths, keep, on_progress, batch, stdin)


def _run(
    schema: Stream,
    paths: Sequence[str],
    keep: Callable[[Chunk, str], Appended],
    on_progress: Progress | None,
    batch: int,
    stdin: IO[bytes] | None,
) -> Appended:
    with ExitStack() as stack:
        needed = required_columns(schema)
        times = [c for c in (*schema.time_columns, schema.label.arrived) if c]
        sources = [stack.enter_context(opened(path, needed, stdin=stdin)) for path in paths]
        total = sum(survey(schema, source.chunks(only=times), source.name) for source in sources)
        outcome, done = Appended(), 0
        for source in sources:
            for chunk in source.chunks(batch):
                outcome += keep(chunk, source.name)
                done += len(chunk) + len(chunk.broken)
                if on_progress:
                    on_progress(done, total)
    return outcome
