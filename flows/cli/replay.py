"""The command that looks back: replay."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from trueup.flows.cli.session import AsJson, Commands, Config, Home, StreamName, add_commands, progress, session, table
from trueup.storage.timepoints import parse_as_of


def replay(
    file: Annotated[str, typer.Argument(help="Past records: CSV, JSON Lines or Parquet; - is standard input.")],
    stream: StreamName,
    start: Annotated[
        str | None,
        typer.Option("--start", help="When the first champion is trained (as --as-of). After the first 1,000 records."),
    ] = None,
    every: Annotated[
        int | None, typer.Option("--every", min=1, help="Records from one check to the next. One window.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", help="A policy of [streams.S.policies.NAME], or default; may be repeated. default."),
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Past data through the cycle, several policies side by side.

    It touches nothing of the deployment.
    """
    from rich.text import Text

    from trueup.flows.replay.run import replay as run
    from trueup.monitoring.formatting import figure
    from trueup.reports.replay_page import page

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        console = progress()
        begin = parse_as_of(start) if start else None
        with console.status("replay", spinner="dots") as status:
            show = status.update if console.is_terminal else console.print  # a log gets a line a check
            found = run(
                s.app, named, file, start=begin, every=every, names=policy or (), tell=lambda said: show(Text(said))
            )
        folder = s.app.home / "replays"
        folder.mkdir(parents=True, exist_ok=True)
        plain_name = re.sub(r"[^\w.-]", "-", stream)
        written = folder / f"{plain_name}-{s.app.now():%Y%m%dT%H%M%S}.html"
        written.write_text(page(found), encoding="utf-8")
        heads = ("policy", f"mean {found.metric}", "challengers", "promotions", "alerts", "checks")
        cells = [
            (p.name, figure(p.metric_mean), p.retrains, p.promotions, p.alerts, len(p.timeline)) for p in found.policies
        ]
        s.show(
            {**found.as_json(), "page": written},
            table(f"replay of {stream}", heads, cells),
            Text(f"the timelines: {written}"),
        )


def add_to(cli: typer.Typer) -> None:
    """Register this command."""
    commands: Commands = {"replay": replay}
    add_commands(cli, commands)
