"""Commands that look and act: check, cycle, serve, demo."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.session import (
    BREACH,
    AsJson,
    AsOf,
    Config,
    Home,
    StreamName,
    add_commands,
    failing_plainly,
    progress,
    session,
)
from trueup.storage.timepoints import iso


class FailOn(StrEnum):
    """What makes a check or cycle end with status 3."""

    BREACH = "breach"


FailOnBreach = Annotated[FailOn | None, typer.Option("--fail-on", help="End with status 3 if a signal is breached.")]


def check(
    stream: StreamName = None,
    as_of: AsOf = None,
    fail_on: FailOnBreach = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One check and its report; changes no model and never counts."""
    from rich.text import Text

    from trueup.reports.tables import signal_table

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        moment = chosen.moment(as_of)
        done = chosen.check(moment)
        s.show(
            {**done.as_json(), "stream": chosen.name, "as_of": iso(moment)},
            signal_table(done.signals),
            *(Text(f"note: {note}") for note in done.notes),
            Text(f"report {done.report_id}: trueup reports open {done.report_id}"),
        )
        if fail_on and done.breached:
            raise typer.Exit(BREACH)


def cycle(
    stream: StreamName = None,
    as_of: AsOf = None,
    fail_on: FailOnBreach = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One whole cycle; without a champion it trains the first."""
    from rich.markdown import Markdown

    from trueup.flows.cli.progress import shown
    from trueup.flows.cycle.document import summary

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        with shown(progress(), chosen.name) as watch:
            done = chosen.cycle(as_of, watch=watch)
        s.show(done.as_json(), Markdown(summary(dict(done.as_json()))))
        if fail_on and done.check and done.check.breached:
            raise typer.Exit(BREACH)


def serve(
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
    every: Annotated[float, typer.Option(hidden=True, help="Seconds between cycles, in place of cron.")] = 0,
) -> None:
    """Run every stream's schedule through Prefect, until stopped."""
    with session(config, home, as_json) as s:

        def announce(streams: tuple[str, ...], url: str) -> None:
            said = f"trueup serves {', '.join(streams)}; Prefect's pages: {url}; stop with Ctrl-C"
            s.show({"streams": streams, "url": url}, said)

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
