"""The command that removes what nothing needs any more."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.flows.cli.progress import working
from trueup.flows.cli.session import AsJson, Config, Home, StreamName, add_commands, session
from trueup.reports.tables import SENTENCE, Column, table


def prune(
    stream: StreamName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Remove old models, snapshots and pages by the policy.

    No record goes, no version that is or was champion, and nothing of the audit trail.
    """
    from rich.text import Text

    with session(config, home, as_json) as s:
        with working("prune"):
            done = s.stream(stream).prune(dry_run=dry_run)
        would = "would go" if dry_run else "removed"
        rows = [(one["kind"], one["name"], f"{one['bytes']:,}") for one in done.removed]
        kept = [(f"v{one['version']}", one["why"]) for one in done.kept]
        left = [Text(f"left: {place}") for one in done.removed for place in one["left"]]
        s.show(
            done.as_json(),
            table(would, ("what", Column("name", least=12), Column("bytes", right=True)), rows),
            table("versions that stay", ("version", Column("because", least=SENTENCE)), kept),
            *left,
            done.caption(),
        )


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"prune": prune})
