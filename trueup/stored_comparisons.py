"""The stored reports that compare: models at a gate, periods of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.monitoring.check import Check
from trueup.storage.comparison_reports import ComparisonLog, ListedComparison
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.tabular import Document
from trueup.stored_reports import StoredReport

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.reports.comparison_facts import ComparisonFacts


@dataclass(frozen=True, kw_only=True)
class StoredComparison(StoredReport):
    """A stored comparison. kind: models or periods. title: what is compared. version: the newest model of it.

    As a table, and in a notebook, its figures.
    """

    title: str

    @property
    def in_words(self) -> str:
        """What a list says of it: what is compared."""
        return self.title.removeprefix(f"{self.stream}: ")

    @cached_property
    def comparison(self) -> ComparisonFacts:
        """What it found.

        Raises:
            StoreUnusable: what the store holds of it is damaged.
        """
        from trueup.reports.comparison_facts import ComparisonFacts

        try:
            return ComparisonFacts.from_json(ComparisonLog(self._app.database).document(self.report_id))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnusable(
                f"What the store holds of report '{self.report_id}' cannot be read ({type(error).__name__}). Other "
                "reports are not affected. Restore the store from its backup to have the figures again."
            ) from error

    @property
    def check(self) -> Check:
        """There is none.

        Raises:
            InputError: always; a comparison judges no signals.
        """
        raise InputError(
            f"Report '{self.report_id}' compares {self.kind} and has no signals. Its figures: "
            f"trueup reports show {self.report_id}"
        )

    def html(self) -> bytes:
        """The page: the news, tables and pictures, then Evidently's plots where they can be read."""
        from trueup.flows.check.comparison_pages import comparison_page_of

        return comparison_page_of(self._app, self.stream, self.report_id, self.as_of, self.comparison)

    def export(self, folder: str | Path) -> tuple[Path, Path]:
        """Write the page and the comparison, as JSON, into a folder; where they are."""
        from trueup.flows.check.comparison_pages import export_comparison

        return export_comparison(Path(folder), self.report_id, self.html(), self.comparison)

    def records(self) -> Sequence[Document]:
        return self.comparison.records()

    def caption(self) -> str:
        return self.comparison.caption()

    def _repr_html_(self) -> str:
        from trueup.reports.comparison_facts import notebook_view

        return notebook_view(self.comparison)


def stored_comparison(app: App, listed: ListedComparison) -> StoredComparison:
    """A comparison of the store, with what a list shows of it."""
    return StoredComparison(
        report_id=listed.report_id,
        stream=listed.stream,
        as_of=listed.as_of,
        version=listed.version,
        counted=False,
        verdict=None,
        breached=(),
        path=None,
        kind=listed.kind,
        title=listed.title,
        made_at=listed.made_at,
        _app=app,
    )
