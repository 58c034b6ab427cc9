"""How things stand with a stream when a message about it is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trueup.flows.app import App
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.facts import AlertFacts
from trueup.reports.alerts.letter import Letter
from trueup.reports.alerts.situation import IncidentState, Situation


def letter_for(
    app: App,
    stream: str,
    notices: Sequence[AlertFacts],
    incidents: Sequence[IncidentState],
    *,
    now: datetime,
    written_at: datetime,
    late_because: str = "",
    timezone: str = "UTC",
) -> Letter:
    """One letter about notices of a stream, oldest first, and the incidents that they belong to, the gravest first.

    written_at: when the oldest notice was written. late_because: why it could not be sent before, empty if it was not
    tried. timezone: of the recipient.
    """
    return letter_of(
        Situation(
            stream=stream,
            notices=tuple(notices),
            incidents=tuple(incidents),
            now=now,
            written_at=written_at,
            late_because=late_because,
            timezone=timezone,
            home=str(app.home),
        )
    )
