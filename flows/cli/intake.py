"""Commands that bring things in: init, ingest, feedback, quarantine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.session import (
    AsJson,
    Commands,
    Config,
    Home,
    Session,
    StreamName,
    add_commands,
    add_group,
    failing_plainly,
    progress,
    session,
    table,
)
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.incoming import Appended
from trueup.storage.stream import Stream
from trueup.storage.timepoints import iso

Files = Annotated[list[str], typer.Argument(help="CSV, JSON Lines or Parquet; - is standard input.")]
ItemId = Annotated[str, typer.Argument(help="The item's id, as `quarantine list` shows it.")]


def init(
    source: Annotated[Path | None, typer.Option("--from", help="A file of records to guess the columns from.")] = None,
    stream: Annotated[str, typer.Option("--stream", "-s", help="The stream's name.")] = "reviews",
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a commented trueup.toml; asks nothing."""
    from trueup.flows.admin.infer_schema import guess_stream, template
    from trueup.flows.settings import FILE, read_settings

    with failing_plainly(as_json):
        file = config or Path.cwd() / FILE
        if file.exists():
            raise ConfigError(f"'{file}' exists already and was left as it is. Edit it, or remove it first.")
        text = guess_stream(str(source), stream) if source else template()
        read_settings(text, file.name)
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"'{file}' cannot be written: {error.strerror}. Name another with --config.") from None
    with session(file, home, as_json) as s:
        s.show(
            {"config": file.absolute(), "home": s.app.home},
            f"wrote {file}; look through it, then: trueup ingest {source or 'FILE'} --stream {stream}",
        )


def ingest(
    files: Files, stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Take records from files into the store.

    What is stored already is left out.
    """
    from trueup.feedback.intake import ingest as take

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        notes: list[str] = []
        with _bar("ingest") as moved:
            done = take(s.app.store, named, files, now=s.app.now(), on_progress=moved, on_note=notes.append)
        if named.label.column and done.accepted and not done.labelled and not notes:
            notes.append(_unlabelled(named))
        _show(s, done, stream, labelled=done.labelled, notes=notes)


def _unlabelled(stream: Stream) -> str:
    rules = f", or matches none of label.classes ({', '.join(stream.label.classes)})" if stream.label.classes else ""
    return f"no accepted row carries a label: column '{stream.label.column}' is empty, not known yet{rules}"


def feedback(
    files: Files, stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Take feedback on records from files.

    Columns: record_id, kind (label, thumb, rating or vote), value, user, at.
    """
    from trueup.feedback.intake import ingest_feedback

    with session(config, home, as_json) as s, _bar("feedback") as moved:
        done = ingest_feedback(s.app.store, s.app.stream(stream), files, now=s.app.now(), on_progress=moved)
        _show(s, done, stream)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; nothing elsewhere."""
    from rich.progress import Progress

    with Progress(console=progress(), disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task(name, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _show(s: Session, done: Appended, stream: str, *, notes: Sequence[str] = (), **more: int) -> None:
    counts = {"accepted": done.accepted, "duplicate": done.duplicate, "quarantined": done.quarantined}
    carry = "".join(f" ({count} {what})" for what, count in more.items())
    said = f"{done.accepted} accepted{carry}, {done.duplicate} stored already, {done.quarantined} quarantined"
    why = f"; why: trueup quarantine list --stream {stream}" if done.quarantined else ""
    s.show({**counts, **more, "notes": notes}, said + why, *(f"note: {note}" for note in notes))


def quarantine_list(
    stream: StreamName,
    limit: Annotated[int, typer.Option(help="At most this many.")] = 100,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What was refused and is not released, newest first."""
    from trueup.feedback.quarantine import quarantined

    with session(config, home, as_json) as s:
        items = quarantined(s.app.store, s.app.stream(stream), limit=limit)
        rows = [(i.id, i.kind, f"{i.source}:{i.line}", i.reason, i.detail) for i in items]
        s.show({"items": items}, table("quarantine", ("id", "kind", "where", "reason", "detail"), rows))


def quarantine_show(
    item: ItemId, stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """One refused item with its raw content."""
    from rich.text import Text

    from trueup.feedback.quarantine import quarantined_item

    with session(config, home, as_json) as s:
        found = quarantined_item(s.app.store, s.app.stream(stream), item)
        said = f"{found.source} line {found.line}, {iso(found.received_at)}: {found.reason}: {found.detail}"
        s.show({"items": [found]}, Text(said), Text(found.raw))


def quarantine_release(
    stream: StreamName,
    items: Annotated[list[str] | None, typer.Argument(help="Ids of items to judge anew by today's schema.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that is refused and not released.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Judge refused items anew and store those that hold now."""
    from trueup.feedback.quarantine import quarantined, release_all

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        if every == bool(items):
            raise InputError("Name the items to judge anew, or give --all, and not both. Nothing was released.")
        chosen = items or [item.id for item in quarantined(s.app.store, named, limit=None)]
        done = release_all(s.app.store, named, chosen, now=s.app.now())
        rows = [(r.id, "released" if r.released else "still refused", r.reason, r.detail) for r in done]
        s.show({"items": done}, table("released", ("id", "outcome", "reason", "detail"), rows))


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"init": init, "ingest": ingest, "feedback": feedback})
    quarantine: Commands = {"list": quarantine_list, "show": quarantine_show, "release": quarantine_release}
    add_group(cli, "quarantine", "What was refused, and why.", quarantine)
