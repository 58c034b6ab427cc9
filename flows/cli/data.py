"""The commands about the data itself: export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.progress import counted
from trueup.flows.cli.session import AsJson, Config, Home, Since, StreamName, add_commands, session
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


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"export": export})
