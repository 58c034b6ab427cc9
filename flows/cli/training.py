"""Commands about a model at work: train, predict."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from trueup.flows.cli.session import (
    AsJson,
    AsOf,
    Config,
    Home,
    Session,
    StreamName,
    add_commands,
    progress,
    session,
    table,
)
from trueup.monitoring.formatting import figure
from trueup.storage.errors import InputError
from trueup.storage.stream import Stream
from trueup.storage.timepoints import parse_as_of

SHOWN = 20  # answers for stored records on a terminal; --json and a pipe get all


def train(
    stream: StreamName,
    as_of: AsOf = None,
    reproduce: Annotated[
        int | None,
        typer.Option(help="Instead make this version again, and say whether it answers the same; changes nothing."),
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Train the first champion, or a challenger on demand.

    Both go through the same gate as in a cycle.
    """
    from trueup.flows.cli.progress import shown
    from trueup.flows.cycle.train_on_demand import train_now

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        if reproduce is not None:
            _reproduce(s, named, reproduce, as_of)
            return
        with shown(progress(), f"{stream}: train") as watch:
            done = train_now(s.app, named, parse_as_of(as_of, now=s.app.now()), on_candidate=watch.on_candidate)
        metric = named.metric
        rows = [
            (c["model"], c["feature"], c["history"], _setting(c), figure(c["metrics"].get(metric)), str(c["blocks"]),
             "winner" if c["winner"] else c["failed"])
            for c in done["candidates"]
        ]  # fmt: skip
        head = ("model", "feature", "history", "setting", metric, "blocks", "")
        tests = [
            (g["code"], "yes" if g["passed"] else "no", figure(g["value"]), figure(g["bound"]), g["said"])
            for g in done["gate"]["tests"]
        ]
        ended = f"v{done['version']} " + ("is champion" if done["promotion"] else "was not promoted: see the gate")
        if done["held"]:
            ended = f"v{done['version']} passed the gate and waits: {done['held']}"
        s.show(
            done,
            table(f"candidates, mean {metric} over the newest blocks", head, rows),
            table("gate", ("code", "passed", "value", "bound", "what was found"), tests),
            ended,
        )


def _setting(candidate: dict[str, Any]) -> str:
    """What tells a candidate from the others of its family: C=0.3."""
    return ", ".join(f"{name}={value}" for name, value in json.loads(candidate["hyper"]).items())


def _reproduce(s: Session, stream: Stream, version: int, as_of: str | None) -> None:
    from rich.text import Text

    from trueup.flows.train.reproduce import reproduce

    if as_of is not None:
        raise InputError("--as-of says nothing beside --reproduce: a version is made again on its own snapshot.")
    with progress().status(f"{stream.name}: making v{version} again", spinner="dots"):
        done = reproduce(s.app, stream, version)
    s.show(done, Text(done["said"]))
    if not done["identical"]:
        raise typer.Exit(1)


def predict(
    stream: StreamName,
    file: Annotated[str | None, typer.Argument(help="Records to answer; the stream's newest where left out.")] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The champion's answers."""
    from trueup.flows.check.predict import predict_file, predict_newest

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        found, refused = predict_file(s.app, named, file) if file else (predict_newest(s.app, named), [])
        for row in refused:
            sys.stderr.write(f"trueup: no answer for line {row['line']}: {row['reason']}: {row['detail']}\n")
        shown = found if file or not sys.stdout.isatty() else found[:SHOWN]
        rows = [(p["id"], p["predicted"], figure(p["score"])) for p in shown]
        more = len(found) - len(shown)
        s.show(
            {"predictions": found, "refused": refused},
            table("predictions, newest first" if not file else "predictions", ("record", "answer", "score"), rows),
            *([f"{more} more; all of them: trueup predict --stream {stream} --json"] if more else []),
        )


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"train": train, "predict": predict})
