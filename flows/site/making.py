"""Each page of the site made from the store: its file, and the CSV of each of its pictures beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from trueup.flows.app import App
from trueup.flows.site.layout import (
    OVERVIEW,
    csv_of,
    evidently_asset,
    href,
    page_of_check,
    page_of_comparison,
    page_of_incident,
    page_of_models,
    page_of_month,
    page_of_quarantine,
    page_of_stream,
    page_of_trying,
    plots_of_check,
    plots_of_comparison,
)
from trueup.reports.masking import Mask, mask_of
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.check_lists import CheckTime
from trueup.storage.comparison_reports import ListedComparison
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.short_ids import short_id
from trueup.storage.signal_rows import SignalRow
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from trueup.reports.pages.check_page import EvidentlyPlots

PageFiles = Mapping[str, bytes]
_SENTENCE = 4_000  # characters of a signal's sentence


@dataclass(frozen=True)
class PageMaker:
    """Makes the pages of a deployment.

    mask: whether personal data is masked in what outsiders wrote. served: whether `trueup serve` shows them: they link
    to the pages that answer a typed record, and Evidently's plots need no origin in their frame.
    """

    app: App
    mask: bool
    served: bool = False

    @property
    def shown(self) -> Mask:
        """What a text of an outsider is shown through."""
        return mask_of(self.mask)

    def overview(self) -> PageFiles:
        from trueup.flows.site.facts.glance import overview_facts
        from trueup.reports.pages.overview_page import overview_drawings, overview_page

        tries = {name: page_of_trying(name) for name, s in self.app.settings.streams.items() if s.predicts}
        facts = overview_facts(self.app, tries=tries if self.served else None)
        drawings = overview_drawings(facts)
        return _beside(OVERVIEW, overview_page(facts, drawings), drawings)

    def stream(self, stream: StreamSettings) -> PageFiles:
        from trueup.flows.site.facts.stream import stream_facts
        from trueup.reports.pages.stream_page import stream_drawings, stream_page

        page = page_of_stream(stream.name)
        tried = href(page, page_of_trying(stream.name)) if self.served and stream.predicts else ""
        facts = stream_facts(self.app, stream, mask=self.shown, try_href=tried)
        drawings = stream_drawings(facts)
        return _beside(page, stream_page(facts, drawings), drawings)

    def month(self, stream: StreamSettings, month: date) -> PageFiles:
        from trueup.flows.site.facts.month import month_facts
        from trueup.reports.pages.month_page import month_drawings, month_page

        facts = month_facts(self.app, stream, month)
        drawings = month_drawings(facts)
        return _beside(page_of_month(stream.name, month), month_page(facts, drawings), drawings)

    def check(self, stream: StreamSettings, report_id: str, pages: Callable[[str, str], str]) -> PageFiles:
        """The page of a check with its course and pictures, and Evidently's plots as a page of their own.

        pages: the relative link from a page to a check's, by the page and the check's id; empty: it has none.
        """
        from trueup.flows.check.page_facts import check_facts
        from trueup.reports.pages.check_page import check_drawings, check_page

        page = page_of_check(stream.name, report_id)
        files, plots = self._plots(stream, report_id, page, plots_of_check(stream.name, report_id))
        facts = check_facts(
            self.app, report_id, plots=plots, mask=self.mask, crumbs=self._crumbs(stream, page),
            root=href(page, OVERVIEW), csv_stem=_csv_stem(page), href_of=partial(pages, page),
        )  # fmt: skip
        drawings = check_drawings(facts)
        return {**files, **_beside(page, check_page(facts, drawings), drawings)}

    def comparison(self, stream: StreamSettings, listed: ListedComparison) -> PageFiles:
        """The page of models or periods against each other, and Evidently's plots as a page of their own."""
        from trueup.flows.check.comparison_pages import comparison_facts_of
        from trueup.reports.pages.comparison_page import comparison_page
        from trueup.reports.pages.frame import PageFrame

        page, report_id = page_of_comparison(stream.name, listed.report_id), listed.report_id
        files, plots = self._plots(stream, report_id, page, plots_of_comparison(stream.name, report_id))
        facts = comparison_facts_of(self.app, report_id).shown_through(self.shown)
        frame = PageFrame(
            facts.title.removeprefix(f"{stream.name}: "), self._crumbs(stream, page), href(page, OVERVIEW),
            made=f"as report {report_id} ({to_minute(listed.as_of)})",
        )  # fmt: skip
        drawings = facts.drawings()
        made = comparison_page(facts, frame, plots, drawings, csv_stem=_csv_stem(page))
        return {**files, **_beside(page, made, drawings)}

    def unreadable(self, stream: StreamSettings, page: str, why: str) -> PageFiles:
        """A page that says why it shows nothing."""
        from trueup.reports.pages.frame import PageFrame, page_part, whole_page

        title = "This page cannot be shown"
        body = page_part("message.html", title=title, words=why, root=href(page, OVERVIEW))
        return {page: whole_page(PageFrame(title, self._crumbs(stream, page), href(page, OVERVIEW)), body)}

    def _plots(
        self, stream: StreamSettings, report_id: str, page: str, plots_at: str
    ) -> tuple[PageFiles, EvidentlyPlots]:
        """Evidently's plots of a report for the page beside it, or why it has none."""
        from trueup.flows.check.stored_page import plots_page
        from trueup.monitoring.report.evidently_frame import evidently_version
        from trueup.reports.pages.check_page import EvidentlyPlots

        try:
            script = href(plots_at, evidently_asset(evidently_version()))
            made = plots_page(self.app, stream.name, report_id, script=script, mask=self.mask)
        except (InputError, StoreUnusable) as error:
            return {}, EvidentlyPlots(why_not=str(error))
        return {plots_at: made}, EvidentlyPlots(href=href(page, plots_at), shares_origin=not self.served)

    def figures(self, stream: StreamSettings, check: CheckTime, signals: Sequence[SignalRow]) -> PageFiles:
        """The page of an old check: its signals as they are stored, and the command for all else."""
        from trueup.reports.pages.figures_page import FiguresFacts, SignalLine, figures_page
        from trueup.reports.pages.frame import PageFrame

        page = page_of_check(stream.name, check.report_id)
        frame = PageFrame(f"Check of {to_minute(check.as_of)}", self._crumbs(stream, page), href(page, OVERVIEW))
        lines = tuple(
            SignalLine(
                code=s.code, verdict=s.verdict, said=self.shown(s.said, _SENTENCE), value=s.value,
                p_value=s.p_value, threshold=s.threshold,
            )
            for s in signals
        )  # fmt: skip
        facts = FiguresFacts(
            frame=frame, stream=stream.name, report_id=check.report_id, as_of=check.as_of,
            champion=check.version if stream.predicts else 0, counted=check.counted, signals=lines,
            command=f"trueup reports open {short_id(check.report_id)}",
        )  # fmt: skip
        return {page: figures_page(facts)}

    def incident(self, stream: StreamSettings, incident_id: str) -> PageFiles:
        from trueup.flows.site.facts.incident import incident_facts
        from trueup.reports.pages.incident_page import incident_drawings, incident_page

        facts = incident_facts(self.app, stream, incident_id, mask=self.shown)
        drawings = incident_drawings(facts)
        return _beside(page_of_incident(stream.name, incident_id), incident_page(facts, drawings), drawings)

    def models(self, stream: StreamSettings) -> PageFiles:
        from trueup.flows.site.facts.models import models_facts
        from trueup.reports.pages.models_page import models_page

        return {page_of_models(stream.name): models_page(models_facts(self.app, stream, mask=self.shown))}

    def quarantine(self, stream: StreamSettings) -> PageFiles:
        from trueup.flows.site.facts.quarantine import quarantine_facts
        from trueup.reports.pages.quarantine_page import quarantine_page

        return {page_of_quarantine(stream.name): quarantine_page(quarantine_facts(self.app, stream, mask=self.shown))}

    def evidently_script(self) -> PageFiles:
        """The one script that all plots of Evidently share."""
        from trueup.monitoring.report.evidently_frame import evidently_script, evidently_version

        return {evidently_asset(evidently_version()): evidently_script().encode()}

    def _crumbs(self, stream: StreamSettings, page: str) -> tuple[tuple[str, str], ...]:
        return ((stream.name, href(page, page_of_stream(stream.name))),)


def _beside(page: str, html: bytes, drawings: Sequence[Drawing]) -> PageFiles:
    return {page: html, **{csv_of(page, drawing.name): drawing.csv() for drawing in drawings if drawing.rows}}


def _csv_stem(page: str) -> str:
    """What the names of a page's CSV files begin with."""
    return page.rpartition("/")[2].removesuffix(".html")
