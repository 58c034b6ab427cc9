"""The stored Evidently reports: listing, reading, comparing, opening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.monitoring.check import Check, Verdict
from trueup.storage.comparison_reports import ComparisonLog
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.report_kind import ReportKind
from trueup.storage.tabular import Document, Listing, Page, Tabular
from trueup.storage.timepoints import parse_since, to_minute

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

    from trueup.flows.app import App
    from trueup.monitoring.report.workspace.folder import ProjectExport
    from trueup.reports.comparing import Change
    from trueup.storage.check_lists import ListedCheck
    from trueup.stored_comparisons import StoredComparison


@dataclass(frozen=True, kw_only=True)
class StoredReport(Tabular):
    """A stored report. as_of: the time it speaks of. version: the champion. counted: whether it moves anything.

    verdict: breached, where some signal is; insufficient, where none could be judged; None for a comparison, which
    judges no signal. breached: the codes that did. kind: check, models or periods.
    path: where its Evidently snapshot lies on this machine, compressed; None: elsewhere.
    """

    report_id: str
    stream: str
    as_of: datetime
    version: int
    counted: bool
    verdict: Verdict | None
    breached: tuple[str, ...]
    path: Path | None
    kind: ReportKind = ReportKind.CHECK
    made_at: datetime = field(repr=False)
    _app: App = field(repr=False, compare=False)

    @property
    def in_words(self) -> str:
        """What a list says of it: the codes that breached."""
        return ", ".join(self.breached)

    @cached_property
    def check(self) -> Check:
        """The check itself, with all its signals; read when it is first asked for.

        Raises:
            StoreUnusable: what the store holds of it is damaged.
        """
        try:
            row = self._app.cycles.report(self.report_id)
            assert row is not None  # checks are never deleted
            return Check.from_json(row["document"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreUnusable(
                f"What the store holds of report '{self.report_id}' cannot be read ({type(error).__name__}). Other "
                "reports are not affected, and neither is its page: trueup reports open "
                f"{self.report_id}. Restore the store from its backup to have the figures again."
            ) from error

    def evidently(self) -> Snapshot:
        """Evidently's own snapshot.

        Raises:
            InputError: its files were pruned.
            StoreUnusable: its file is damaged.
        """
        return self._app.report_files.load_snapshot(self.stream, self.report_id)

    def html(self, *, mask: bool | None = None) -> bytes:
        """The page as one file: what the check found in words and pictures, then Evidently's plots.

        mask: whether personal data is masked; None: only where `[site] mask` is "always".

        Raises:
            StoreUnusable: nothing of the report can be read.
        """
        from trueup.flows.check.stored_page import single_page

        return single_page(self._app, self.stream, self.report_id, mask=self._masks(mask))

    def _masks(self, mask: bool | None) -> bool:
        from trueup.reports.masking import masks_at

        return masks_at(self._app.settings.site.mask, "") if mask is None else mask

    def _repr_html_(self) -> str:
        """The page within a notebook."""
        from html import escape

        return (
            f'<iframe title="Report {self.report_id}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:900px;border:0" srcdoc="{escape(self.html().decode())}"></iframe>'
        )

    def export(self, folder: str | Path, *, mask: bool | None = None) -> tuple[Path, Path]:
        """Write page and snapshot into a folder; where they are. mask: of the page, as in `html`."""
        page = partial(self.html, mask=mask)
        return self._app.report_files.export(self.stream, self.report_id, Path(folder), page)

    def open(self, *, browser: bool = True, mask: bool | None = None) -> tuple[Path, bool]:
        """Write the page to a temporary folder and open it in a browser; the file, and whether a browser took it.

        mask: as in `html`.
        """
        import tempfile
        import webbrowser

        page = Path(tempfile.mkdtemp(prefix="trueup-report-")) / f"{self.report_id}.html"
        page.write_bytes(self.html(mask=mask))
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
        pair = f"{to_minute(self.before.as_of)} and {to_minute(self.after.as_of)}"
        return f"{pair}: other verdicts for {len(self.turned)} signals"

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

    def list(
        self, limit: int | None = 50, *, since: str | None = None, verdict: Verdict | str | None = None,
        code: str | None = None, kind: ReportKind | str | None = None,
    ) -> Page[StoredReport]:
        """The newest stored reports, newest first, of one time the check first; `total` says how many there are.

        Args:
            limit: how many at most; None: all.
            since: from when, of the time a report speaks of: a span back from now ("7d") or a time.
            verdict: "breached": some signal is; "ok": none is; "insufficient": none could be judged.
            code: reports in which this signal breached, or has the verdict.
            kind: "check", "models" (a challenger against the champion at its gate) or "periods"; a verdict or a code
                asks for checks.

        Raises:
            UsageError: `since` cannot be read.
        """
        from trueup.storage.check_lists import CheckFilter

        if self.stream:
            self._app.stream(self.stream)
        asked = CheckFilter(
            stream=self.stream, since=parse_since(since, now=self._app.now()),
            verdict=None if verdict is None else str(Verdict(verdict)), code=code,
        )  # fmt: skip
        wanted = ReportKind(kind) if kind is not None else ReportKind.CHECK if verdict or code else None
        found: list[StoredReport] = []
        total = 0
        if wanted in (None, ReportKind.CHECK):
            rows, total = self._app.checks.page(asked, limit)
            found = [self._of(row) for row in rows]
        if wanted is not ReportKind.CHECK:
            from trueup.stored_comparisons import stored_comparison

            log = ComparisonLog(self._app.database)
            others, more = log.page(limit, stream=self.stream, kind=wanted, since=asked.since)
            found += [stored_comparison(self._app, listed) for listed in others]
            total += more
        newest = sorted(found, key=lambda r: (r.as_of, r.kind is ReportKind.CHECK, r.made_at), reverse=True)
        return Page(newest[:limit], total)

    def latest(self) -> StoredReport:
        """The newest report of a check.

        Raises:
            InputError: there is none yet.
        """
        found = self.list(limit=1, kind=ReportKind.CHECK)
        if not found:
            of = f" of '{self.stream}'" if self.stream else ""
            raise InputError(f"No report{of} is stored yet. A check makes one: trueup check")
        return found[0]

    def show(self, report_id: str) -> StoredReport:
        """The report whose id is this, or the only one that begins so; "last": that of the newest check.

        Raises:
            InputError: there is none, or more than one.
        """
        from trueup.storage.check_lists import CheckFilter
        from trueup.storage.short_ids import NEWEST, the_one

        if report_id == NEWEST:
            return self.latest()
        comparisons = ComparisonLog(self._app.database)
        begin = [
            *self._app.checks.beginning(report_id, self.stream),
            *comparisons.beginning(report_id, self.stream),
        ]
        whole = the_one(report_id, begin, of="report", listed="trueup reports list")
        if listed := comparisons.find(whole):
            from trueup.stored_comparisons import stored_comparison

            return stored_comparison(self._app, listed)
        (found,), _ = self._app.checks.page(CheckFilter(report_id=whole), 1)
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

    def compare_periods(self, *periods: str, versions: Sequence[int] = ()) -> StoredComparison:
        """Two or more periods of the stream against each other, stored as a report of its own.

        Args:
            periods: weeks (`2024-W23`), months (`2024-05`) or spans (`2024-05-01..2024-05-14`), in UTC.
            versions: the models that answer; left out, the champion. Each is judged on records newer than its training
                data alone.

        Raises:
            UsageError: what is no period. InputError: a period without records, or no such version.
            ModelUnusable: a model cannot be loaded.
        """
        from trueup.flows.check.period_comparison import compare_periods
        from trueup.storage.named_periods import parse_period
        from trueup.stored_comparisons import stored_comparison

        if self.stream is None:
            raise InputError("Periods are compared within one stream. Ask it: deployment.stream(NAME).reports")
        settings = self._app.stream(self.stream)
        listed = compare_periods(self._app, settings, [parse_period(one) for one in periods], versions)
        return stored_comparison(self._app, listed)

    def open(self, report_id: str, *, browser: bool = True, mask: bool | None = None) -> tuple[Path, bool]:
        """Open a report's page in a browser; the file, and whether a browser took it.

        mask: whether personal data is masked; None: only where `[site] mask` is "always".
        """
        return self.show(report_id).open(browser=browser, mask=mask)

    def export(self, report_id: str, folder: str | Path, *, mask: bool | None = None) -> tuple[Path, Path]:
        """Write a report's page and Evidently snapshot into a folder; where they are.

        mask: of the page, as in `open`.
        """
        return self.show(report_id).export(folder, mask=mask)

    def export_workspace(
        self, folder: str | Path, *, last: int = 300, mask: bool | None = None
    ) -> Listing[ProjectExport]:
        """Write or update a workspace that `evidently ui --workspace FOLDER` opens: a project a stream, a run a check.

        Args:
            last: how many of the newest checks come with Evidently's plots, shared evenly by the streams; older ones
                come as figures and signals alone, the oldest beyond 2,000 not at all.
            mask: whether personal data is masked in what outsiders wrote; None: only where `[site] mask` is "always".

        Raises:
            UsageError: `last` is less than 1. InputError: the folder cannot be written.
        """
        from trueup.flows.admin.evidently_workspace import export_workspace

        return Listing(export_workspace(self._app, self._streams(), Path(folder), last=last, mask=mask))

    def _streams(self) -> tuple[str, ...]:
        return (self.stream,) if self.stream else tuple(self._app.settings.streams)

    def _of(self, found: ListedCheck) -> StoredReport:
        return StoredReport(
            report_id=found.report_id,
            stream=found.stream,
            as_of=found.as_of,
            version=found.version,
            counted=found.counted,
            verdict=Verdict(found.verdict),
            breached=found.breached,
            path=self._app.report_files.snapshot_path(found.stream, found.report_id),
            made_at=found.made_at,
            _app=self._app,
        )
