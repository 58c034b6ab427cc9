"""The command that looks back: replay."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.flows.cli.session import (
    MOST,
    AsJson,
    Commands,
    Config,
    Home,
    StreamName,
    add_commands,
    progress,
    session,
)
from trueup.reports.tables import Column, table


def replay(
    file: Annotated[str, typer.Argument(help="Past records: CSV, JSON Lines or Parquet; - is standard input.")],
    stream: StreamName = None,
    start: Annotated[
        str | None,
        typer.Option("--start", help="When the first champion is trained (as --as-of). After the first 1,000 records."),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option("--every", min=1, max=MOST, help="Records from one check to the next. One window."),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", help="A policy of [streams.S.policies.NAME], or default; can be repeated. default."),
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Past data through the cycle, several policies side by side.

    It touches nothing of the deployment.
    """
    from rich.text import Text

    from trueup.storage.formatting import figure

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        console = progress()
        with console.status("replay", spinner="dots") as status:
            tell = status.update if console.is_terminal else console.print  # a log gets a line a check
            done = chosen.replay(
                file, start=start, every=every, policies=policy or (), tell=lambda said: tell(Text(said))
            )
        figures = (f"mean {done.replay.metric}", "challengers", "promotions", "alerts", "checks")
        heads = (Column("policy", least=12), *(Column(name, right=True, least=6) for name in figures))
        cells = [
            (p.name, figure(p.metric_mean), p.retrains, p.promotions, p.alerts, len(p.timeline))
            for p in done.replay.policies
        ]
        s.show(
            done.as_json(),
            table(f"replay of {chosen.name}", heads, cells),
            Text(f"the timelines: {done.page}"),
        )


def add_to(cli: typer.Typer) -> None:
    """Register this command."""
    commands: Commands = {"replay": replay}
    add_commands(cli, commands)
