"""One check written as one file, for a private place such as a mail or a ticket."""

from __future__ import annotations

from pathlib import Path

from trueup.flows.app import App
from trueup.reports.masking import masks_at
from trueup.storage.check_lists import CheckFilter
from trueup.storage.errors import InputError
from trueup.storage.short_ids import NEWEST, the_one


def write_check(app: App, report_id: str, to: Path, *, mask: bool | None) -> Path:
    """Write a check's page with all that it needs; the file.

    report_id: an id, the beginning of one, or "last". mask: None: only where `[site] mask` is "always".

    Raises:
        InputError: there is no such report, or the file cannot be written.
        StoreUnusable: what is stored of it is damaged.
    """
    from trueup.flows.check.stored_page import single_page

    whole = None if report_id == NEWEST else the_one(
        report_id, app.checks.beginning(report_id), of="report", listed="trueup reports list"
    )  # fmt: skip
    found, _ = app.checks.page(CheckFilter(report_id=whole), 1)
    if not found:
        raise InputError("No report is stored yet. A check makes one: trueup check")
    masked = masks_at(app.settings.site.mask, "") if mask is None else mask
    page = single_page(app, found[0].stream, found[0].report_id, mask=masked)
    try:
        to.write_bytes(page)
    except OSError as error:
        raise InputError(
            f"'{to}' cannot be written ({error.strerror}). The stored report is untouched; name a file in a folder "
            "that is there."
        ) from error
    return to
