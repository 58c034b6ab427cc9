"""One message made of the notices that it tells, at the moment when it is sent."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from trueup.flows.alert.routing.routes import Route, route_to
from trueup.flows.alert.situation import letter_for
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts
from trueup.reports.alerts.letter import Details, Letter, Standing
from trueup.reports.alerts.mail_body import RenderedMail, rendered
from trueup.reports.alerts.situation import IncidentState
from trueup.storage.incidents import Incident
from trueup.storage.outbox import Delivery, Notice
from trueup.storage.secrets import without_secrets

log = logging.getLogger("trueup")


def message_about(
    app: App, told: Sequence[tuple[Delivery, Notice]], route: Route, now: datetime
) -> tuple[Letter, tuple[str, ...]]:
    """The letter of these notices, oldest first, and the roots of its threads, the gravest incident's first.

    route: of the recipient, whose time zone it speaks in.

    A letter that cannot be made is no reason to tell nobody: then a plain one says what is known.
    """
    notices = [notice for _, notice in told]
    incidents = incidents_of(app, notices)
    failed = [delivery for delivery, _ in told if delivery.error]
    try:
        letter = _letter(app, notices, incidents, route, now, failed[-1].error or "" if failed else "")
    except Exception as error:
        log.exception("a message about '%s' could not be composed; a plain one is sent instead", notices[-1].stream)
        letter = _plain(notices[-1], incidents, f"The message could not be composed ({type(error).__name__}).")
    return letter, tuple(incident.thread for incident in incidents)


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
    return sorted(found, key=lambda i: (i.resolved_at is not None, i.severity, i.opened_at))


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
        [_state(incident) for incident in incidents],
        now=now,
        written_at=notices[0].created_at,
        late_because=without_secrets(late_because),
        timezone=route.timezone,
    )


def _state(incident: Incident) -> IncidentState:
    return IncidentState(
        id=incident.id,
        causes=incident.causes,
        codes=incident.codes,
        severity=Severity(incident.severity),
        stem=incident.stem,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        outcome=incident.outcome or "",
        acknowledged_by=incident.acknowledged_by or "",
    )


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
        todo=f"Look at it: trueup alerts show {notice.id}",
        incidents=tuple(incident.id for incident in incidents),
    )
