"""The pages that a deployment's site should have, in the order in which they are written: what is linked to first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib.metadata import version

from trueup.flows.app import App
from trueup.flows.site.bringing import WantedPage
from trueup.flows.site.facts.comparisons import comparisons_of
from trueup.flows.site.layout import (
    OVERVIEW,
    evidently_asset,
    href,
    page_of_check,
    page_of_comparison,
    page_of_incident,
    page_of_models,
    page_of_month,
    page_of_quarantine,
    page_of_stream,
)
from trueup.flows.site.making import PageFiles, PageMaker
from trueup.flows.site.stamps import by_month, code_of_pages, stamp, stamp_of_incident, stamps_of_months
from trueup.storage.check_lists import CheckFilter, CheckTime
from trueup.storage.comparison_reports import ListedComparison
from trueup.storage.errors import StoreUnusable
from trueup.storage.prunings import REPORT
from trueup.storage.signal_rows import SignalRow
from trueup.storage.stream import StreamSettings

WHOLE = 100  # newest checks of a stream, and as many that breached: their pages have every picture and all plots
log = logging.getLogger("trueup")
_AT_ONCE = 64  # checks whose signals are read together


def wanted_pages(app: App, streams: Sequence[str], *, masked: bool) -> list[WantedPage]:
    """The pages of these streams, those that all streams share, and the overview last.

    masked: whether personal data is.
    """
    maker, evidently = PageMaker(app, masked), version("evidently")
    made_by = stamp(code_of_pages(), version("trueup"), evidently, masked)
    return [
        WantedPage(evidently_asset(evidently), stamp(evidently), maker.evidently_script),
        *(page for name in streams for page in _of_stream(maker, app.stream(name), made_by)),
        WantedPage(OVERVIEW, "", maker.overview),
    ]


def _of_stream(maker: PageMaker, stream: StreamSettings, made_by: str) -> Iterator[WantedPage]:
    app, name = maker.app, stream.name
    checks = app.checks.times(name, limit=None)
    pruned = {pruning.name for pruning in app.prunings.of(name, REPORT)}
    incidents, promotions = app.incidents.newest(name, limit=None), app.promotions.history(name)
    settings = stamp(made_by, stream.model_dump_json(include={"metric", "label", "prediction"}))
    yield from _of_checks(maker, stream, [c for c in checks if c.report_id not in pruned], settings)
    for listed in comparisons_of(app, name):
        made = partial(_comparison, maker, stream, listed)
        yield WantedPage(page_of_comparison(name, listed.report_id), stamp(settings, listed), made)
    for incident in incidents:
        made = partial(maker.incident, stream, incident.id)
        yield WantedPage(page_of_incident(name, incident.id), stamp_of_incident(incident, app.now(), settings), made)
    yield WantedPage(page_of_models(name), "", partial(maker.models, stream))
    yield WantedPage(page_of_quarantine(name), "", partial(maker.quarantine, stream))
    months = by_month(checks)
    stamps = stamps_of_months(months, incidents, promotions, pruned, settings)
    for month in sorted(months):
        yield WantedPage(page_of_month(name, month), stamps[month], partial(maker.month, stream, month))
    yield WantedPage(page_of_stream(name), "", partial(maker.stream, stream))


def _of_checks(
    maker: PageMaker, stream: StreamSettings, checks: Sequence[CheckTime], made_by: str
) -> Iterator[WantedPage]:
    """The newest checks, and the newest that breached, with all there is; older ones with their figures."""
    breached, _ = maker.app.checks.page(CheckFilter(stream=stream.name, verdict="breached"), WHOLE)
    whole = {c.report_id for c in checks[:WHOLE]} | {c.report_id for c in breached}
    there = {c.report_id for c in checks}

    def link(page: str, report_id: str) -> str:
        return href(page, page_of_check(stream.name, report_id)) if report_id in there else ""

    signals = _signals(maker.app, [c.report_id for c in checks])
    for check in checks:
        page, all_of_it = page_of_check(stream.name, check.report_id), check.report_id in whole
        make = partial(_check, maker, stream, check, signals, link if all_of_it else None)
        yield WantedPage(page, stamp(made_by, check.report_id, check.made_at, all_of_it), make)


def _check(
    maker: PageMaker,
    stream: StreamSettings,
    check: CheckTime,
    signals: Callable[[str], Sequence[SignalRow]],
    link: Callable[[str, str], str] | None,
) -> PageFiles:
    """A check's page: whole where a `link` to others is given; else, or where its document is damaged, its figures."""
    if link is not None:
        try:
            return maker.check(stream, check.report_id, link)
        except StoreUnusable as error:
            log.warning("the site has the figures alone of check %s: %s", check.report_id, error)
    return maker.figures(stream, check, signals(check.report_id))


def _comparison(maker: PageMaker, stream: StreamSettings, listed: ListedComparison) -> PageFiles:
    """A comparison's page; where its document is damaged, a page that says so."""
    try:
        return maker.comparison(stream, listed)
    except StoreUnusable as error:
        log.warning("the site lacks the figures of comparison %s: %s", listed.report_id, error)
        return maker.unreadable(stream, page_of_comparison(stream.name, listed.report_id), str(error))


def _signals(app: App, ids: Sequence[str]) -> Callable[[str], Sequence[SignalRow]]:
    """Reads the signals of these checks, asked for in this order, those of many at once."""
    place = {report_id: number for number, report_id in enumerate(ids)}

    @lru_cache(maxsize=1)
    def batch(number: int) -> Mapping[str, Sequence[SignalRow]]:
        return app.checks.signals_of(ids[number * _AT_ONCE : (number + 1) * _AT_ONCE])

    return lambda report_id: batch(place[report_id] // _AT_ONCE)[report_id]
