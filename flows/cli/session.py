"""What every command shares: the open deployment, one way to print, one way to fail."""

from __future__ import annotations

import dataclasses
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from trueup.flows.cli.examples import EXAMPLES
from trueup.flows.cli.output import answer_stream, only_answers, write_json
from trueup.reports.tables import TerminalTable
from trueup.storage.errors import InputError, StoreUnusable, TrueupError
from trueup.storage.escaping import for_terminal
from trueup.storage.secrets import without_secrets
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from trueup.alerts import Alerts
    from trueup.deployment import Deployment
    from trueup.stored_reports import Reports
    from trueup.stream import Stream

BREACH = 3  # exit status of --fail-on
MOST = 2**31 - 1  # of a number that somebody types: what each database holds
PAGE = 50  # rows of a list on a terminal where no --limit is given

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; found upward from here where left out.")
]
Home = Annotated[Path | None, typer.Option("--home", help="The folder that holds all state; .trueup where left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")]
StreamName = Annotated[
    str | None,
    typer.Option("--stream", "-s", help="The stream, as trueup.toml names it; left out: the only one."),
]
MaybeStream = Annotated[str | None, typer.Option("--stream", "-s", help="Only this stream.")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="As known at this time (ISO 8601; a bare date is its end); left out: now.")
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, max=MOST, help="At most this many, the newest.")]
Since = Annotated[str | None, typer.Option("--since", help="Only what is newer: a span such as 7d, or a time.")]
Every = Annotated[bool, typer.Option("--all", help="Also what is in order, each in full.")]
Why = Annotated[str, typer.Option("--why", help="The reason, for the audit trail.")]
_QUOTED = 100  # characters of a text that cannot be written

_WRONG_USE: Any = typer.BadParameter.__base__  # UsageError, of click or of the copy that newer typers carry

Commands = Mapping[str, Callable[..., None]]


def plain(value: Any) -> Any:
    """A value as JSON can hold it: NaN and infinity are null, times ISO 8601 in UTC, paths and enums text."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, int | bool) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Path):
        return without_secrets(str(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence | frozenset | set):
        return [plain(v) for v in value]
    return plain(value.item()) if hasattr(value, "item") else str(value)


@dataclass(frozen=True)
class Session:
    """An open deployment and where its answers go: people's on standard output, or one JSON document there."""

    deployment: Deployment
    as_json: bool

    def stream(self, name: str | None) -> Stream:
        """The stream that was named, or the only one."""
        return self.deployment.stream(name)

    def reports(self, stream: str | None) -> Reports:
        """The reports of a stream, or of all."""
        return self.deployment.stream(stream).reports if stream else self.deployment.reports

    def alerts(self, stream: str | None) -> Alerts:
        """The alerts of a stream, or of all."""
        return self.deployment.stream(stream).alerts if stream else self.deployment.alerts

    def show(self, document: Mapping[str, Any], *human: RenderableType) -> None:
        """Print the document, or what people read instead of it."""
        show(self.as_json, document, *human)

    def note(self, said: str) -> None:
        """Tell people at once what the document says at its end."""
        if not self.as_json:
            answers().print(f"note: {said}")


def show(as_json: bool, document: Mapping[str, Any], *human: RenderableType) -> None:
    """Print the one JSON document of a command, or what people read instead of it."""
    if as_json:
        write_json(plain(document), indent=2)
        return
    console = answers()
    for place, part in enumerate(human):
        if place and (isinstance(part, TerminalTable) or isinstance(human[place - 1], TerminalTable)):
            console.print()
        console.print(part)


def answers() -> Console:
    """The console of answers; wide where nobody looks, so that a pipe gets whole lines."""
    from trueup.flows.cli.plain_text import PlainConsole

    answers = answer_stream()
    looked_at = answers.isatty() or "COLUMNS" in os.environ
    return PlainConsole(file=answers, soft_wrap=False, width=None if looked_at else 160)


def progress() -> Console:
    """The console of progress and logs: standard error."""
    from trueup.flows.cli.plain_text import PlainConsole

    return PlainConsole(stderr=True)


@contextmanager
def session(config: Path | None, home: Path | None, as_json: bool) -> Iterator[Session]:
    """Open the deployment for one command; a foreseen failure becomes one line and its exit status."""
    import trueup

    with failing_plainly(as_json), trueup.open(config, home) as deployment:
        yield Session(deployment, as_json)


@contextmanager
def failing_plainly(as_json: bool) -> Iterator[None]:
    """Turn a foreseen failure into one line on standard error (and a JSON document with --json) and its status.

    Meanwhile standard output is the command's own.
    """
    try:
        with only_answers():
            yield
    except Exception as error:
        failure = _foreseen(error)
        if failure is None:
            raise
        if as_json:
            _write_failure(str(failure), failure.exit_status)
        sys.stderr.write(f"trueup: {for_terminal(str(failure))}\n")
        raise typer.Exit(failure.exit_status) from None


def _foreseen(error: Exception) -> TrueupError | None:
    """The failure in our words, also where the database or the system failed half-way; None for a fault of ours."""
    from sqlalchemy.exc import DatabaseError

    if isinstance(error, TrueupError):
        return error
    if isinstance(error, DatabaseError):
        said = " ".join(without_secrets(str(error.orig)).split())
        return StoreUnusable(
            f"The store failed: {said}. What was stored before is kept. Check that it can be reached and has room, "
            "then run the same command again; if the file is damaged, restore its backup."
        )
    if isinstance(error, UnicodeEncodeError):
        said = for_terminal(error.object[:_QUOTED])
        return InputError(f"'{said}' is not valid UTF-8, so it cannot be used as a name. What was stored before is "
        "kept.")
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return TrueupError(
            f"The system reported: {error}. What was stored before is kept. Fix the cause (disk space, permissions, "
            "connection), then run the same command again."
        )
    return None


class OneDocument(TyperGroup):
    """Commands whose wrong use, with --json, is one JSON document as well, beside click's words on standard error."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        with _refusing_as_json("--json" in args):
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _refusing_as_json("--json" in ctx.args):
            return super().invoke(ctx)


@contextmanager
def _refusing_as_json(asked: bool) -> Iterator[None]:
    try:
        yield
    except _WRONG_USE as error:
        if asked:
            _write_failure(error.format_message(), error.exit_code)
        error.message = for_terminal(error.message)  # it quotes what was typed
        raise


def _write_failure(said: str, status: int) -> None:
    write_json({"error": without_secrets(said), "exit_status": status})


def heading(what: str, shown: int, total: int) -> str:
    """The title of a list: how many it shows, and of how many."""
    if not total:
        return what
    return f"{what}, {total:,}" if shown >= total else f"{what}, showing {shown:,} of {total:,}"


def add_group(cli: typer.Typer, name: str, about: str, commands: Commands) -> None:
    """Register commands under a common first word."""
    group = typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)
    add_commands(group, commands, first=f"{name} ")
    cli.add_typer(group, name=name)


def add_commands(cli: typer.Typer, commands: Commands, first: str = "") -> None:
    """Register commands by name, each with an example below its help; first: what is typed before their names."""
    for name, command in commands.items():
        example = EXAMPLES.get(first + name)
        cli.command(name, epilog=f"\b\nExample:\n  {example}" if example else None)(command)
