"""Commands that hand stored reports to Evidently: reports export and ui."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.session import (
    MOST,
    AsJson,
    Commands,
    Config,
    Home,
    MaybeStream,
    Session,
    add_commands,
    session,
)
from trueup.reports.tables import Column, table
from trueup.storage.errors import UsageError

_HIGHEST_PORT = 65_535


def reports_export(
    report_id: Annotated[
        str | None, typer.Argument(help="A report's id, the beginning of one, or last; not with --workspace.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(help="Where the report's page and Evidently snapshot are written.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", help="Write all stored reports as a workspace of evidently ui.")
    ] = None,
    stream: MaybeStream = None,
    last: Annotated[
        int,
        typer.Option(min=1, max=MOST, help="Newest reports of a workspace with plots, shared evenly by the streams."),
    ] = 300,
    mask: Annotated[
        bool | None,
        typer.Option("--mask/--no-mask", help="Mask personal data in what is written; left out: as [site] mask says."),
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a report to a folder, or all to Evidently's workspace."""
    with session(config, home, as_json) as s:
        if workspace and not report_id and not folder:
            _export_workspace(s, workspace, stream, last, mask)
        elif report_id and folder and not workspace:
            found = s.reports(stream).show(report_id)
            page, snapshot = found.export(folder, mask=mask)
            s.show(
                {"reports": [{"report_id": found.report_id, "page": page, "snapshot": snapshot}]},
                str(page), str(snapshot),
            )  # fmt: skip
        else:
            raise UsageError(
                "Name one report and a folder (trueup reports export last shared), or a workspace for all of them "
                "(trueup reports export --workspace shared). Nothing was written."
            )


def _export_workspace(s: Session, workspace: Path, stream: str | None, last: int, mask: bool | None) -> None:
    done = s.reports(stream).export_workspace(workspace, last=last, mask=mask)
    heads = (
        Column("stream", rank=1), Column("runs"), Column("written"), Column("removed"), Column("without plots", rank=2),
    )  # fmt: skip
    cells = [(p.stream, f"{p.runs:,}", f"{p.written:,}", f"{p.removed:,}", f"{p.without_plots:,}") for p in done]
    s.show(
        {"workspace": workspace, "projects": done.records()},
        table(f"workspace {workspace}", heads, cells),
        "Open it: trueup ui, or evidently ui --workspace FOLDER (DO_NOT_TRACK=1 keeps it from sending statistics).",
    )


def ui(
    port: Annotated[
        int, typer.Option(min=0, max=_HIGHEST_PORT, help="Of 127.0.0.1; 0 takes one that is free.")
    ] = 8000,
    edit: Annotated[
        bool, typer.Option("--edit", help="Let whoever reaches the port change and delete in the UI.")
    ] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Show the stored reports in Evidently's own UI, until stopped."""
    with session(config, home, as_json) as s:

        def announce(url: str) -> None:
            said = f"Evidently's UI: {url} ({'edits allowed' if edit else 'read-only'}); stop with Ctrl-C"
            s.show({"url": url, "edit": edit}, said)

        s.deployment.ui(port=port, edit=edit, announce=announce)


def add_to(cli: typer.Typer) -> None:
    """Register `ui`; `reports export` stands beside the other commands about reports."""
    commands: Commands = {"ui": ui}
    add_commands(cli, commands)
