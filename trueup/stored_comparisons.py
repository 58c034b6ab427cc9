"""The stored reports that compare: models at a gate, periods of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.monitoring.check import Check
from trueup.storage.comparison_reports import ListedComparison
from trueup.storage.errors import InputError
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
        from trueup.flows.check.comparison_pages import comparison_facts_of

        return comparison_facts_of(self._app, self.report_id)

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

    def html(self, *, mask: bool | None = None) -> bytes:
        """The page: the news, tables and pictures, then Evidently's plots where they can be read.

        mask: whether personal data is masked; None: only where `[site] mask` is "always".
        """
        from trueup.flows.check.comparison_pages import comparison_page_of

        masks = self._masks(mask)
        facts = self._shown(masks)
        return comparison_page_of(self._app, self.stream, self.report_id, self.as_of, facts, mask=masks)

    def export(self, folder: str | Path, *, mask: bool | None = None) -> tuple[Path, Path]:
        """Write the page and the comparison, as JSON, into a folder; where they are. mask: as in `html`."""
        from trueup.flows.check.comparison_pages import export_comparison

        shown = self._shown(self._masks(mask))
        return export_comparison(Path(folder), self.report_id, self.html(mask=mask), shown)

    def _shown(self, masks: bool) -> ComparisonFacts:
        from trueup.reports.masking import mask_of

        return self.comparison.shown_through(mask_of(masks)) if masks else self.comparison

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
