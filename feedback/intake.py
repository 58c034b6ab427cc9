"""Files of records and of feedback into the store: looked through first, then stored batch by durable batch.

Taking the same file in again, whole or after a kill half-way, leaves the same store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING

from trueup.feedback.chunks import Chunk, RawRows
from trueup.feedback.feedback_items import FEEDBACK_SCHEMA, validate_feedback
from trueup.feedback.missing_marks import without_marks
from trueup.feedback.number_notation import number_columns, with_points
from trueup.feedback.readers import CHUNK, opened
from trueup.feedback.row_ids import EqualRows, IdForms, columns_looked_at
from trueup.feedback.schema_check import as_brought, check_schema, expected_columns, required_columns
from trueup.feedback.times.time_survey import survey
from trueup.feedback.validation import validate
from trueup.storage.file_format import FileFormat
from trueup.storage.incoming import Appended
from trueup.storage.records import RecordStore
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    import pyarrow as pa

Sources = Sequence["str | pa.Table"]  # paths ("-": standard input), or rows in memory
OnProgress = Callable[[int, int], None]  # rows done, rows in all


def ingest(
    store: RecordStore,
    stream: StreamSettings,
    paths: Sources,
    *,
    now: datetime,
    format: FileFormat | None = None,
    on_progress: OnProgress | None = None,
    batch: int = CHUNK,
    stdin: IO[bytes] | None = None,
    on_note: Callable[[str], None] = lambda said: None,
) -> Appended:
    """Take files of records ("-": standard input) into the store; `batch` rows are one durable transaction.

    `format` says how these files are written, where they are not written as the stream's settings say.

    `on_note` is told, before anything is stored, of each column that a file lacks and can do without (slices, and the
    label's), and of rows that are the same record: equal ones without an id, ids in two forms.

    Raises:
        ConfigError: the stream's schema cannot be followed.
        InputError: a file cannot be taken in at all; nothing of any of the files was stored.
    """
    check_schema(stream)
    hashed = store.hashed(stream)
    own = stream.format
    stream = stream.model_copy(update={"format": format or own})

    def keep(schema: StreamSettings, chunk: Chunk, source: str) -> Appended:
        if schema.format != own:  # what is refused is judged anew by the settings, which may write numbers otherwise
            chunk = with_points(schema.format, chunk, number_columns(schema))
            chunk = replace(chunk, raw=RawRows(chunk.table))
        rows = validate(schema, chunk, now, hashed)
        return store.append(schema, rows.accepted, rows.refused, source=source, now=now)

    def looks(schema: StreamSettings) -> EqualRows | IdForms:
        return IdForms(schema) if schema.id else EqualRows(hashed, schema)

    return _run(stream, paths, keep, looks, columns_looked_at(stream, hashed), on_progress, batch, stdin, on_note)


def ingest_feedback(
    store: RecordStore,
    stream: StreamSettings,
    paths: Sources,
    *,
    now: datetime,
    on_progress: OnProgress | None = None,
    batch: int = CHUNK,
    stdin: IO[bytes] | None = None,
) -> Appended:
    """Take files of feedback (record_id, kind, value, user, at) into the store; raises as `ingest` does."""
    check_schema(stream)

    def keep(schema: StreamSettings, chunk: Chunk, source: str) -> Appended:
        said = validate_feedback(stream, chunk, now)
        return store.append_feedback(stream, said.items, said.refused, source=source, now=now)

    return _run(FEEDBACK_SCHEMA, paths, keep, None, (), on_progress, batch, stdin, lambda said: None)


def _run(
    schema: StreamSettings,
    paths: Sources,
    keep: Callable[[StreamSettings, Chunk, str], Appended],
    looks: Callable[[StreamSettings], EqualRows | IdForms] | None,
    looked_at: Sequence[str] | None,
    on_progress: OnProgress | None,
    batch: int,
    stdin: IO[bytes] | None,
    on_note: Callable[[str], None],
) -> Appended:
    with ExitStack() as stack:
        needed = required_columns(schema)
        wanted = None if looked_at is None else (*expected_columns(schema), *looked_at)
        begin = partial(opened, required=needed, format=schema.format, wanted=wanted, stdin=stdin)
        sources = [stack.enter_context(begin(path)) for path in paths]
        brought = [as_brought(schema, source.columns, source.name) for source in sources]
        total, notes = 0, [*(n for source in sources for n in source.notes), *(n for _, own in brought for n in own)]
        for source, (own, _) in zip(sources, brought, strict=True):
            times = tuple(c for c in (*own.time_columns, own.label.arrived) if c)
            look = looks(own) if looks else None
            chunks = source.chunks(only=None if looked_at is None else [*times, *looked_at])
            chunks = (with_points(own.format, chunk, number_columns(own)) for chunk in chunks)
            seen = look.tapped(chunks) if look else chunks
            total += survey(own, (without_marks(own, chunk, times) for chunk in seen), source.name, notes.append)
            notes += look.notes(source.name) if look else ()
        for note in notes:
            on_note(note)
        outcome, done = Appended(), 0
        for source, (own, _) in zip(sources, brought, strict=True):
            for chunk in source.chunks(batch):
                outcome += keep(own, chunk, source.name)
                done += len(chunk) + len(chunk.broken)
                if on_progress:
                    on_progress(done, total)
    return outcome
