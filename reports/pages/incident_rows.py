"""Incidents as the rows of a page's table."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.monitoring.severity import Severity
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell
from trueup.reports.pages.standing import IncidentLink, Tone


def incidents_table(incidents: Sequence[IncidentLink], caption: str) -> PageTable:
    """One row an incident, in the order given."""
    columns = (
        PageColumn("Incident"), PageColumn("State"), PageColumn("Opened", time=True), PageColumn("Closed", time=True),
    )  # fmt: skip
    rows = []
    for one in incidents:
        tone = Tone.STILL if one.resolved_at else Tone.BAD if one.severity is Severity.HIGH else Tone.WARN
        state = "closed" if one.resolved_at else f"{one.severity} severity"
        taken = f"taken by {one.taken_by}" if one.taken_by and not one.resolved_at else ""
        rows.append((
            PageCell(one.said, one.href), PageCell(state, tone=tone, more=taken),
            time_cell(one.opened_at), time_cell(one.resolved_at),
        ))  # fmt: skip
    return PageTable(caption, columns, tuple(rows))
