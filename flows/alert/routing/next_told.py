"""Who else is told of an open incident where nobody acknowledges it, and when."""

from __future__ import annotations

from datetime import datetime

from trueup.flows.alert.routing.reminding import escalation_time
from trueup.flows.settings import Settings
from trueup.reports.alerts.plain_figures import deadline


def next_told(settings: Settings, told_at: datetime | None, now: datetime) -> tuple[tuple[str, ...], datetime] | None:
    """The recipients of the escalation and its time, in UTC; None where there is none or it has come.

    Args:
        told_at: when the incident was first told as `high`; None: it never was, or it is closed or acknowledged.
    """
    at = None if told_at is None else escalation_time(told_at, settings.alerts.escalation_span)
    return (settings.alerts.escalate_to, at) if at is not None and at > now else None


def next_told_sentence(settings: Settings, told_at: datetime | None, now: datetime, timezone: str) -> str:
    """The same in words for a reader of a time zone; empty where nobody is told next."""
    found = next_told(settings, told_at, now)
    if found is None:
        return ""
    who, at = found
    named = who[0] + (f" and {len(who) - 1} more" if len(who) > 1 else "")
    return f"If nobody acknowledges it, {named} {'are' if len(who) > 1 else 'is'} told on {deadline(at, timezone)}."
