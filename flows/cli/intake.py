"""Commands that bring things in: ingest, feedback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.flows.cli.progress import counted
from trueup.flows.cli.session import AsJson, Config, Home, Session, StreamName, add_commands, session

if TYPE_CHECKING:
    from trueup.ingest_result import IngestResult

Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="CSV, JSON, Excel, HTML tables or Parquet, also packed; - is standard input. "
        "Left out: what is new in the stream's own source."
    ),
]


def ingest(
    files: Files = None,
    stream: StreamName = None,
    kind: Annotated[str | None, typer.Option(help="csv, jsonl, json, xlsx, html or parquet.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="The separator of CSV fields; \\t is a tab.")] = None,
    decimal: Annotated[str | None, typer.Option(help="Decimal mark of numbers written as text: . or ,")] = None,
    thousands: Annotated[str | None, typer.Option(help="Mark between their thousands.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Such as utf-16 or windows-1252.")] = None,
    skip_lines: Annotated[int | None, typer.Option(min=0, help="Title rows before the header.")] = None,
    path: Annotated[str | None, typer.Option(help="Where in a JSON document the list lies.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook, or the number of a table of a page.")] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take records from files, or what is new in the source.

    What is stored already is left out. Options that say how the files are written come before the stream's format.
    """
    given = {
        "kind": kind, "delimiter": delimiter, "decimal": decimal, "thousands": thousands, "encoding": encoding,
        "skip_lines": skip_lines, "path": path, "sheet": sheet,
    }  # fmt: skip
    written = {key: value for key, value in given.items() if value is not None}
    with session(config, home, as_json) as s:
        chosen, told = s.stream(stream), list[str]()

        def tell(note: str) -> None:
            told.append(note)
            s.note(note)

        with counted("ingest") as moved:
            done = chosen.ingest(*(files or ()), format=written, on_progress=moved, on_note=tell)
        _show(s, done, chosen.name, told, asked=bool(chosen.settings.source.sql))


def feedback(
    files: Files = None, stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Take feedback from files, or what is new in its source.

    Columns: record_id, kind (label, thumb, rating or vote), value, user, at; or as [streams.S.feedback] names them.
    """
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        with counted("feedback") as moved:
            done = chosen.feedback(*(files or ()), on_progress=moved)
        _show(s, done, chosen.name, asked=bool(chosen.settings.feedback_source.sql))


def _show(s: Session, done: IngestResult, stream: str, told: Collection[str] = (), *, asked: bool) -> None:
    """What came in, and from where. asked: the stream's own source is a query, so there are no files to tell of."""
    labelled = "" if done.labelled is None else f" ({done.labelled} labelled)"
    revised = f", {done.revised} revised" if done.revised else ""
    taken = f"{done.accepted} accepted{labelled}{revised}"
    said = f"{taken}, {done.duplicate} stored already, {done.quarantined} quarantined"
    said += f", {done.erased} erased before and left out" if done.erased else ""
    why = f"; why: trueup quarantine list --stream {stream}" if done.quarantined else ""
    s.show(
        done.as_json(),
        said + why,
        *(f"note: {note}" for note in done.notes if note not in told),
        *_of_source(done, asked=asked),
    )


def _of_source(done: IngestResult, *, asked: bool) -> Iterator[str]:
    """Lines on what became of the files of a source: how many came to what, those not taken in by name."""
    if done.files is None:
        return
    if not asked:
        counted = Counter(file["outcome"].replace("_", " ") for file in done.files)
        yield f"files: {', '.join(f'{n} {outcome}' for outcome, n in counted.items()) or 'none is new'}"
    for file in done.files:
        if file["outcome"] in ("waiting", "grew", "changed", "renamed"):
            yield f"note: {file['name']}: {file['outcome']}; {file['why']}"
    yield from (f"problem: {said}" for said in done.problems or ())
    if done.unfinished:
        yield "note: more waits there; run it again, or let the next cycle go on"


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"ingest": ingest, "feedback": feedback})
