"""The commands about the data itself: export, and what differs between two states of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.progress import counted
from trueup.flows.cli.session import AsJson, Config, Home, Since, StreamName, add_commands, add_group, session
from trueup.reports.tables import Column, table


def export(
    to: Annotated[Path, typer.Option("--to", help="A new folder.")],
    what: Annotated[
        list[str] | None, typer.Argument(help="records, labels, predictions, checks, signals; left out: all.")
    ] = None,
    stream: StreamName = None,
    since: Since = None,
    until: Annotated[str | None, typer.Option("--until", help="As known at this time; left out: now.")] = None,
    csv: Annotated[bool, typer.Option("--csv/--parquet", help="How files are written; left out: Parquet.")] = False,
    mask: Annotated[bool, typer.Option("--mask", help="Mask personal data in texts.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write the stream's data to files that other programs read.

    docs/data.md names their columns. In CSV no cell is a formula to a spreadsheet.
    """
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        with counted("export") as moved:
            done = chosen.export(
                to, *(what or ()), since=since, until=until, csv=csv, mask=mask,
                on_rows=lambda kind, rows, total: moved(rows, total),
            )  # fmt: skip
        rows = [(one["what"], one["file"], f"{one['rows']:,}") for one in done.files]
        heads = ("what", Column("file", least=12), Column("rows", right=True))
        s.show(done.as_json(), table(done.caption(), heads, rows))


def data_diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A version (v3), a snapshot's hash, or a period (2024-05)")],
    second: Annotated[str, typer.Argument(metavar="B", help="The same, of the other state.")],
    stream: StreamName = None,
    page: Annotated[Path | None, typer.Option("--page", help="Also write it as a page to this file.")] = None,
    mask: Annotated[bool, typer.Option("--mask", help="Mask personal data in words and levels.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say what differs between two versions' or periods' data.

    A version stands for the snapshot that it was made of. docs/data.md says what is compared.
    """
    from trueup.reports.comparison_facts import shown_cell

    with session(config, home, as_json) as s:
        found = s.stream(stream).data.diff(first, second, mask=mask)
        if page is not None:
            s.note(f"the page is {found.write(page)}")
        tables = [
            table(one.caption, one.columns, [tuple(map(shown_cell, row)) for row in one.rows])
            for one in found.facts.tables
        ]
        s.show(found.as_json(), found.facts.title, found.facts.verdict, *found.facts.details, *tables)


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"export": export})
    add_group(cli, "data", "The data in the states that it had.", {"diff": data_diff})
