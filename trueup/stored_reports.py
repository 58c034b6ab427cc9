"""The stored Evidently reports: listing, reading, comparing, opening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.monitoring.check import Check
from trueup.storage.errors import InputError
from trueup.storage.tabular import Document, Listing, Tabular
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

    from trueup.flows.app import App
    from trueup.reports.comparing import Change


@dataclass(frozen=True, kw_only=True)
class StoredReport(Tabular):
    """A stored report. as_of: the time it speaks of. version: the champion. counted: whether it moves anything."""

    report_id: str
    stream: str
    as_of: datetime
    version: int
    counted: bool
    breached: tuple[str, ...]
    path: Path | None
    check: Check = field(repr=False)
    made_at: datetime = field(repr=False)
    _app: App = field(repr=False, compare=False)

    def evidently(self) -> Snapshot:
        """Evidently's own snapshot.

        Raises:
            InputError: its files were pruned.
            StoreUnusable: its file is damaged.
        """
        return self._app.report_files.load_snapshot(self.stream, self.report_id)

    def html(self) -> bytes:
        """The page: trueup's verdicts above Evidently's plots.

        Raises: as `evidently`.
        """
        return self._app.report_files.load_page(self.stream, self.report_id)

    def export(self, folder: str | Path) -> tuple[Path, Path]:
        """Write page and snapshot into a folder; where they are."""
        return self._app.report_files.export(self.stream, self.report_id, Path(folder))

    def open(self, *, browser: bool = True) -> tuple[Path, bool]:
        """Write the page to a temporary folder and open it in a browser; the file, and whether a browser took it."""
        import tempfile
        import webbrowser

        page, _ = self.export(tempfile.mkdtemp(prefix="trueup-report-"))
        return page, browser and webbrowser.open(page.as_uri())


@dataclass(frozen=True)
class ReportComparison(Tabular):
    """Two reports of one stream. As a table, each signal before and after."""

    before: StoredReport
    after: StoredReport
    changes: tuple[Change, ...]

    @property
    def turned(self) -> tuple[str, ...]:
        """The codes whose verdict is another one."""
        return tuple(change.code for change in self.changes if change.turned)

    def caption(self) -> str:
        return f"{iso(self.before.as_of)} and {iso(self.after.as_of)}: other verdicts for {len(self.turned)} signals"

    def records(self) -> Sequence[Document]:
        return [asdict(change) for change in self.changes]

    def as_json(self) -> Document:
        pair = (self.before, self.after)
        return {
            "reports": [
                {"stream": r.stream, "as_of": r.as_of, "version": r.version, **r.check.as_json()} for r in pair
            ],
            "changes": self.changes,
        }


@dataclass(frozen=True)
class Reports:
    """The stored reports of a stream, or of all where `stream` is None."""

    _app: App
    stream: str | None

    def list(self, limit: int = 50) -> Listing[StoredReport]:
        """The stored reports, newest first."""
        if self.stream:
            self._app.stream(self.stream)
        return Listing(self._of(row) for row in self._app.cycles.reports(self.stream, limit=limit))

    def latest(self) -> StoredReport:
        """The newest report.

        Raises:
            InputError: there is none yet.
        """
        found = self.list(limit=1)
        if not found:
            of = f" of '{self.stream}'" if self.stream else ""
            raise InputError(f"No report{of} is stored yet. A check makes one: trueup check")
        return found[0]

    def show(self, report_id: str) -> StoredReport:
        """The report whose id is this, or begins so.

        Raises:
            InputError: there is none, or more than one.
        """
        found = self._app.cycles.report(report_id)
        if found is None:
            raise InputError(f"No single report's id begins with '{report_id}'. `trueup reports list` names them.")
        return self._of(found)

    def compare(self, first: str, second: str) -> ReportComparison:
        """Two reports of one stream side by side, the earlier first.

        Raises:
            InputError: one of them is not there, or they are of two streams.
        """
        from trueup.reports.comparing import compared

        pair = self.show(first), self.show(second)
        before, after = sorted(pair, key=lambda report: (report.as_of, report.made_at))
        if before.stream != after.stream:
            raise InputError(
                f"Report {before.report_id} is of stream '{before.stream}' and {after.report_id} of '{after.stream}': "
                "their signals measure different things. Name two of one stream; `trueup reports list -s STREAM`."
            )
        return ReportComparison(before, after, tuple(compared(before.check.signals, after.check.signals)))

    def open(self, report_id: str, *, browser: bool = True) -> tuple[Path, bool]:
        """Open a report's page in a browser; the file, and whether a browser took it."""
        return self.show(report_id).open(browser=browser)

    def export(self, report_id: str, folder: str | Path) -> tuple[Path, Path]:
        """Write a report's page and Evidently snapshot into a folder; where they are."""
        return self.show(report_id).export(folder)

    def _of(self, row: Mapping[str, Any]) -> StoredReport:
        check = Check.from_json(row["document"])
        return StoredReport(
            report_id=row["id"],
            stream=row["stream"],
            as_of=row["as_of"],
            version=row["version"],
            counted=bool(row["counted"]),
            breached=tuple(signal.code for signal in check.breached),
            path=self._app.report_files.page_path(row["stream"], row["id"]),
            check=check,
            made_at=row["made_at"],
            _app=self._app,
        )
