"""Commands that look at the whole deployment: status, doctor, adopt."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trueup.flows.cli.progress import working
from trueup.flows.cli.session import BREACH, AsJson, Config, Home, Why, add_commands, session
from trueup.reports.tables import MOMENT, SENTENCE, Column, table
from trueup.storage.formatting import aligned_figure, metric_name
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trueup.flows.admin.status import StreamStatus


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
        of_all = set.intersection(*(set(f.notes) for f in found)) if len(found) > 1 else set()
        notes = [*sorted(of_all), *(f"{f.stream}: {note}" for f in found for note in f.notes if note not in of_all)]
        pages = [Text(f"{f.stream}: {f.page}", no_wrap=True, overflow="ignore") for f in found if f.page]
        s.show({"streams": found}, _overview(found), *(Text(note) for note in notes), *pages)
        if fail_on and any(f.stale for f in found):
            raise typer.Exit(BREACH)


def _overview(found: Sequence[StreamStatus]) -> RenderableType:
    """One row a stream, what a person needs first in front."""
    heads = (
        Column("stream", least=12), Column("last check", least=10), Column("open", least=6),
        Column("metric (ref.)", least=11),
        Column("lately", rank=1), Column("champion", least=8), Column("last cycle", least=MOMENT),
        Column("next cycle", rank=2, least=MOMENT), Column("dead", right=True), Column("waiting", rank=4, right=True),
        Column("records", rank=5, right=True),
    )  # fmt: skip
    return table("streams", heads, [_row(one) for one in found])


def _row(f: StreamStatus) -> tuple[Any, ...]:
    from rich.text import Text

    from trueup.reports.signal_tables import verdict_text
    from trueup.reports.sparkline import sparkline

    h, last = f.health, to_minute(f.last_cycle, "never")
    grave = "" if h.severity is None else f"{h.severity.upper()}, {len(f.open_incidents)}"
    figures = "" if h.value is None else f"{metric_name(h.metric)} {aligned_figure(h.value)}"
    reference = "" if h.reference is None else f" ({aligned_figure(h.reference)})"
    age = "" if h.champion_days is None else f", {h.champion_days} d"
    return (
        f.stream, verdict_text(h.verdict) if h.verdict else "never", Text(grave, style="bold red"), figures + reference,
        sparkline(h.recent), "none" if f.champion is None else f"v{f.champion}{age}",
        Text(f"{last} OVERDUE", style="bold red") if f.stale else last, to_minute(f.next_cycle, "no schedule"),
        f.dead_alerts or "", f.pending_alerts or "", f"{f.records:,}",
    )  # fmt: skip


def doctor(config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """What is wrong with this installation, and how to fix it."""
    with session(config, home, as_json) as s:
        with working("doctor"):
            found = s.deployment.doctor()
        rows = [("ok" if f.ok else "WRONG", f.name, f.said, f.mend) for f in found]
        sentences = (Column("found", least=SENTENCE), Column("to fix it", least=SENTENCE))
        heads = (Column(""), Column("what", least=10), *sentences)
        s.show({"checks": found}, table("doctor", heads, rows))
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
