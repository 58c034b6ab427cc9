"""The command line: `trueup`."""

from __future__ import annotations

import logging

import typer

from trueup.flows.cli import alerts, cycles, intake, models, pause, prune, replay, reports, status, training
from trueup.flows.cli.session import OneDocument

cli = typer.Typer(
    name="trueup",
    cls=OneDocument,
    help="Keeps a production model true: checks, gated retraining, promotion, alert mails.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for part in (intake, training, models, cycles, reports, replay, pause, prune, alerts, status):
    part.add_to(cli)


def main() -> None:
    """Entry point of the command; logs go to standard error."""
    logging.basicConfig(level=logging.WARNING, format="trueup: %(levelname)s: %(message)s")
    cli()


if __name__ == "__main__":
    main()
