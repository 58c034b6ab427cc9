"""Commands about stored Evidently reports: reports."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from trueup.flows.cli.evidently_ui import reports_export
from trueup.flows.cli.progress import working
from trueup.flows.cli.session import (
    PAGE,
    AsJson,
    Commands,
    Config,
    Every,
    Home,
    Limit,
    MaybeStream,
    Since,
    add_group,
    heading,
    session,
)
from trueup.reports.tables import MOMENT, SENTENCE, Column, table
from trueup.storage.named_periods import is_period
from trueup.storage.report_kind import ReportKind
from trueup.storage.short_ids import short_id
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from rich.text import Text

    from trueup.stored_reports import StoredReport

ReportId = Annotated[str, typer.Argument(help="A report's id, the beginning of one, or last.")]


Compared = Annotated[
    str, typer.Argument(help="A report's id or last; or a period: 2024-W23, 2024-05, 2024-05-01..2024-05-14.")
]


class VerdictName(StrEnum):
    """A verdict as people type it."""

    BREACHED = "breached"
    OK = "ok"
    NOT_JUDGED = "not-judged"


_STORED = {VerdictName.NOT_JUDGED: "insufficient"}  # the word that documents keep


def reports_list(
    stream: MaybeStream = None,
    limit: Limit = None,
    since: Since = None,
    verdict: Annotated[VerdictName | None, typer.Option("--verdict", help="Only reports that came out so.")] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="Only those in which this signal breached, or has the --verdict.")
    ] = None,
    kind: Annotated[
        ReportKind | None, typer.Option("--kind", help="Only checks, comparisons of models, or of periods.")
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Stored reports, newest first."""
    with session(config, home, as_json) as s:
        found = s.reports(stream).list(
            limit or PAGE, since=since, verdict=verdict and _STORED.get(verdict, verdict), code=code, kind=kind
        )
        cells = [
            (short_id(r.report_id), str(r.kind), r.stream, to_minute(r.as_of), _outcome(r), f"v{r.version}",
             "yes" if r.counted else "no", r.in_words)
            for r in found
        ]  # fmt: skip
        heads = (
            Column("id"), Column("kind", rank=4), Column("stream", rank=1), Column("as of", least=MOMENT),
            Column("verdict", least=8), Column("champion", rank=2), Column("counted", rank=3),
            Column("breached or compared", least=SENTENCE),
        )  # fmt: skip
        document = {"reports": found.records(), "total": found.total}
        s.show(document, table(heading("reports", len(found), found.total), heads, cells))


def reports_show(
    report_id: ReportId, every: Every = False, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """A stored report's signals in words and figures."""
    from rich.text import Text

    from trueup.reports.comparison_tables import comparison_shown
    from trueup.reports.signal_tables import signals_shown
    from trueup.stored_comparisons import StoredComparison

    with session(config, home, as_json) as s:
        found = s.deployment.reports.show(report_id)
        if isinstance(found, StoredComparison):
            head = {"report_id": found.report_id, "kind": found.kind, "stream": found.stream, "as_of": found.as_of}
            s.show({"reports": [{**head, **found.comparison.as_json()}]}, *comparison_shown(found.comparison))
            return
        head = {"stream": found.stream, "as_of": found.as_of, "version": found.version, "path": found.path}
        said = f"{found.stream} as of {to_minute(found.as_of)}, champion v{found.version}, report {found.report_id}"
        s.show(
            {"reports": [{**head, **found.check.as_json()}]},
            Text(said),
            *signals_shown(found.check.signals, every=every),
            *(Text(f"note: {note}") for note in found.check.notes),
        )


def reports_compare(
    first: Compared,
    second: Compared,
    more: Annotated[list[str] | None, typer.Argument(help="Further periods.")] = None,
    stream: MaybeStream = None,
    version: Annotated[
        list[int] | None, typer.Option("--version", help="A model that answers the periods; give it more than once.")
    ] = None,
    every: Every = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Two reports side by side, or periods with their models.

    What is compared of periods is kept as a report.
    """
    from rich.text import Text

    from trueup.reports.comparison_tables import comparison_shown
    from trueup.reports.signal_tables import changes_shown

    with session(config, home, as_json) as s:
        if more or is_period(first) or is_period(second):
            periods = (first, second, *(more or ()))
            with working("compare"):
                made = s.stream(stream).reports.compare_periods(*periods, versions=version or ())
            head = {"report_id": made.report_id, "kind": made.kind, "stream": made.stream, "as_of": made.as_of}
            kept = Text(f"kept as report {made.report_id}; its page: trueup reports open {made.report_id}")
            s.show({"reports": [{**head, **made.comparison.as_json()}]}, *comparison_shown(made.comparison), kept)
            return
        found = s.deployment.reports.compare(first, second)
        before, after = found.before, found.after
        other = f"; v{before.version} and v{after.version} were champion: values differ by their reference too"
        s.show(
            found.as_json(),
            *changes_shown(found.changes, to_minute(before.as_of), to_minute(after.as_of), every=every),
            Text(f"turned: {', '.join(found.turned) or 'none'}{other if before.version != after.version else ''}"),
        )


def _outcome(report: StoredReport) -> Text:
    """The verdict of a whole report: breached, where some signal is."""
    from rich.text import Text

    from trueup.reports.signal_tables import verdict_text

    if report.verdict is None:
        return Text("–", style="dim")
    if report.breached:
        return Text(f"{len(report.breached)} breached", style="bold red")
    return verdict_text(report.verdict)


def reports_open(
    report_id: ReportId,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser; otherwise only print where it is.")] = True,
    mask: Annotated[
        bool | None,
        typer.Option("--mask/--no-mask", help="Mask personal data in the page; left out: as [site] mask says."),
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Open a stored report's page in a browser."""
    with session(config, home, as_json) as s:
        found = s.deployment.reports.show(report_id)
        page, opened = found.open(browser=browser, mask=mask)
        s.show({"reports": [{"report_id": found.report_id, "page": page, "opened": opened}]}, str(page))


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    reports: Commands = {
        "list": reports_list, "show": reports_show, "compare": reports_compare, "open": reports_open,
        "export": reports_export,
    }  # fmt: skip
    add_group(cli, "reports", "Stored Evidently reports.", reports)
