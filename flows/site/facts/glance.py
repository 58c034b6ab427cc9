"""How each stream stands at a glance, and the overview of all of them, from the store alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trueup.flows.admin.health import health_of
from trueup.flows.app import App
from trueup.flows.check.timeliness import timeliness
from trueup.flows.promote.notifications import refusal_reason
from trueup.flows.site.facts.check_pages import CheckPages
from trueup.flows.site.layout import OVERVIEW, href, page_of_incident, page_of_stream
from trueup.monitoring.severity import Severity
from trueup.reports.pages.overview_page import OverviewFacts
from trueup.reports.pages.standing import IncidentLink, StreamGlance
from trueup.storage.check_lists import CheckFilter
from trueup.storage.incidents import Incident
from trueup.storage.stream import StreamSettings


def overview_facts(app: App, *, tries: Mapping[str, str] | None = None) -> OverviewFacts:
    """Every stream at a glance.

    Args:
        tries: by stream the page that answers a typed record; without one, none is offered.
    """
    streams = tuple(
        glance_of(app, stream, OVERVIEW, try_href=(tries or {}).get(stream.name, ""))
        for stream in app.settings.streams.values()
    )
    ended = [glance.last_cycle for glance in streams if glance.last_cycle]
    return OverviewFacts(streams=streams, made_at=max(ended, default=None), csv="index-")


def glance_of(app: App, stream: StreamSettings, page: str, *, try_href: str = "") -> StreamGlance:
    """One stream, with links from `page`."""
    now = app.now()
    last = app.promotions.last_committed(stream.name)
    champion = last.to_version if last else None
    health = health_of(app, stream, champion, now)
    cycles = timeliness(app, stream, now)
    pause = app.pauses.current(stream.name)
    newest = app.checks.page(CheckFilter(report_id=health.report_id), 1)[0] if health.report_id else []
    return StreamGlance(
        stream=stream.name,
        href=href(page, page_of_stream(stream.name)),
        predicts=stream.predicts,
        is_regression=stream.is_regression,
        metric=stream.metric,
        value=health.value,
        reference=health.reference,
        recent=health.recent,
        verdict=health.verdict,
        breached=newest[0].breached if newest else (),
        as_of=health.as_of,
        check_href=CheckPages(app, stream.name, page).href(health.report_id) if health.report_id else "",
        incidents=incident_links(app.incidents.open_ones(stream.name), page),
        champion=champion,
        champion_since=health.champion_since,
        no_champion=_no_champion(app, stream) if champion is None else "",
        records=app.counts.records(stream),
        last_cycle=cycles.last_ended,
        next_cycle=cycles.next_due,
        overdue=cycles.overdue,
        paused=pause.said if pause else "",
        try_href=try_href,
    )


def incident_links(incidents: list[Incident], page: str) -> tuple[IncidentLink, ...]:
    """Incidents with links from `page`: the open ones first, the gravest of them in front, then the newest."""
    found = [
        IncidentLink(
            id=incident.id,
            said=incident.stem.removeprefix(f"{incident.stream}: "),
            severity=Severity(incident.severity),
            opened_at=incident.opened_at,
            resolved_at=incident.resolved_at,
            taken_by=incident.acknowledged_by or "",
            href=href(page, page_of_incident(incident.stream, incident.id)),
        )
        for incident in incidents
    ]
    return tuple(sorted(found, key=_place))


def _place(incident: IncidentLink) -> tuple[bool, bool, float]:
    is_open = incident.resolved_at is None
    moment: datetime = incident.opened_at
    return (not is_open, is_open and incident.severity is Severity.LOW, -moment.timestamp())


def _no_champion(app: App, stream: StreamSettings) -> str:
    tried = app.promotions.history(stream.name, limit=1)
    return refusal_reason(tried[0]) if tried else ""
