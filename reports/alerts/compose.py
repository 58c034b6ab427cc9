"""The letter for a situation."""

from __future__ import annotations

from trueup.monitoring.severity import Severity
from trueup.reports.alert_words import words_of_alert
from trueup.reports.alerts.letter import Letter, Remedy, Standing
from trueup.reports.alerts.situation import Situation


def letter_of(situation: Situation) -> Letter:
    """One message about all that the situation's notices tell."""
    notice, incidents = situation.notices[-1], situation.incidents
    words = words_of_alert(notice)
    standing = Standing.NONE
    if incidents:
        standing = Standing.OPEN if any(i.resolved_at is None for i in incidents) else Standing.CLOSED
    severity = min((i.severity for i in incidents), default=Severity.LOW)
    return Letter(
        stream=situation.stream,
        kind=str(notice.kind),
        severity=severity,
        standing=standing,
        stem=incidents[0].stem if incidents else f"{situation.stream}: {words.subject}"[:60],
        tag="CLOSED" if standing is Standing.CLOSED else str(severity).upper(),
        wrong=words.happened,
        affected="Not known.",
        done=words.did,
        todo=words.steps[0].why if words.steps else "Nothing.",
        action=Remedy(words.steps[0].command, words.steps[0].why) if words.steps else None,
        incidents=tuple(i.id for i in incidents),
    )
