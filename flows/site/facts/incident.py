"""What the page of an incident says: the words of its mails as they were composed, or would be now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from trueup.flows.alert.situation import incident_state, situation_of
from trueup.flows.app import App
from trueup.flows.audit.history import what_happened
from trueup.flows.site.facts.check_pages import CheckPages
from trueup.flows.site.facts.courses import metric_course
from trueup.flows.site.layout import OVERVIEW, href, page_of_incident, page_of_models, page_of_stream
from trueup.monitoring.check import Check
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.letter import Letter
from trueup.reports.alerts.situation import IncidentState
from trueup.reports.masking import Mask, masked
from trueup.reports.pages.incident_page import IncidentEvent, IncidentFacts
from trueup.storage.errors import InputError
from trueup.storage.incidents import Incident
from trueup.storage.outbox import SENT, Notice
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK, to_minute

_AROUND = timedelta(days=28)  # before and after, that the picture of the metric shows
_KINDS = {
    AlertKind.INCIDENT_OPENED: "Opened", AlertKind.INCIDENT_WORSE: "Grew worse", AlertKind.INCIDENT_RESOLVED: "Closed",
    AlertKind.ACKNOWLEDGED: "Taken by a person", AlertKind.REMINDER: "Reminder", AlertKind.ESCALATION: "Escalated",
    AlertKind.PROMOTION: "New version answers", AlertKind.APPROVAL: "A version waits for a person",
    AlertKind.LABEL_FEED: "A version waits, since labels look wrong", AlertKind.JUDGED: "A version passed its gate",
    AlertKind.EXPIRED: "A version was not decided on in time", AlertKind.ROLLBACK: "Rolled back",
    AlertKind.REFUSED: "A version was refused", AlertKind.FAILURE: "trueup could not work",
    AlertKind.NO_CHAMPION: "No version could be promoted",
}  # fmt: skip
_OUTCOMES = {
    "quiet": "The signals are as before.", "answered": "A version that knows the change answers now.",
    "harmless": "Measured quality stayed as it was.",
}  # fmt: skip


def incident_facts(app: App, stream: StreamSettings, incident_id: str, *, mask: Mask = masked) -> IncidentFacts:
    """Everything on the page of an incident.

    Args:
        mask: what examples that outsiders wrote are shown through.

    Raises:
        InputError: the stream has no incident of this id.
    """
    incident = next((one for one in app.incidents.of([incident_id]) if one.stream == stream.name), None)
    if incident is None:
        raise InputError(f"'{stream.name}' has no incident '{incident_id}'. See: trueup alerts list -s {stream.name}")
    page = page_of_incident(stream.name, incident.id)
    pages, last = CheckPages(app, stream.name, page), app.cycles.last_ended(stream.name)
    notices = app.outbox.of_incident(incident.id)
    told = _told(app, incident, notices)
    until = max(told[-1].as_of, incident.resolved_at) if incident.resolved_at else None
    now = until or (last.ended_at if last else None) or incident.opened_at
    newest, first = ([one for one in told if one.as_of == end.as_of] for end in (told[-1], told[0]))
    letter = _letter(app, newest, incident_state(incident), now, until, mask)
    newest_check = app.checks.newest(stream.name)
    shown = until or (newest_check[1] if newest_check else incident.opened_at)
    return IncidentFacts(
        stream=stream.name,
        id=incident.id,
        title=incident.stem.removeprefix(f"{stream.name}: "),
        severity=Severity(incident.severity),
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        taken_by=incident.acknowledged_by or "",
        now=letter,
        opened=_first_letter(app, first, incident, mask) if first != newest else None,
        metric=metric_course(app, stream, pages, incident.opened_at - _AROUND, shown + _AROUND),
        events=tuple(sorted(_events(app, incident, notices, pages, page), key=lambda event: event.at)),
        check_href=pages.href(letter.report) if letter.report else "",
        models_href=href(page, page_of_models(stream.name)),
        stream_href=href(page, page_of_stream(stream.name)),
        index=href(page, OVERVIEW),
        made_at=now,
        csv=f"{page.rpartition('/')[2].removesuffix('.html')}-",
    )


def _told(app: App, incident: Incident, notices: Sequence[Notice]) -> list[AlertFacts]:
    """What its notices told, oldest first; where nobody is told of the stream, what the first one would have."""
    kept = [AlertFacts.from_json(notice.facts) for notice in notices if notice.facts]
    if kept:
        return kept
    checks = app.cycles.reports(incident.stream, limit=1, until=incident.opened_at)
    check = Check.from_json(checks[0]["document"]) if checks else None
    return [
        AlertFacts(
            kind=AlertKind.INCIDENT_OPENED, stream=incident.stream, as_of=incident.opened_at, codes=incident.codes,
            signals=tuple(s for s in check.breached if s.code in incident.codes) if check else (),
            report_id=check.report_id if check else None, incident_id=incident.id, home=str(app.home),
        )
    ]  # fmt: skip


def _letter(
    app: App, told: Sequence[AlertFacts], state: IncidentState, now: datetime, until: datetime | None, mask: Mask
) -> Letter:
    return letter_of(
        situation_of(app, told[0].stream, told, [state], now=now, written_at=now, until=until, mask=mask)
    )


def _first_letter(app: App, first: Sequence[AlertFacts], incident: Incident, mask: Mask) -> Letter:
    """What was said in the cycle that opened it, as it stood then."""
    state = incident_state(incident)
    was = IncidentState(
        id=state.id, causes=state.causes, codes=state.codes, severity=state.severity, stem=state.stem,
        opened_at=state.opened_at,
    )  # fmt: skip
    return _letter(app, first, was, first[0].as_of, first[0].as_of, mask)


def _events(
    app: App, incident: Incident, notices: Sequence[Notice], pages: CheckPages, page: str
) -> Iterator[IncidentEvent]:
    ended = incident.resolved_at
    kinds = set()
    for notice in notices:
        facts = AlertFacts.from_json(notice.facts) if notice.facts else None
        if facts is not None and facts.kind in _KINDS:
            kinds.add(facts.kind)
            report = pages.href(facts.report_id) if facts.report_id else ""
            yield IncidentEvent(at=facts.as_of, said=_said(facts), more=_reached(notice), href=report)
    if AlertKind.INCIDENT_OPENED not in kinds:
        yield IncidentEvent(at=incident.opened_at, said="Opened")
    models = href(page, page_of_models(incident.stream))
    for attempt in app.promotions.history(incident.stream):
        if incident.opened_at <= attempt.as_of <= (ended or attempt.as_of):
            version = "A training" if attempt.to_version is None else f"v{attempt.to_version}"
            word = what_happened({"state": str(attempt.state), "kind": attempt.kind})
            yield IncidentEvent(at=attempt.as_of + TICK, said=f"{version}: {word}", href=models)
    for silence in app.silences.of(incident.stream, (incident.id, *incident.codes)):
        if silence.until > incident.opened_at and (ended is None or silence.at <= ended):
            of = "" if silence.target == incident.id else f" of {silence.target}"
            why = f"By {silence.who}: {silence.why}" if silence.why else f"By {silence.who}"
            yield IncidentEvent(at=silence.at, said=f"Mails{of} silenced until {to_minute(silence.until)}", more=why)
    if incident.acknowledged_at and AlertKind.ACKNOWLEDGED not in kinds:
        yield IncidentEvent(at=incident.acknowledged_at, said=f"Taken by {incident.acknowledged_by}")
    if ended is not None and AlertKind.INCIDENT_RESOLVED not in kinds:
        yield IncidentEvent(at=ended, said="Closed", more=_ending(incident))


def _said(facts: AlertFacts) -> str:
    version = f", v{facts.to_version}" if facts.to_version is not None else ""
    return f"{_KINDS[facts.kind]}{version}"


def _reached(notice: Notice) -> str:
    """How many were told."""
    reached = sum(delivery.state == SENT for delivery in notice.deliveries)
    waiting = len(notice.deliveries) - reached
    said = [f"{reached} told" if reached else "", f"{waiting} not reached" if waiting else ""]
    return ", ".join(one for one in said if one)


def _ending(incident: Incident) -> str:
    by = f"By {incident.resolved_by}: {incident.resolved_why}" if incident.resolved_by else ""
    return by or _OUTCOMES.get(incident.outcome or "", "")
