"""`trueup runbook`: what a code of an alert means and what to do about it, without a network."""

from __future__ import annotations

from typing import Annotated

import typer

from trueup.flows.cli.session import AsJson, add_commands, failing_plainly, show
from trueup.reports.runbook import runbook_anchor, runbook_code, runbook_codes, runbook_page, runbook_text

CodeName = Annotated[
    str | None, typer.Argument(help="A code as alerts, checks and gates name it, such as DRF-IN-price; left out: all.")
]


def runbook(code: CodeName = None, as_json: AsJson = False) -> None:
    """What a code means and what to do about it.

    Its usual causes, what to check, what to do, and when to ignore it.
    """
    with failing_plainly(as_json):
        if code is None:
            show(as_json, {"codes": runbook_codes()}, "\n".join(runbook_codes()))
            return
        document = {"code": runbook_code(code), "anchor": runbook_anchor(code), "page": runbook_page(code)}
        show(as_json, document, runbook_text(code))


def add_to(cli: typer.Typer) -> None:
    """Register the command."""
    add_commands(cli, {"runbook": runbook})
