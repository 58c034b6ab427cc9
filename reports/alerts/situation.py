"""Everything that one message to one recipient is composed from: what happened, and how things stand now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import AnswerQuality, Signal
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind, GateLine
from trueup.reports.signal_words import RELATIVE_DROP


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
class CheckState:
    """The newest check of the stream. answers: None where nothing was predicted, or an older release made it."""

    as_of: datetime
    report_id: str
    signals: tuple[Signal, ...]
    answers: AnswerQuality | None


@dataclass(frozen=True, kw_only=True)
class MetricPoint:
    """The champion's metric in one counted check, measured and estimated; bound: what it may not pass."""

    at: datetime
    measured: float | None
    estimated: float | None
    bound: float | None
    version: int


@dataclass(frozen=True, kw_only=True)
class ChampionSince:
    """A version that began to answer."""

    at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class JudgedChallenger:
    """A challenger and its gate.

    answers: as `training.evaluation.changed_answers` keeps them; empty for a first version. needed: labels in all that
    would tell a gain worth having, where known.
    """

    version: int
    from_version: int | None
    tests: tuple[GateLine, ...]
    outcome: str
    needed: int | None
    answers: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a letter is made of.

    notices: what happened, oldest first: all that this message tells. Never empty.
    incidents: those that the notices belong to, as they stand now, the gravest first.
    now: when the message is made. written_at: when the oldest notice was written. late_because: why it was not sent
    then. timezone: IANA name, in which deadlines are shown beside UTC.
    champion, champion_since: which version answers now. newest_record: event time of the newest record.
    latest: the newest check. history: counted checks, oldest first. changes: of the champion, oldest first.
    judged: the challenger that the newest notice of one is about.
    examples: masked texts of records, by the code of the signal that they show. repaired: masked sentences of records
    that the judged challenger puts right.
    stopped_by: what keeps trueup from its work, while an incident of that is open.
    next_told: who is told next where nobody takes it, and when; empty: nobody.
    """

    stream: str
    task: str
    metric: str
    notices: tuple[AlertFacts, ...]
    incidents: tuple[IncidentState, ...]
    now: datetime
    written_at: datetime
    late_because: str = ""
    timezone: str = "UTC"
    home: str = ""
    host: str = ""
    champion: int | None = None
    champion_since: datetime | None = None
    newest_record: datetime | None = None
    latest: CheckState | None = None
    history: tuple[MetricPoint, ...] = ()
    changes: tuple[ChampionSince, ...] = ()
    judged: JudgedChallenger | None = None
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repaired: tuple[str, ...] = ()
    stopped_by: str = ""
    next_told: str = ""

    @property
    def is_regression(self) -> bool:
        """Whether answers are numbers."""
        return self.task == "regression"

    @property
    def lower_is_better(self) -> bool:
        """Whether a rise of the metric is bad news."""
        return self.metric in RELATIVE_DROP

    @property
    def open(self) -> tuple[IncidentState, ...]:
        """The incidents that are still open."""
        return tuple(i for i in self.incidents if i.resolved_at is None)

    @property
    def causes(self) -> frozenset[Cause]:
        """What the open incidents are about."""
        return frozenset(Cause(cause) for i in self.open for cause in i.causes)

    def newest(self, *kinds: AlertKind) -> AlertFacts | None:
        """The newest notice of these kinds."""
        return next((n for n in reversed(self.notices) if n.kind in kinds), None)

    def signals(self, *, breached: bool = True) -> dict[str, Signal]:
        """Signals by code: those of the notices, with what the newest check says of the same ones now."""
        found = {s.code: s for n in self.notices for s in n.signals}
        told = max((n.as_of for n in self.notices), default=None)
        if self.latest and (told is None or self.latest.as_of >= told):
            for signal in self.latest.signals:
                if signal.verdict != "insufficient" or signal.code not in found:
                    found[signal.code] = signal
        return {code: s for code, s in found.items() if s.verdict == "breached"} if breached else found
