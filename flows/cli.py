"""The command line: `trueup`."""

from __future__ import annotations

import logging

import typer

from flows import cli_alerts, cli_cycles, cli_intake, cli_models, cli_pausing, cli_pruning, cli_replay, cli_training
from flows.cli_session import OneDocument

cli = typer.Typer(
    name="trueup",
    cls=OneDocument,
    help="Keeps a production model true: checks, gated retraining, promotion, alert mails.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for part in (cli_intake, cli_training, cli_models, cli_cycles, cli_replay, cli_pausing, cli_pruning, cli_alerts):
    part.add_to(cli)


def main() -> None:
    """Entry point of the command; logs go to standard error."""
    logging.basicConfig(level=logging.WARNING, format="trueup: %(levelname)s: %(message)s")
    cli()


if __name__ == "__main__":
    main()
