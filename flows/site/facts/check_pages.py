"""Links from a page of the site to the pages of checks."""

from __future__ import annotations

from trueup.flows.app import App
from trueup.flows.site.layout import href, page_of_check
from trueup.storage.prunings import REPORT


class CheckPages:
    """Links from one page to those of a stream's checks; a check whose report was removed has none."""

    def __init__(self, app: App, stream: str, page: str) -> None:
        self._stream, self._page = stream, page
        self._removed = {pruning.name for pruning in app.prunings.of(stream, REPORT)}

    def href(self, report_id: str) -> str:
        """The relative address of a check's page; empty: there is none."""
        return "" if report_id in self._removed else href(self._page, page_of_check(self._stream, report_id))
