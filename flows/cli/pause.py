"""Commands that hold a stream's cycles back, and let them act again."""

from __future__ import annotations

from pathlib import Path

import typer

from trueup.flows.cli.session import AsJson, Config, Home, StreamName, Why, add_commands, session


def pause(
    why: Why, stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Let no cycle act on a stream until `resume`.

    It is still scored and checked; nothing is alerted on, trained or promoted.
    """
    _set(stream, why, config, home, as_json, paused=True)


def resume(
    why: Why, stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Let cycles act on a paused stream again."""
    _set(stream, why, config, home, as_json, paused=False)


def _set(stream: str | None, why: str, config: Path | None, home: Path | None, as_json: bool, *, paused: bool) -> None:
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        done = chosen.pause(why) if paused else chosen.resume(why)
        state = "paused" if paused else "not paused"
        already = "" if done.event_id else " already; nothing was changed"
        s.show(done.as_json(), f"{chosen.name} is {state}{already}")


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"pause": pause, "resume": resume})
