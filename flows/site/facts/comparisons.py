"""The comparisons of a stream that have a page, and links to them."""

from __future__ import annotations

from trueup.flows.app import App
from trueup.flows.site.layout import href, page_of_comparison
from trueup.reports.pages.comparison_rows import ComparisonLink
from trueup.storage.comparison_reports import ComparisonLog, ListedComparison
from trueup.storage.prunings import REPORT
from trueup.storage.report_kind import ReportKind

_SHOWN = 100  # the newest of a stream, that have a page


def comparisons_of(app: App, stream: str) -> list[ListedComparison]:
    """Those that have a page, newest first."""
    pruned = {pruning.name for pruning in app.prunings.of(stream, REPORT)}
    newest, _ = ComparisonLog(app.database).page(_SHOWN, stream=stream)
    return [one for one in newest if one.report_id not in pruned]


def comparison_links(app: App, stream: str, page: str, kind: ReportKind | None = None) -> dict[str, ComparisonLink]:
    """Links from a page to each, by the id of its report."""
    return {
        one.report_id: ComparisonLink(
            words=one.title.removeprefix(f"{stream}: "), href=href(page, page_of_comparison(stream, one.report_id)),
            as_of=one.as_of, made_at=one.made_at,
        )
        for one in comparisons_of(app, stream) if kind in (None, one.kind)
    }  # fmt: skip
