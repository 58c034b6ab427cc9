"""The signals of a check, or of two, as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trueup.monitoring.check import Signal, Verdict
from trueup.reports.comparing import Change
from trueup.storage.formatting import figure, p_value_figure

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_SHOWN = {Verdict.BREACHED: "crossed", Verdict.OK: "ok", Verdict.INSUFFICIENT: "too little data"}
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
            Text(_SHOWN[signal.verdict], style=_COLOUR[signal.verdict]),
            Text(signal.said),
            figure(signal.value),
            p_value_figure(signal.p_value),
            figure(signal.threshold),
        )
    return table


def change_table(changes: Sequence[Change], before: str, after: str) -> Table:
    """One row a signal, its two verdicts and values beside each other; `before` and `after` head the columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=False, show_lines=False)
    for heading in ("signal", before, after):
        table.add_column(heading, no_wrap=True)
    for heading in ("value before", "after", "p before", "after"):
        table.add_column(heading, justify="right", no_wrap=True)
    for change in changes:
        table.add_row(
            Text(change.code, style="bold" if change.turned else ""),
            _verdict(change.verdict_before),
            _verdict(change.verdict_after),
            figure(change.value_before),
            figure(change.value_after),
            p_value_figure(change.p_value_before),
            p_value_figure(change.p_value_after),
        )
    return table


def _verdict(verdict: Verdict | None) -> Text:
    from rich.text import Text

    return Text("not measured", style="dim") if verdict is None else Text(_SHOWN[verdict], style=_COLOUR[verdict])
