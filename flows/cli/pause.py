"""Commands that hold a stream's cycles back, and let them act again."""

from __future__ import annotations

import typer

from trueup.flows.cli.session import AsJson, Config, Home, StreamName, Why, add_commands, session


def pause(stream: StreamName, why: Why, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Let no cycle act on a stream until `resume`.

    It is scored and checked as ever; nothing is alerted on, trained or promoted.
    """
    _set(stream, why, config, home, as_json, paused=True)


def resume(stream: StreamName, why: Why, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Let cycles act on a paused stream again."""
    _set(stream, why, config, home, as_json, paused=False)


def _set(stream: str, why: str, config: Config, home: Home, as_json: bool, *, paused: bool) -> None:
    from trueup.flows.admin.pause import set_paused

    with session(config, home, as_json) as s:
        done = set_paused(s.app, s.app.stream(stream), why, paused=paused)
        state = "paused" if paused else "not paused"
        s.show(
            {"stream": stream, "paused": paused, "event_id": done.id if done else None},
            f"{stream} is {state}" + ("" if done else " already; nothing was changed"),
        )


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"pause": pause, "resume": resume})
