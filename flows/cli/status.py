"""Commands that look at the whole deployment: status, doctor, adopt."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from trueup.flows.cli.session import BREACH, AsJson, Config, Home, Why, add_commands, session, table
from trueup.storage.timepoints import iso


class FailOnStale(StrEnum):
    """What makes `status` end with status 3."""

    STALE = "stale"


def status(
    fail_on: Annotated[
        FailOnStale | None, typer.Option("--fail-on", help="End with status 3 if a scheduled cycle is overdue.")
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """How each stream stands, and when its next cycle is."""
    from rich.text import Text

    with session(config, home, as_json) as s:
        found = s.deployment.status()
        rows = [
            (
                f.stream, f.records, "–" if f.champion is None else f"v{f.champion}", iso(f.last_cycle) or "never",
                iso(f.next_cycle) or "no schedule", "OVERDUE" if f.stale else "", len(f.open_incidents),
                f.pending_alerts, f.dead_alerts,
            )
            for f in found
        ]  # fmt: skip
        columns = ("stream", "records", "champion", "last cycle", "next cycle", "", "incidents", "pending", "dead")
        of_all = set.intersection(*(set(f.notes) for f in found)) if len(found) > 1 else set()
        notes = [*sorted(of_all), *(f"{f.stream}: {note}" for f in found for note in f.notes if note not in of_all)]
        s.show({"streams": found}, table("streams", columns, rows), *(Text(note) for note in notes))
        if fail_on and any(f.stale for f in found):
            raise typer.Exit(BREACH)


def doctor(config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """What is wrong with this installation, and how to mend it."""
    with session(config, home, as_json) as s:
        found = s.deployment.doctor()
        rows = [("ok" if f.ok else "WRONG", f.name, f.said, f.mend) for f in found]
        s.show({"checks": found}, table("doctor", ("", "what", "found", "to mend it"), rows))
        if not all(f.ok for f in found):
            raise typer.Exit(1)


def adopt(
    why: Why,
    take_over: Annotated[bool, typer.Option("--take-over", help="The original may not write any more.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a copied home a deployment of its own.

    It is needed where the copy shares a store, archive or registry with its original.
    """
    from rich.text import Text

    with session(config, home, as_json) as s:
        done = s.deployment.adopt(why=why, take_over=take_over)
        other = "may not write any more" if take_over else "goes on beside it"
        said = f"{done.deployment.path} is a deployment of its own now; the one at {done.copy_of} {other}."
        s.show(
            {"id": done.deployment.id, "home": done.deployment.path, "copy_of": done.copy_of, "took_over": take_over},
            Text(said),
        )


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"status": status, "doctor": doctor, "adopt": adopt})
