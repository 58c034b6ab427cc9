"""The commands about the data itself: export, erase, and what differs between two states of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.progress import counted, working
from trueup.flows.cli.session import (
    AsJson,
    Config,
    Home,
    Since,
    StreamName,
    Why,
    add_commands,
    add_group,
    session,
)
from trueup.reports.tables import Column, table
from trueup.storage.errors import UsageError
from trueup.storage.escaping import for_terminal


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
                on_rows=lambda kind, rows, total: moved(rows, total, kind),
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
        with working("compare"):
            found = s.stream(stream).data.diff(first, second, mask=mask)
        if page is not None:
            s.note(f"the page is {found.write(page)}")
        tables = [
            table(one.caption, one.columns, [tuple(map(shown_cell, row)) for row in one.rows])
            for one in found.facts.tables
        ]
        s.show(found.as_json(), found.facts.title, found.facts.verdict, *found.facts.details, *tables)


def erase(
    why: Why,
    user: Annotated[str | None, typer.Option("--user", help="Whose records and feedback go.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="The id of the one record that goes.")] = None,
    stream: StreamName = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take a user's or one record's data away for good.

    Also from reports, models, mails and caches. docs/data.md says what it cannot reach. It cannot be taken back.
    """
    from rich.text import Text

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        if not yes and not _confirmed(user, record, chosen.name):
            raise UsageError("Nothing was erased: erasing cannot be taken back, so say yes, or --yes in a script.")
        with counted("erase:") as moved:
            done = chosen.erase(
                user=user, record=record, why=why, on_step=lambda step, part, total: moved(part, total, step)
            )
        said = [Text(f"{done.caption()}, id {done.id}")]
        if not done.rows:
            said.append(
                Text(
                    "No record by exactly this name is stored, upper and lower case and accents told apart. What was "
                    "refused of it, or waited for its record, is gone, and what comes later is left out."
                )
            )
        if done.versions:
            named = ", ".join(f"v{number}" for number in done.versions)
            said.append(Text(f"Trained on some of them: {named}. A training from now on knows none of them."))
        if not done.erased:
            said.append(Text("A program still reads the store; the next cycle, or this command again, goes on."))
        s.show(done.as_json(), *said, *(Text(f"not reached: {place}") for place in done.left))


def _confirmed(user: str | None, record: str | None, stream: str) -> bool:
    """Whether a person at a terminal says yes."""
    if not sys.stdin.isatty():
        return False
    what = f"everything of user '{user}'" if user is not None else f"record '{record}'"
    return typer.confirm(for_terminal(f"Erase {what} from stream '{stream}' for good?"), err=True)


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"export": export, "erase": erase})
    add_group(cli, "data", "The data in the states that it had.", {"diff": data_diff})
