"""The states of a stream's data, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import InputError
from trueup.storage.tabular import Document, Tabular

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.monitoring.data_difference import DataDifference
    from trueup.reports.comparison_facts import ComparisonFacts
    from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class DataComparison(Tabular):
    """What differs between two states of the data. facts: the same as pages and tables show it.

    As a table, and in a notebook, its counts of rows; `facts.tables` has the others.
    """

    difference: DataDifference
    facts: ComparisonFacts

    def caption(self) -> str:
        return self.facts.caption()

    def records(self) -> Sequence[Mapping[str, Any]]:
        return self.facts.records()

    def as_json(self) -> Document:
        """The document that the command prints with --json."""
        return self.difference.as_json()

    def html(self) -> bytes:
        """The page as one file, UTF-8."""
        from trueup.reports.pages.comparison_page import comparison_page
        from trueup.reports.pages.frame import PageFrame

        return comparison_page(self.facts, PageFrame(title=self.facts.title))

    def write(self, file: str | Path) -> Path:
        """Write the page to a file.

        Raises:
            InputError: it cannot be written there.
        """
        place = Path(file)
        try:
            place.write_bytes(self.html())
        except OSError as error:
            raise InputError(
                f"The page cannot be written to '{place}': {error.strerror}. Name another file."
            ) from error
        return place


@dataclass(frozen=True)
class Data:
    """The data of a stream, in the states that it had."""

    _app: App
    _settings: StreamSettings

    def diff(self, first: str, second: str, *, mask: bool = False) -> DataComparison:
        """What differs between two states: rows that came and went, columns, classes, words.

        Args:
            first, second: a version (`v3`) or the hash of a snapshot, which stand for the rows that a version was made
                of; or a period: a week (`2024-W23`), a month (`2024-05`), a span (`2024-05-01..2024-05-14`).
            mask: whether personal data is masked in the words and levels that are named.

        Raises:
            UsageError: what is no period. InputError: there is no such version or snapshot, or no record in a period.
            StoreUnusable: a snapshot was pruned, or is damaged.
        """
        from trueup.flows.check.data_versions import difference_of, facts_of_difference
        from trueup.reports.masking import mask_of

        found = difference_of(self._app, self._settings, first, second)
        return DataComparison(found, facts_of_difference(self._settings, found, mask_of(mask)))
