"""The tests of a gate as the rows of a page's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable
from trueup.reports.pages.standing import Tone
from trueup.storage.formatting import aligned_figure


@dataclass(frozen=True, kw_only=True)
class GateRow:
    """One test. value, bound: None where the test has none; both: it did not apply."""

    code: str
    passed: bool
    value: float | None
    bound: float | None
    said: str

    @property
    def applied(self) -> bool:
        """Whether there was anything to judge."""
        return not (self.passed and self.value is None and self.bound is None)


def gate_table(tests: Sequence[GateRow], caption: str) -> PageTable:
    """One row a test: those that failed first, then those that passed, then those that did not apply."""
    columns = (
        PageColumn("Test"), PageColumn("Result"), PageColumn("Figure", number=True), PageColumn("Bound", number=True),
        PageColumn("In words", wide=True),
    )  # fmt: skip
    ordered = sorted(tests, key=lambda test: (test.passed, not test.applied))
    return PageTable(caption, columns, tuple(_row(test) for test in ordered))


def _row(test: GateRow) -> tuple[PageCell, ...]:
    result = PageCell("passed", tone=Tone.FINE) if test.applied else PageCell("not applied", tone=Tone.STILL)
    if not test.passed:
        result = PageCell("failed", tone=Tone.BAD)
    return (
        PageCell(test.code), result, PageCell(aligned_figure(test.value)),
        PageCell(aligned_figure(test.bound)), PageCell(test.said),
    )  # fmt: skip
