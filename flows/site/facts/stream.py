"""What the page of a stream says."""

from __future__ import annotations

from datetime import datetime

from trueup.flows.app import App
from trueup.flows.audit.history import what_happened
from trueup.flows.check.page_facts import kept_distributions
from trueup.flows.site.facts.arrivals import arrivals_of
from trueup.flows.site.facts.check_pages import CheckPages
from trueup.flows.site.facts.comparisons import comparison_links
from trueup.flows.site.facts.courses import check_lines, metric_course, signal_course
from trueup.flows.site.facts.glance import glance_of, incident_links
from trueup.flows.site.facts.models import answers_changed, gate_rows
from trueup.flows.site.layout import (
    OVERVIEW,
    href,
    page_of_models,
    page_of_month,
    page_of_quarantine,
    page_of_stream,
)
from trueup.monitoring.check import Check
from trueup.reports.masking import Mask, masked
from trueup.reports.pages.metric_course import POINTS_SHOWN
from trueup.reports.pages.stream_page import ChampionEvidence, MonthLink, SlicePart, StreamFacts
from trueup.storage.check_courses import CheckCourses, CheckExtent, MonthOfChecks
from trueup.storage.check_lists import CheckFilter
from trueup.storage.promotions import GATED, NOT_BY_TRUEUP, PromotionState
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK

_CHECKS, _INCIDENTS, _COMPARISONS = 30, 20, 20  # the newest, that are listed
_WHY = 400  # characters of what a person said
_SLICE = "PRF-SLICE-"


def stream_facts(app: App, stream: StreamSettings, *, mask: Mask = masked, try_href: str = "") -> StreamFacts:
    """Everything on the page of a stream, from the store alone.

    Args:
        mask: what a text that outsiders wrote is shown through.
        try_href: the page that answers a typed record; empty: none is served.
    """
    page = page_of_stream(stream.name)
    pages, courses = CheckPages(app, stream.name, page), CheckCourses(app.database)
    extent, months = courses.extent(stream.name), courses.months(stream.name)
    glance = glance_of(app, stream, page, try_href=try_href)
    incidents = app.incidents.newest(stream.name, limit=None)
    checks, total = check_lines(app, stream.name, pages, CheckFilter(stream=stream.name), _CHECKS)
    by_month = sum(month.checks for month in months) > POINTS_SHOWN  # else one picture holds every check
    return StreamFacts(
        glance=glance,
        index=href(page, OVERVIEW),
        models_href=href(page, page_of_models(stream.name)),
        quarantine_href=href(page, page_of_quarantine(stream.name)),
        refused=app.store.quarantine.page(stream, limit=1)[1],
        metric=metric_course(app, stream, pages, extent.first, extent.last + TICK) if extent else None,
        recent=signal_course(app, stream.name, pages, *_newest_month(extent)) if extent and by_month else None,
        whole=signal_course(app, stream.name, pages, extent.first, extent.last) if extent else None,
        arrivals=arrivals_of(app, stream),
        slices=_slices(app, stream, mask),
        champion=_evidence(app, stream, glance.champion, mask),
        incidents=incident_links(incidents, page)[:_INCIDENTS],
        incidents_total=len(incidents),
        months=tuple(_month(stream.name, page, month) for month in months),
        comparisons=tuple(comparison_links(app, stream.name, page).values())[:_COMPARISONS],
        checks=checks,
        checks_total=total,
        made_at=glance.last_cycle,
        csv="index-",
    )


def _newest_month(extent: CheckExtent) -> tuple[datetime, datetime]:
    first = extent.last.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return max(first, extent.first), extent.last


def _month(stream: str, page: str, month: MonthOfChecks) -> MonthLink:
    target = href(page, page_of_month(stream, month.month))
    return MonthLink(month=month.month, href=target, checks=month.checks, breached=month.breached)


def _slices(app: App, stream: StreamSettings, mask: Mask) -> tuple[SlicePart, ...]:
    """The worst values of each slice in the newest check, those that are breached first."""
    newest = app.cycles.reports(stream.name, limit=1)
    check = Check.from_json(newest[0]["document"]) if newest else None
    signals = [signal for signal in check.signals if signal.code.startswith(_SLICE)] if check else []
    kept = kept_distributions(app, stream.name, check.report_id) if check and signals else {}
    records = {
        (code, name): n for code, held in kept.items() for name, n in zip(held.names, held.records, strict=False)
    }
    found = [
        SlicePart(
            column=signal.code.removeprefix(_SLICE), value=mask(part.what), before=part.before, now=part.now,
            breached=signal.verdict == "breached" and place == 0, records=records.get((signal.code, part.what)),
        )
        for signal in signals for place, part in enumerate(signal.contributors)
    ]  # fmt: skip
    sign = 1 if stream.lower_is_better else -1
    return tuple(sorted(found, key=lambda part: (not part.breached, -sign * (part.now - part.before))))


def _evidence(app: App, stream: StreamSettings, champion: int | None, mask: Mask) -> ChampionEvidence | None:
    if champion is None:
        return None
    mine = [attempt for attempt in app.promotions.history(stream.name) if attempt.to_version == champion]
    event = next(attempt for attempt in mine if attempt.state is PromotionState.COMMITTED)
    judged = next((attempt for attempt in mine if attempt.kind in GATED), event)
    return ChampionEvidence(
        since=event.as_of,
        over=event.from_version,
        how=what_happened({"state": str(event.state), "kind": event.kind}),
        who=event.who,
        why=mask(event.why, _WHY) if event.kind in NOT_BY_TRUEUP else "",
        codes=judged.codes,
        answers=answers_changed(judged),
        tests=gate_rows(judged, mask),
    )
