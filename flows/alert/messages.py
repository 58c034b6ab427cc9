"""One message made of the notices that it tells, at the moment when it is sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from trueup.flows.alert.routing.next_told import next_told_sentence
from trueup.flows.alert.routing.quiet_hours import held_until
from trueup.flows.alert.routing.routes import Route, route_to
from trueup.flows.alert.routing.week import digest_for
from trueup.flows.alert.situation import incident_state, letter_for
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.digest import letter_after_quiet_hours
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.letter import Details, Letter, Standing
from trueup.reports.alerts.mail_body import RenderedMail, rendered
from trueup.reports.alerts.wrong_line import gravity_of
from trueup.storage.incidents import Incident
from trueup.storage.outbox import Delivery, Notice
from trueup.storage.secrets import without_secrets

log = logging.getLogger("trueup")


def message_about(
    app: App, told: Sequence[tuple[Delivery, Notice]], route: Route, now: datetime
) -> tuple[Letter, tuple[str, ...]]:
    """The letter of these notices, oldest first, and the roots of its threads, the gravest incident's first.

    route: of the recipient, whose time zone it speaks in. What waited through quiet hours is one letter over all its
    streams.

    A letter that cannot be made is no reason to tell nobody: then a plain one says what is known.
    """
    streams = dict.fromkeys(notice.stream for _, notice in told)
    incidents = incidents_of(app, [notice for _, notice in told])
    try:
        letters = [_about_stream(app, [pair for pair in told if pair[1].stream == one], route, now) for one in streams]
        letter = letter_after_quiet_hours(letters)
    except Exception as error:
        last = told[-1][1]
        log.exception("a message about '%s' could not be composed; a plain one is sent instead", last.stream)
        letter = _plain(last, incidents, f"The message could not be composed ({type(error).__name__}).")
    return letter, tuple(incident.thread for incident in incidents)


def _about_stream(app: App, told: Sequence[tuple[Delivery, Notice]], route: Route, now: datetime) -> Letter:
    """The letter about one stream, or the weekly digest, which is about all of a recipient."""
    notices = [notice for _, notice in told]
    if notices[0].kind == AlertKind.DIGEST:
        return digest_for(app, route.recipient, [notice.id for notice in notices], now)
    return _letter(app, notices, incidents_of(app, notices), route, now, _late_because(told, route))


def _late_because(told: Sequence[tuple[Delivery, Notice]], route: Route) -> str:
    """Why it was not sent when it was written: the last failure, or the quiet hours of the recipient."""
    failed = [delivery.error for delivery, _ in told if delivery.error]
    if failed:
        return failed[-1]
    _, first = told[0]
    waited = held_until(route, Severity(first.severity), first.created_at)
    return "it came in your quiet hours" if waited is not None else ""


def mail_about(app: App, notice: Notice) -> RenderedMail:
    """The mail that told of a notice, or will, as it would be composed now."""
    named = next((delivery.message_id for delivery in notice.deliveries if delivery.message_id), None)
    together = app.outbox.in_message(named) if named else [notice]
    route = route_to(app.settings, notice.to[0], notice.stream)
    letter, _ = message_about(app, [(d, one) for one in together for d in one.deliveries[:1]], route, app.now())
    return rendered(letter)


def incidents_of(app: App, notices: Sequence[Notice]) -> list[Incident]:
    """The incidents that notices belong to, as they stand now, the gravest first."""
    found = app.incidents.of({notice.incident_id for notice in notices if notice.incident_id})
    return sorted(found, key=lambda i: (i.resolved_at is not None, i.severity, gravity_of(i.causes), i.opened_at))


def _letter(
    app: App,
    notices: Sequence[Notice],
    incidents: Sequence[Incident],
    route: Route,
    now: datetime,
    late_because: str,
) -> Letter:
    facts = [AlertFacts.from_json(notice.facts) for notice in notices if notice.facts is not None]
    if not facts:
        return _kept(notices[-1], incidents)
    return letter_for(
        app,
        notices[-1].stream,
        facts,
        [incident_state(incident) for incident in incidents],
        now=now,
        written_at=notices[0].created_at,
        late_because=without_secrets(late_because),
        timezone=route.timezone,
        next_told=_next_told(app, incidents, now, route),
    )


def _next_told(app: App, incidents: Sequence[Incident], now: datetime, route: Route) -> str:
    """Who else is told of the gravest incident where nobody acknowledges it."""
    waiting = [i.id for i in incidents if i.resolved_at is None and not i.acknowledged_by]
    first_told = app.told_again.first_told(waiting, str(Severity.HIGH))
    return next_told_sentence(app.settings, min(first_told.values(), default=None), now, route.timezone)


def _kept(notice: Notice, incidents: Sequence[Incident]) -> Letter:
    """An alert that an earlier trueup wrote as text."""
    letter = _plain(notice, incidents, "It was written by an earlier version of trueup; its words stand below.")
    lines = tuple((line,) for line in (notice.text or "").splitlines() if line.strip())
    return Letter(**{**letter.__dict__, "sections": (Details("As it was written", ("text",), lines),)})


def _plain(notice: Notice, incidents: Sequence[Incident], why: str) -> Letter:
    is_open = any(incident.resolved_at is None for incident in incidents)
    standing = Standing.OPEN if is_open else Standing.CLOSED if incidents else Standing.NONE
    return Letter(
        stream=notice.stream,
        kind=notice.kind,
        severity=Severity(notice.severity),
        standing=standing,
        stem=notice.subject,
        tag="CLOSED" if standing is Standing.CLOSED else notice.severity.upper() if is_open else "",
        wrong=f"{notice.kind.replace('_', ' ').capitalize()}. {why}",
        affected="Not known.",
        done="See the details.",
        todo=f"Check it: trueup alerts show {notice.id}",
        incidents=tuple(incident.id for incident in incidents),
    )
