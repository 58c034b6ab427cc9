"""Each live page made from the store: the page, and the CSV of each of its pictures beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from trueup.flows.app import App
from trueup.flows.check.page_facts import check_facts
from trueup.flows.check.stored_page import plots_page
from trueup.flows.site.facts.glance import overview_facts
from trueup.flows.site.facts.incident import incident_facts
from trueup.flows.site.facts.models import models_facts
from trueup.flows.site.facts.month import month_facts
from trueup.flows.site.facts.quarantine import quarantine_facts
from trueup.flows.site.facts.stream import stream_facts
from trueup.flows.site.layout import (
    OVERVIEW,
    csv_of,
    evidently_asset,
    href,
    page_of_check,
    page_of_incident,
    page_of_models,
    page_of_month,
    page_of_quarantine,
    page_of_stream,
    page_of_trying,
    plots_of_check,
)
from trueup.monitoring.report.evidently_frame import evidently_version
from trueup.reports.masking import mask_of, masks_at
from trueup.reports.pages.check_page import EvidentlyPlots, check_drawings, check_page
from trueup.reports.pages.incident_page import incident_drawings, incident_page
from trueup.reports.pages.models_page import models_page
from trueup.reports.pages.month_page import month_drawings, month_page
from trueup.reports.pages.overview_page import overview_drawings, overview_page
from trueup.reports.pages.quarantine_page import quarantine_page
from trueup.reports.pages.stream_page import stream_drawings, stream_page
from trueup.reports.pictures.drawing import Drawing
from trueup.storage.check_courses import CheckCourses
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.stream import StreamSettings

LiveFiles = Mapping[str, bytes]


class LivePages:
    """Makes the pages of a deployment; they are looked at on this machine, so personal data is masked on demand only.

    Each method gives a page with what lies beside it, by name, and nothing where the store has no such thing.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._masks = masks_at(app.settings.site.mask, "")
        self._mask = mask_of(self._masks)

    def overview(self) -> LiveFiles:
        streams = self._app.settings.streams.values()
        facts = overview_facts(self._app, tries={s.name: page_of_trying(s.name) for s in streams if s.predicts})
        drawings = overview_drawings(facts)
        return _beside(OVERVIEW, overview_page(facts, drawings), drawings)

    def stream(self, stream: StreamSettings) -> LiveFiles:
        page = page_of_stream(stream.name)
        tried = href(page, page_of_trying(stream.name)) if stream.predicts else ""
        facts = stream_facts(self._app, stream, mask=self._mask, try_href=tried)
        drawings = stream_drawings(facts)
        return _beside(page, stream_page(facts, drawings), drawings)

    def month(self, stream: StreamSettings, month: date) -> LiveFiles:
        if month not in [known.month for known in CheckCourses(self._app.database).months(stream.name)]:
            return {}
        facts = month_facts(self._app, stream, month)
        drawings = month_drawings(facts)
        return _beside(page_of_month(stream.name, month), month_page(facts, drawings), drawings)

    def incident(self, stream: StreamSettings, incident_id: str) -> LiveFiles:
        facts = incident_facts(self._app, stream, incident_id, mask=self._mask)
        drawings = incident_drawings(facts)
        return _beside(page_of_incident(stream.name, incident_id), incident_page(facts, drawings), drawings)

    def models(self, stream: StreamSettings) -> LiveFiles:
        return {page_of_models(stream.name): models_page(models_facts(self._app, stream, mask=self._mask))}

    def quarantine(self, stream: StreamSettings) -> LiveFiles:
        return {
            page_of_quarantine(stream.name): quarantine_page(quarantine_facts(self._app, stream, mask=self._mask))
        }

    def check(self, stream: StreamSettings, report_id: str) -> LiveFiles:
        page, name = page_of_check(stream.name, report_id), stream.name
        facts = check_facts(
            self._app,
            report_id,
            plots=self._plots(name, report_id, href(page, plots_of_check(name, report_id))),
            mask=self._masks,
            crumbs=((name, href(page, page_of_stream(name))),),
            root=href(page, OVERVIEW),
            csv_stem=page.rpartition("/")[2].removesuffix(".html"),
            href_of=lambda other: href(page, page_of_check(name, other)),
        )
        return _beside(page, check_page(facts), check_drawings(facts)) if facts.stream == name else {}

    def plots(self, stream: StreamSettings, report_id: str) -> LiveFiles:
        page = plots_of_check(stream.name, report_id)
        script = href(page, evidently_asset(evidently_version()))
        return {page: plots_page(self._app, stream.name, report_id, script=script, mask=self._masks)}


    def _plots(self, stream: str, report_id: str, address: str) -> EvidentlyPlots:
        """Where the plots are; why there are none, where they were pruned, damaged or never made."""
        try:
            self._app.report_files.snapshot_text(stream, report_id)
        except (InputError, StoreUnusable) as error:
            return EvidentlyPlots(why_not=str(error))
        return EvidentlyPlots(href=address, shares_origin=False)


def _beside(page: str, content: bytes, drawings: Sequence[Drawing]) -> LiveFiles:
    return {page: content, **{csv_of(page, drawing.name): drawing.csv() for drawing in drawings if drawing.rows}}
