"""The command line: `trueup`."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer

from trueup.flows.cli.output import PlainLines, undisturbed_output
from trueup.flows.cli.session import OneDocument
from trueup.flows.garbage import collect_nothing_at_exit, collect_rarely
from trueup.storage.secrets import keep_out_of_logs, without_secrets

# The module beside this one that registers each command, imported once that command is asked for: what one of them
# needs is not waited for by the others.
MODULES = {
    "init": "init", "ingest": "intake", "feedback": "intake", "train": "training", "predict": "training",
    "check": "cycles", "cycle": "cycles", "serve": "cycles", "demo": "cycles", "replay": "replay", "pause": "pause",
    "resume": "pause", "prune": "prune", "status": "status", "doctor": "status", "adopt": "status",
    "quarantine": "refused_items", "models": "models", "reports": "reports", "site": "site",
    "ui": "evidently_ui", "signals": "signals", "export": "data", "erase": "data", "data": "data", "alerts": "alerts",
    "runbook": "runbook",
}  # fmt: skip


class Commands(Mapping[str, Any]):
    """Every command by its name, in the order of the help; made when it is first looked up."""

    def __getitem__(self, name: str) -> Any:
        return registered(MODULES[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


@cache
def registered(module: str) -> Mapping[str, Any]:
    """The commands that a module of the command line registers, by name."""
    part = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    import_module(f"trueup.flows.cli.{module}").add_to(part)
    return typer.main.get_group(part).commands


class Trueup(OneDocument):
    """The group of all commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)


cli = typer.Typer(
    name="trueup",
    cls=Trueup,
    help="Keeps a production model true: checks, gated retraining, promotion, alert mails.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        from trueup import __version__

        typer.echo(f"trueup {__version__}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """What stands before a command."""


def main() -> None:
    """Entry point of the command; logs go to standard error."""
    collect_rarely()
    collect_nothing_at_exit()
    if sys.argv[1:2] in (["ingest"], ["status"]):  # they start no program of a team, which would inherit it
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else all installed packages are asked for some
    if sys.argv[1:2] == ["ingest"]:
        from trueup.flows.cli.pandas_withheld import withhold_pandas

        withhold_pandas()
    with undisturbed_output():
        handler = logging.StreamHandler()
        handler.setFormatter(PlainLines("trueup: %(levelname)s: %(message)s"))
        logging.basicConfig(level=logging.WARNING, handlers=[handler])
        keep_out_of_logs()
        try:
            cli()
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is told as Python tells it
            sys.stderr.write(without_secrets(traceback.format_exc()))
            raise SystemExit(1) from None


if __name__ == "__main__":
    main()
