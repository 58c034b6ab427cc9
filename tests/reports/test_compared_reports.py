"""Two stored checks side by side."""

from __future__ import annotations

from rich.console import Console

from trueup.monitoring.check import Signal, Verdict
from trueup.reports.comparing import compared
from trueup.reports.signal_tables import changes_shown


def _signal(code: str, verdict: Verdict, value: float | None) -> Signal:
    return Signal(code=code, name=code, verdict=verdict, said="", value=value)


BEFORE = (_signal("DRF-TEXT", Verdict.OK, 0.1), _signal("DQ-DUP", Verdict.OK, 0.0), _signal("GONE", Verdict.OK, 1.0))
AFTER = (
    _signal("DQ-DUP", Verdict.OK, 0.2), _signal("DRF-TEXT", Verdict.BREACHED, 0.9),
    _signal("NEW[red]", Verdict.INSUFFICIENT, None),
)  # fmt: skip


def test_what_turned_comes_first_and_nothing_is_left_out() -> None:
    """A signal that only one of the two measured has an empty side, and counts as turned."""
    found = compared(BEFORE, AFTER)
    assert [(c.code, c.turned) for c in found] == [
        ("DRF-TEXT", True), ("NEW[red]", True), ("GONE", True), ("DQ-DUP", False),
    ]  # fmt: skip
    assert (found[0].value_before, found[0].value_after) == (0.1, 0.9)
    assert (found[2].verdict_before, found[2].verdict_after) == (Verdict.OK, None)


def test_a_check_compared_with_itself_turned_nothing() -> None:
    """The same on both hands is no change."""
    assert not any(change.turned for change in compared(AFTER, AFTER))


def test_the_table_reads_as_written() -> None:
    """Both verdicts stand beside each other, and a name is never markup."""
    console = Console(width=160, record=True)
    for part in changes_shown(compared(BEFORE, AFTER), "2024-01-01", "2024-02-01", every=True):
        console.print(part)
    shown = console.export_text()
    assert "NEW[red]" in shown
    assert "not measured" in shown
    assert "2024-02-01" in shown
