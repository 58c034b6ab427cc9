"""What the page of a month says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from trueup.flows.app import App
from trueup.flows.site.facts.check_pages import CheckPages
from trueup.flows.site.facts.courses import check_lines, metric_course, signal_course
from trueup.flows.site.facts.glance import incident_links
from trueup.flows.site.layout import OVERVIEW, href, page_of_month, page_of_stream
from trueup.reports.pages.month_page import MonthFacts
from trueup.storage.check_courses import CheckCourses
from trueup.storage.check_lists import CheckFilter
from trueup.storage.stream import StreamSettings

_CHECKS = 1_000  # of a month that are listed; hourly ones are 744


def month_facts(app: App, stream: StreamSettings, month: date) -> MonthFacts:
    """Everything on the page of a month of a stream; `month` is its first day, in UTC."""
    page, name = page_of_month(stream.name, month), stream.name
    pages = CheckPages(app, name, page)
    since = datetime(month.year, month.month, 1, tzinfo=UTC)
    until = datetime.combine((month + timedelta(days=32)).replace(day=1), datetime.min.time(), UTC)
    checks, total = check_lines(app, name, pages, CheckFilter(stream=name, since=since, until=until), _CHECKS)
    others = [one.month for one in CheckCourses(app.database).months(name)]
    before = max((one for one in others if one < month), default=None)
    after = min((one for one in others if one > month), default=None)
    incidents = [
        one for one in app.incidents.newest(name, limit=None)
        if one.opened_at < until and (one.resolved_at is None or one.resolved_at >= since)
    ]  # fmt: skip
    signals = signal_course(app, name, pages, checks[-1].as_of, checks[0].as_of) if checks else None
    return MonthFacts(
        stream=name,
        month=month,
        metric_name=stream.metric,
        predicts=stream.predicts,
        index=href(page, OVERVIEW),
        stream_href=href(page, page_of_stream(name)),
        before=href(page, page_of_month(name, before)) if before else "",
        after=href(page, page_of_month(name, after)) if after else "",
        metric=metric_course(app, stream, pages, since, until),
        signals=signals,
        incidents=incident_links(incidents, page),
        checks=checks,
        checks_total=total,
        csv=f"{month:%Y-%m}-",
    )
