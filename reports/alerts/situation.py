"""Everything that one message to one recipient is composed from: what happened, and how things stand now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts


@dataclass(frozen=True, kw_only=True)
class IncidentState:
    """An incident as it stands when the message is made. stem: its subject, frozen when it opened."""

    id: str
    causes: tuple[str, ...]
    codes: tuple[str, ...]
    severity: Severity
    stem: str
    opened_at: datetime
    resolved_at: datetime | None = None
    outcome: str = ""
    acknowledged_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a letter is made of.

    notices: what happened, oldest first: all that this message tells. Never empty.
    incidents: those that the notices belong to, as they stand now, the gravest first.
    timezone: IANA name, in which times are shown beside UTC. now: when the message is made.
    written_at: when the oldest notice was written; told where the message comes late, with `late_because`.
    """

    stream: str
    notices: tuple[AlertFacts, ...]
    incidents: tuple[IncidentState, ...]
    now: datetime
    written_at: datetime
    late_because: str = ""
    timezone: str = "UTC"
    home: str = ""
