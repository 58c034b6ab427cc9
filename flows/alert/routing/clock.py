"""What the clock brings: reminders, escalations and weekly digests, written into the outbox when they are due."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from trueup.flows.alert.notices import add_notice
from trueup.flows.alert.routing.reminding import escalation_time, reminder_due
from trueup.flows.alert.routing.routes import streams_by_recipient
from trueup.flows.alert.routing.weekly import newest_digest
from trueup.flows.alert.situation import incident_state, situation_of
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.todo_line import needs_person
from trueup.storage.addresses import CHANNEL, recipient_key
from trueup.storage.incidents import Incident, new_id
from trueup.storage.outbox import Notice
from trueup.storage.silences import silenced
from trueup.storage.told_again import Digest

log = logging.getLogger("trueup")

_DIGEST_SUBJECT = "weekly digest"  # until it is sent; its words are made then


def write_due(app: App) -> None:
    """Write what has become due since the last time: nothing twice, however many processes ask, wherever one dies.

    Each is written in one transaction with the note that it was told.
    """
    now = app.now()
    _tell_again(app, now)
    _tell_weeks(app, now)


def _tell_again(app: App, now: datetime) -> None:
    """Reminders and escalations of `high` incidents that are open and that nobody acknowledged."""
    settings = app.settings.alerts
    waiting = [i for i in app.incidents.open_ones() if i.severity == Severity.HIGH and not i.acknowledged_by]
    waiting = [i for i in waiting if i.stream in app.settings.streams]
    if not waiting or settings.reminder_span is settings.escalation_span is None:
        return
    first_told = app.told_again.first_told([i.id for i in waiting], str(Severity.HIGH))
    reminded = app.told_again.newest_reminders(AlertKind.REMINDER)
    escalated = app.told_again.newest_reminders(AlertKind.ESCALATION)
    for incident in waiting:
        told_at = first_told.get(incident.id)
        if told_at is None:
            continue
        number = reminder_due(told_at, settings.reminder_span, reminded.get(incident.id, 0), now)
        if number is not None:
            _write(app, incident, AlertKind.REMINDER, number, now)
        at = escalation_time(told_at, settings.escalation_span)
        if at is not None and at <= now and incident.id not in escalated:
            _write(app, incident, AlertKind.ESCALATION, 1, now)


def _write(app: App, incident: Incident, kind: AlertKind, number: int, now: datetime) -> None:
    """Tell an incident again. A reminder that nobody needs is noted and not written; the next may be needed."""
    needed = _needed(app, incident, now)
    if not needed and kind is AlertKind.ESCALATION:
        return
    stream = app.stream(incident.stream)
    facts = AlertFacts(
        kind=kind, stream=stream.name, as_of=now, codes=incident.codes, incident_id=incident.id, home=str(app.home)
    )
    to = app.settings.alerts.escalate_to if kind is AlertKind.ESCALATION else None
    try:
        with app.database.write() as connection:
            app.told_again.add_reminder(connection, incident.id, kind, number, now)
            if needed:
                add_notice(app, connection, stream, facts, incident, to=to)
    except IntegrityError:
        return  # another process wrote it


def _needed(app: App, incident: Incident, now: datetime) -> bool:
    """Whether there is anything to do about an incident, and nobody silenced it or paused its stream."""
    if app.pauses.current(incident.stream):
        return False
    if silenced(app.silences.in_force(now, incident.stream), incident.stream, incident.id, incident.codes):
        return False
    notices = app.outbox.of_incident(incident.id)
    try:
        facts = [AlertFacts.from_json(notice.facts) for notice in notices if notice.facts is not None]
        state, written_at = [incident_state(incident)], notices[0].created_at
        return not facts or needs_person(
            situation_of(app, incident.stream, facts, state, now=now, written_at=written_at)
        )
    except Exception:
        log.exception("whether incident %s leaves anything to do could not be told; somebody is reminded", incident.id)
        return True


def _tell_weeks(app: App, now: datetime) -> None:
    """The digest of everybody whose week is over; who is seen for the first time has to wait for the next one."""
    at = app.settings.alerts.digest_at
    if at is None:
        return
    newest = app.told_again.newest_digests()
    for route in streams_by_recipient(app.settings):
        if not _reads_digests(app, route.recipient):
            continue
        key = recipient_key(route.recipient)
        week, _ = newest_digest(at, route.timezone, now)
        last = newest.get(key)
        if last is not None and week <= last.week:
            continue
        notice = None if last is None else _digest_notice(app, now)
        digest = Digest(
            recipient=key,
            week=week,
            since=last.until if last else now,
            until=now,
            alert_id=notice.id if notice else None,
        )
        try:
            with app.database.write() as connection:
                if notice is not None:
                    app.outbox.add(connection, notice, [route.recipient])
                app.told_again.add_digest(connection, digest)
        except IntegrityError:
            continue  # another process wrote it


def _reads_digests(app: App, recipient: str) -> bool:
    """PagerDuty is asked to wake people, and shown nothing to read."""
    if not recipient.startswith(CHANNEL):
        return True
    channel = app.settings.alerts.channels.get(recipient.removeprefix(CHANNEL))
    return channel is None or channel.kind != "pagerduty"


def _digest_notice(app: App, now: datetime) -> Notice:
    facts = AlertFacts(kind=AlertKind.DIGEST, stream="", as_of=now, home=str(app.home))
    return Notice(
        id=new_id(),
        stream="",
        kind=str(AlertKind.DIGEST),
        severity=str(Severity.LOW),
        subject=_DIGEST_SUBJECT,
        facts=facts.as_json(),
        created_at=now,
    )
