"""Commands that look and act: check, cycle, serve, demo."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.flows.cli.session import (
    BREACH,
    AsJson,
    AsOf,
    Config,
    Every,
    Home,
    StreamName,
    add_commands,
    failing_plainly,
    progress,
    session,
)
from trueup.storage.short_ids import short_id
from trueup.storage.timepoints import iso, to_minute

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trueup.results import CycleResult


class FailOn(StrEnum):
    """What makes a check or cycle end with status 3."""

    BREACH = "breach"


FailOnBreach = Annotated[FailOn | None, typer.Option("--fail-on", help="End with status 3 if a signal is breached.")]


def check(
    stream: StreamName = None,
    as_of: AsOf = None,
    fail_on: FailOnBreach = None,
    every: Every = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One check and its report; changes no model and never counts."""
    from rich.text import Text

    from trueup.flows.cli.progress import working
    from trueup.reports.signal_tables import signals_shown

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        moment = chosen.moment(as_of)
        with working("check"):
            done = chosen.check(moment)
        s.show(
            {**done.as_json(), "stream": chosen.name, "as_of": iso(moment)},
            *signals_shown(done.signals, every=every),
            *(Text(f"note: {note}") for note in done.notes),
            Text(f"report {short_id(done.report_id)}: trueup reports open {short_id(done.report_id)}"),
        )
        if fail_on and done.breached:
            raise typer.Exit(BREACH)


def cycle(
    stream: StreamName = None,
    as_of: AsOf = None,
    fail_on: FailOnBreach = None,
    every: Every = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One whole cycle; without a champion it trains the first."""
    from trueup.flows.cli.progress import shown

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        with shown(progress(), chosen.name) as watch:
            done = chosen.cycle(as_of, watch=watch)
        s.show(done.as_json(), *_told(done, every=every))
        if fail_on and done.check and done.check.breached:
            raise typer.Exit(BREACH)


def _told(done: CycleResult, *, every: bool) -> Iterator[RenderableType]:
    """A cycle as people read it: how it ended, why, what is breached, what the gate refused, and who was written to."""
    from rich.padding import Padding
    from rich.text import Text

    from trueup.reports.signal_tables import gate_shown, signals_shown

    again = ", done before" if done.repeated else ""
    yield Text(f"{done.stream} as of {to_minute(done.as_of)}: {done.outcome}{again}", style="bold")
    breached = {signal.code for signal in done.check.breached} if done.check else set()
    for reason in done.reasons:
        if reason.partition(":")[0] not in breached:  # their sentences stand in the table below
            yield Padding(Text(f"- {reason}"), (0, 0, 0, 2))
    if done.check:
        yield from signals_shown(done.check.signals, every=every)
    if done.gate:
        yield from gate_shown(done.gate["tests"], every=every)
    for alert in done.alerts:
        yield Text(f"alert {short_id(alert['id'])} ({alert['state']}): {alert['subject']}")
    if done.check:
        yield Text(f"report {short_id(done.check.report_id)}: trueup reports open {short_id(done.check.report_id)}")


def serve(
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
    every: Annotated[float, typer.Option(hidden=True, help="Seconds between cycles, in place of cron.")] = 0,
) -> None:
    """Run every stream's schedule through Prefect, until stopped."""
    with session(config, home, as_json) as s:

        def announce(streams: tuple[str, ...], url: str, pages: str) -> None:
            own = f"pages: {pages}; " if pages else ""
            said = f"trueup serves {', '.join(streams)}; {own}Prefect's pages: {url}; stop with Ctrl-C"
            s.show({"streams": streams, "url": url, "pages": pages or None}, said)

        s.deployment.serve(every=every, announce=announce)


def demo(
    keep: Annotated[Path | None, typer.Option(help="The folder to run in; a new one where left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """The whole loop on a made stream with a known break.

    A quiet stream beside it shows what happens where nothing breaks.
    """
    import trueup

    with failing_plainly(as_json):
        trueup.demo(keep, as_json=as_json)


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"check": check, "cycle": cycle, "serve": serve, "demo": demo})
