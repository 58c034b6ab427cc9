"""Files of records and of feedback into the store: looked through first, then stored batch by durable batch.

Taking the same file in again, whole or after a kill half-way, leaves the same store.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING

from trueup.feedback.annotators import Annotators
from trueup.feedback.chunks import Chunk, RawRows
from trueup.feedback.columns.held_parts import HeldParts
from trueup.feedback.columns.plain_chunk import PlainChunk, neighbouring
from trueup.feedback.columns.plain_times import with_times
from trueup.feedback.feedback_items import feedback_schema, validate_feedback
from trueup.feedback.feedback_rows import ItemFields, columns_beside_items, each_row
from trueup.feedback.missing_marks import without_marks
from trueup.feedback.number_notation import NotationCheck, number_columns, with_points
from trueup.feedback.plain_rows import in_file_order, validate_plain
from trueup.feedback.readers import CHUNK, LocalCopy, NamedRows, Source, opened
from trueup.feedback.row_ids import EqualRows, IdForms, columns_looked_at
from trueup.feedback.schema_check import as_brought, check_schema, expected_columns, required_columns
from trueup.feedback.taken_files import taken_file
from trueup.feedback.times.time_survey import Dated, survey
from trueup.feedback.unmatched_labels import UnmatchedLabels
from trueup.feedback.validation import Validated, validate
from trueup.storage.arrow_columns import one_array
from trueup.storage.file_format import FileFormat
from trueup.storage.incoming import Appended
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    import pyarrow as pa

Sources = Sequence["str | LocalCopy | NamedRows | pa.Table"]  # paths ("-": standard input), copies, or rows in memory
HELD = 96 << 20  # bytes of files that are kept from their first reading to their second
BATCH = 50_000  # rows of one durable transaction
OnProgress = Callable[[int, int], None]  # rows done, rows in all


def ingest(
    store: RecordStore,
    stream: StreamSettings,
    paths: Sources,
    *,
    now: datetime,
    format: FileFormat | None = None,
    on_progress: OnProgress | None = None,
    batch: int = BATCH,
    stdin: IO[bytes] | None = None,
    on_note: Callable[[str], None] = lambda said: None,
    remember: bool = False,
) -> Appended:
    """Take files of records ("-": standard input) into the store; `batch` rows are one durable transaction.

    `format` says how these files are written, where they are not written as the stream's settings say. `remember`: a
    single file all of whose rows are stored is not read when it comes again.

    `on_note` is told, before anything is stored, of each column that a file lacks and can do without (slices, and the
    label's), and of rows that are the same record: equal ones without an id, ids in two forms. After it is stored, of
    the commonest labels that match no class.

    Raises:
        ConfigError: the stream's schema cannot be followed.
        InputError: a file cannot be taken in at all; nothing of any of the files was stored.
    """
    check_schema(stream)
    hashed = store.hashed(stream)
    own = stream.format
    stream = stream.model_copy(update={"format": format or own})
    file = taken_file(store, stream, hashed, paths[0], now) if remember and len(paths) == 1 else None
    if file and (known := file.remembered()):
        for note in known.notes:
            on_note(note)
        return Appended(duplicate=known.rows)
    unmatched, told = UnmatchedLabels(stream), list[str]()

    def noted(note: str) -> None:
        told.append(note)
        on_note(note)

    def judged(schema: StreamSettings, chunk: Chunk | PlainChunk) -> Validated:
        if isinstance(chunk, PlainChunk):
            return validate_plain(schema, chunk, now, hashed)
        if schema.format != own:  # what is refused is judged anew by the settings, which may write numbers otherwise
            chunk = with_points(schema.format, chunk, number_columns(schema))
            chunk = replace(chunk, raw=RawRows(chunk.table))
        return validate(schema, chunk, now, hashed)

    def keep(schema: StreamSettings, parts: Sequence[Chunk | PlainChunk], source: str) -> Appended:
        rows = [judged(schema, part) for part in parts]
        accepted = in_file_order([one.accepted for one in rows])
        unmatched.add(accepted.labels)
        return store.append(schema, accepted, [r for one in rows for r in one.refused], source=source, now=now)

    def looks(schema: StreamSettings) -> EqualRows | IdForms:
        label = stream.label.column if stream.label.column in (hashed.names or ()) else ""
        return IdForms(schema) if schema.id else EqualRows(hashed, schema, label)

    way = _Way(stream, required_columns(stream), keep, looks, columns_looked_at(stream, hashed), in_columns=True)
    done = _run(way, paths, on_progress, batch, stdin, noted)
    for note in unmatched.notes():
        noted(note)
    if file:
        file.remember(done, told)
    return done


def ingest_feedback(
    store: RecordStore,
    stream: StreamSettings,
    paths: Sources,
    *,
    now: datetime,
    on_progress: OnProgress | None = None,
    batch: int = CHUNK,
    stdin: IO[bytes] | None = None,
    on_note: Callable[[str], None] = lambda said: None,
) -> Appended:
    """Take files of feedback into the store, as the stream's mapping reads them; raises as `ingest` does.

    `on_note` is told of rows that say nothing, and of users who give different labels to one record.
    """
    check_schema(stream)
    mapping = stream.feedback
    schema = feedback_schema(mapping)
    annotators, silent = Annotators(stream), 0

    def keep(schema: StreamSettings, parts: Sequence[Chunk | PlainChunk], source: str) -> Appended:
        nonlocal silent
        done = Appended()
        for part in parts:
            said = validate_feedback(stream, part.rows() if isinstance(part, PlainChunk) else part, now)
            annotators.add(said.items)
            silent += said.silent
            done += store.append_feedback(stream, said.items, said.refused, source=source, now=now)
        return done

    def looks(schema: StreamSettings) -> ItemFields:
        return ItemFields(mapping, required_columns(schema))

    needed = columns_beside_items(mapping, required_columns(schema))
    way = _Way(schema, needed, keep, looks, None if mapping.each else (), lambda chunk: each_row(mapping, chunk))
    done = _run(way, paths, on_progress, batch, stdin, on_note)
    if silent:
        on_note(f"Rows of feedback left out, since they give no label: {silent:,} (cancelled, or an ignored value)")
    for note in annotators.notes():
        on_note(note)
    return done


@dataclass(frozen=True)
class _Way:
    """How files of one sort are taken in.

    needed: columns that a file must have. keep: stores neighbouring parts of it. looks: what looks through it before
    any is stored, at the columns `looked_at` beside those of times (None: all). shaped: makes rows of what a chunk of
    the file holds.
    in_columns: plain rows are taken in by columns.
    """

    schema: StreamSettings
    needed: Sequence[str]
    keep: Callable[[StreamSettings, Sequence[Chunk | PlainChunk], str], Appended]
    looks: Callable[[StreamSettings], EqualRows | IdForms | ItemFields]
    looked_at: Sequence[str] | None
    shaped: Callable[[Chunk], Chunk] = lambda chunk: chunk
    in_columns: bool = False

    def parts(
        self, own: StreamSettings, source: Source, size: int, only: Sequence[str] | None = None
    ) -> Iterator[Chunk | PlainChunk]:
        """The rows of a file; `size` of those that are not taken in by columns at a time."""
        if self.in_columns and own.format.plain_numbers:
            return source.parts(size, only)
        return map(self.shaped, source.chunks(size, only))


def _run(
    way: _Way,
    paths: Sources,
    on_progress: OnProgress | None,
    batch: int,
    stdin: IO[bytes] | None,
    on_note: Callable[[str], None],
) -> Appended:
    with ExitStack() as stack:
        looked_at, schema = way.looked_at, way.schema
        wanted = None if looked_at is None else (*expected_columns(schema), *looked_at)
        begin = partial(opened, required=way.needed, format=schema.format, wanted=wanted, stdin=stdin)
        sources = [stack.enter_context(begin(path)) for path in paths]
        brought = [as_brought(schema, source.columns, source.name) for source in sources]
        held = [HeldParts(_room(way, source, len(sources))) for source in sources]
        total, notes = 0, [*(n for source in sources for n in source.notes), *(n for _, own in brought for n in own)]
        for source, (own, _), kept in zip(sources, brought, held, strict=True):
            times = tuple(c for c in (*own.time_columns, own.label.arrived) if c)
            look, notation = way.looks(own), NotationCheck(own.format, number_columns(own))
            only = None if looked_at is None or kept.wanted else [*times, *looked_at, *notation.asked]
            parts = way.parts(own, source, CHUNK, only)
            total += survey(own, _looked_through(own, parts, look, notation, times, kept), source.name, notes.append)
            notation.judge(source.name)
            notes += look.notes(source.name)
        for note in notes:
            on_note(note)
        outcome, done = Appended(), 0
        for source, (own, _), kept in zip(sources, brought, held, strict=True):
            for several in neighbouring(kept.taken() or way.parts(own, source, min(batch, CHUNK)), batch):
                outcome += way.keep(own, several, source.name)
                done += sum(len(part) + len(part.broken) for part in several)
                if on_progress:
                    on_progress(done, total)
    return outcome


def _room(way: _Way, source: Source, sources: int) -> int:
    """Bytes of a file's parts that are kept; 0 where it takes more already as it lies there."""
    room = HELD // sources
    return room if way.in_columns and source.size <= room else 0


def _looked_through(
    own: StreamSettings,
    parts: Iterator[Chunk | PlainChunk],
    look: EqualRows | IdForms | ItemFields,
    notation: NotationCheck,
    times: tuple[str, ...],
    kept: HeldParts,
) -> Iterator[Chunk | Dated]:
    """What the survey of times looks at, everything else looked at as it passes."""
    for part in parts:
        if isinstance(part, PlainChunk):
            part, seen_times = with_times(own, part)
            kept.keep(part)
            if isinstance(look, IdForms):
                look.add(one_array(part.table.column(own.id)))
            else:
                deque(look.tapped([part.rows()]), maxlen=0)
            yield seen_times
            continue
        kept.keep(part)
        seen = look.tapped(with_points(own.format, chunk, notation.columns) for chunk in notation.tapped([part]))
        yield from (without_marks(own, chunk, times) for chunk in seen)
