"""Pages and files of a stored comparison, made when they are asked for."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from trueup.flows.app import App
from trueup.flows.check.stored_page import plots_inside
from trueup.reports.comparison_facts import ComparisonFacts
from trueup.storage.comparison_reports import ComparisonLog
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.timepoints import to_minute


def comparison_facts_of(app: App, report_id: str) -> ComparisonFacts:
    """What a comparison found, as the store keeps it.

    Raises:
        StoreUnusable: what the store holds of it is damaged.
    """
    try:
        return ComparisonFacts.from_json(ComparisonLog(app.database).document(report_id))
    except (ValueError, KeyError, TypeError) as error:
        raise StoreUnusable(
            f"What the store holds of report '{report_id}' cannot be read ({type(error).__name__}). Other "
            "reports are not affected. Restore the store from its backup to have the figures again."
        ) from error


def comparison_page_of(
    app: App, stream: str, report_id: str, as_of: datetime, facts: ComparisonFacts, *, mask: bool
) -> bytes:
    """The page as one file; where Evidently's plots were pruned, or cannot be read, it says so.

    mask: whether personal data is masked in the plots; `facts` are shown as they are given.
    """
    from trueup.reports.pages.comparison_page import comparison_page
    from trueup.reports.pages.frame import PageFrame

    frame = PageFrame(title=facts.title, made=f"as report {report_id} ({to_minute(as_of)})")
    return comparison_page(facts, frame, plots_inside(app, stream, report_id, mask=mask))


def export_comparison(folder: Path, report_id: str, page: bytes, facts: ComparisonFacts) -> tuple[Path, Path]:
    """Write the page and the figures, as JSON, into a folder made at need; their paths.

    Raises:
        InputError: the folder cannot be written.
    """
    html, figures = folder / f"{report_id}.html", folder / f"{report_id}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        html.write_bytes(page)
        figures.write_text(json.dumps(facts.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"Report '{report_id}' cannot be written to '{folder}': {error.strerror}. The stored report is untouched; "
            "name a folder that can be written."
        ) from error
    return html, figures
