"""Taking data in: records and feedback, from files, from rows in memory, or from a stream's own source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.ingest_result import IngestResult
from trueup.storage.errors import InputError

if TYPE_CHECKING:
    from trueup.feedback.sources.pulling import Feed
    from trueup.flows.app import App
    from trueup.storage.stream import StreamSettings

RecordSource = Any  # a path, "-", a pandas DataFrame, an Arrow table or batch
_Progress = Callable[[int, int], None] | None


def take_records(
    app: App,
    stream: StreamSettings,
    sources: Sequence[RecordSource],
    *,
    format: Mapping[str, object],
    on_progress: _Progress,
    on_note: Callable[[str], None],
) -> IngestResult:
    """Records, as `Stream.ingest` says."""
    from trueup.feedback.intake import ingest

    notes: list[str] = []

    def noted(said: str) -> None:
        notes.append(said)
        on_note(said)

    if not sources:
        from trueup.feedback.sources.pulling import Feed

        if format:
            raise InputError("How files are written is said with the files' names; those of a source are read as "
                             "the stream's settings say. Name the files, or leave that out. Nothing was stored.")
        return _pulled(app, stream, Feed.RECORDS, on_progress, noted, notes)
    done = ingest(
        app.store, stream, [read_as(app, source) for source in sources],
        now=app.now(), format=stream.format.changed(format), on_progress=on_progress, on_note=noted, remember=True,
    )  # fmt: skip
    label = stream.label
    if label.column and done.accepted and not done.labelled and not any("(the label)" in note for note in notes):
        rules = f", or matches none of label.classes ({', '.join(label.classes)})" if label.classes else ""
        notes.append(f"no accepted row carries a label: column '{label.column}' is empty, not known yet{rules}")
    revised = done.revised if stream.on_change == "revise" else None
    counts = done.accepted, done.duplicate, done.quarantined, done.labelled
    return IngestResult(*counts, tuple(notes), revised, erased=done.erased or None)


def take_feedback(
    app: App, stream: StreamSettings, sources: Sequence[RecordSource], *, on_progress: _Progress
) -> IngestResult:
    """Feedback, as `Stream.feedback` says."""
    from trueup.feedback.intake import ingest_feedback

    notes: list[str] = []
    if not sources:
        from trueup.feedback.sources.pulling import Feed

        return _pulled(app, stream, Feed.FEEDBACK, on_progress, notes.append, notes)
    done = ingest_feedback(
        app.store, stream, [read_as(app, source) for source in sources],
        now=app.now(), on_progress=on_progress, on_note=notes.append,
    )  # fmt: skip
    counts = done.accepted, done.duplicate, done.quarantined, None
    return IngestResult(*counts, tuple(notes), erased=done.erased or None)


def read_as(app: App, source: RecordSource) -> Any:
    """A path as text, or rows in memory as an Arrow table. Raises InputError for the deployment's own store."""
    if isinstance(source, str | Path):
        from trueup.flows.sources.own_files import refuse_own_file

        refuse_own_file(app, str(source))
        return str(source)
    from trueup.feedback.frames import arrow_table

    return arrow_table(source)


def _pulled(
    app: App,
    stream: StreamSettings,
    feed: Feed,
    on_progress: _Progress,
    on_note: Callable[[str], None],
    notes: list[str],
) -> IngestResult:
    from trueup.flows.sources.pull import pull

    done = pull(app, stream, feed, on_note=on_note, on_progress=on_progress)
    rows, of_records = done.rows, str(feed) == "records"
    revised = rows.revised if of_records and stream.on_change == "revise" else None
    return IngestResult(
        rows.accepted, rows.duplicate, rows.quarantined, rows.labelled if of_records else None, tuple(notes), revised,
        files=tuple({"name": f.name, "outcome": str(f.outcome), "why": f.why} for f in done.files),
        problems=done.problems, unfinished=done.unfinished, erased=rows.erased or None,
    )  # fmt: skip
