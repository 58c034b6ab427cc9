"""The page of a check as one file, made on demand from what is stored: for a browser, a mail, a notebook, an export."""

from __future__ import annotations

from functools import partial

from trueup.flows.app import App
from trueup.flows.check.page_facts import check_facts
from trueup.monitoring.report.evidently_frame import evidently_frame
from trueup.reports.masking import masked
from trueup.reports.pages.check_page import EvidentlyPlots, check_page
from trueup.storage.errors import InputError, StoreUnusable

_LONGEST = 4_000  # characters of a text that Evidently's plots show


def single_page(app: App, stream: str, report_id: str, *, mask: bool = False) -> bytes:
    """The page, self-contained, UTF-8; the same bytes each time.

    What is missing or damaged costs only itself: where neither figures nor plots can be read, a page that an older
    release stored is given.

    Raises:
        InputError: there is no such report. StoreUnusable: nothing of it can be read.
    """
    plots = plots_inside(app, stream, report_id, mask=mask)
    if not plots.inside and (stored := _page_of_before(app, stream, report_id)):
        return stored
    try:
        return check_page(check_facts(app, report_id, plots=plots, mask=mask))
    except StoreUnusable:
        if plots.inside:
            return plots.inside
        raise


def plots_inside(app: App, stream: str, report_id: str, *, mask: bool = False) -> EvidentlyPlots:
    """Evidently's plots for a page that holds them itself; why there are none, where there are none."""
    try:
        return EvidentlyPlots(inside=plots_page(app, stream, report_id, script=None, mask=mask))
    except (InputError, StoreUnusable) as error:
        return EvidentlyPlots(why_not=str(error))


def plots_page(app: App, stream: str, report_id: str, *, script: str | None, mask: bool) -> bytes:
    """Evidently's plots of a check as a page of their own. script: as `evidently_frame` takes it.

    Raises:
        InputError: they were pruned, or there never were any. StoreUnusable: they are damaged.
    """
    text = app.report_files.snapshot_text(stream, report_id)
    shown = partial(masked, length=_LONGEST) if mask else None
    try:
        return evidently_frame(text, script=script, shown=shown)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreUnusable(
            f"Evidently's plots of report '{report_id}' cannot be read ({type(error).__name__}): they were probably "
            "written by another version. The check's figures are not affected."
        ) from error


def _page_of_before(app: App, stream: str, report_id: str) -> bytes | None:
    try:
        return app.report_files.page_of_before(stream, report_id)
    except StoreUnusable:
        return None
