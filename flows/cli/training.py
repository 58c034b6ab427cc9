"""Commands about a model at work: train, predict."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from trueup.flows.cli.output import answer_stream
from trueup.flows.cli.progress import working
from trueup.flows.cli.session import (
    AsJson,
    AsOf,
    Config,
    Every,
    Home,
    Session,
    StreamName,
    add_commands,
    progress,
    session,
)
from trueup.reports.tables import Column, table
from trueup.storage.errors import InputError
from trueup.storage.escaping import for_terminal
from trueup.storage.formatting import figure

SHOWN = 20  # answers for stored records on a terminal; --json and a pipe get all


def train(
    stream: StreamName = None,
    as_of: AsOf = None,
    reproduce: Annotated[
        str | None,
        typer.Option(help="Instead make this version again, and say whether it answers the same; changes nothing."),
    ] = None,
    every: Every = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Train the first champion, or a challenger on demand.

    Both go through the same gate as in a cycle. A stream's own trainer is asked and waited for; ended early, this
    command loses nothing: a cycle collects the model.
    """
    from trueup.flows.cli.progress import shown
    from trueup.reports.signal_tables import gate_shown

    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        if reproduce is not None:
            if as_of is not None:
                raise InputError(
                    "--as-of cannot be used with --reproduce: a version is made again on its own snapshot."
                )
            _reproduce(s, chosen, reproduce)
            return
        with shown(progress(), f"{chosen.name}: train") as watch:
            done = chosen.train(as_of, on_candidate=watch.on_candidate)
        metric = chosen.settings.metric
        rows = [
            (c["model"], c["feature"], c["history"], _setting(c), figure(c["metrics"].get(metric)), str(c["blocks"]),
             "winner" if c["winner"] else c["failed"])
            for c in done.candidates
        ]  # fmt: skip
        head = (
            Column("model", least=12), Column("feature", least=8), Column("history", rank=1),
            Column("setting", least=8), Column(metric, right=True), Column("blocks", rank=2, right=True),
            Column("", least=10),
        )  # fmt: skip
        ended = f"v{done.version} " + ("is champion" if done.promotion else "was not promoted, see the gate")
        if not chosen.settings.predicts:
            s.show(done.as_json(), f"v{done.version} is the reference that newer records are compared with")
            return
        if done.held:
            promote = f"trueup models promote --to {done.version} --stream {chosen.name} --why '...'"
            ended = f"v{done.version} passed the gate and waits: {done.held}. To let it answer: {promote}"
        s.show(
            done.as_json(),
            *([table(f"candidates, mean {metric} over the newest blocks", head, rows)] if rows else []),
            *gate_shown(done.gate["tests"], every=every),
            ended,
        )


def _setting(candidate: Mapping[str, Any]) -> str:
    """What tells a candidate from the others of its family: C=0.3."""
    return ", ".join(f"{name}={value}" for name, value in json.loads(candidate["hyper"]).items())


def _reproduce(s: Session, stream: Any, named: str) -> None:
    from rich.text import Text

    version = stream.models.number(named)
    with progress().status(f"{stream.name}: making v{version} again", spinner="dots"):
        done = stream.reproduce(version)
    s.show(done.as_json(), Text(done.said))
    if not done.identical:
        raise typer.Exit(1)


def predict(
    file: Annotated[str | None, typer.Argument(help="Records to answer; the stream's newest where left out.")] = None,
    stream: StreamName = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The champion's answers."""
    with session(config, home, as_json) as s:
        chosen = s.stream(stream)
        with working("predict"):
            done = chosen.predict(file)
        for row in done.refused:
            why = for_terminal(f"{row['reason']}: {row['detail']}")
            sys.stderr.write(f"trueup: no answer for line {row['line']}: {why}\n")
        found = done.predictions
        shown = found if file or not answer_stream().isatty() else found[:SHOWN]
        rows = [(p["id"], p["predicted"], figure(p["score"])) for p in shown]
        heads = (Column("record", least=12), Column("answer", least=12), Column("score", right=True))
        more = len(found) - len(shown)
        s.show(
            done.as_json(),
            table("predictions, newest first" if not file else "predictions", heads, rows),
            *([f"{more} more; all of them: trueup predict --stream {chosen.name} --json"] if more else []),
        )


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"train": train, "predict": predict})
