"""The signals of a check as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitoring.evidence import Signal, Verdict
from monitoring.figures import chance, figure

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = {Verdict.BREACHED: "crossed", Verdict.OK: "ok", Verdict.INSUFFICIENT: "too little data"}
_COLOUR = {Verdict.BREACHED: "bold red", Verdict.OK: "green", Verdict.INSUFFICIENT: "dim"}
_ORDER = (Verdict.BREACHED, Verdict.OK, Verdict.INSUFFICIENT)


def signal_table(signals: Sequence[Signal]) -> Table:
    """One row a signal: those that crossed their threshold first. Words in it are shown as written, never as markup."""
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=False, show_lines=False)
    table.add_column("signal", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    for heading in ("value", "p", "threshold"):
        table.add_column(heading, justify="right", no_wrap=True)
    for signal in sorted(signals, key=lambda s: _ORDER.index(s.verdict)):
        table.add_row(
            Text(signal.code),
            Text(SHOWN[signal.verdict], style=_COLOUR[signal.verdict]),
            Text(signal.said),
            figure(signal.value),
            chance(signal.p_value),
            figure(signal.threshold),
        )
    return table
