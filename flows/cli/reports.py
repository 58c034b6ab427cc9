"""Commands about stored Evidently reports: reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trueup.flows.cli.session import AsJson, Commands, Config, Home, MaybeStream, add_group, session, table
from trueup.storage.timepoints import iso

ReportId = Annotated[str, typer.Argument(help="A report's id, or the beginning of one.")]


def reports_list(
    stream: MaybeStream = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Stored reports, newest first."""
    with session(config, home, as_json) as s:
        found = s.reports(stream).list()
        cells = [
            (r.report_id, r.stream, iso(r.as_of), f"v{r.version}", "yes" if r.counted else "no",
             ", ".join(r.breached) or "–")
            for r in found
        ]  # fmt: skip
        heads = ("id", "stream", "as of", "champion", "counted", "breached")
        s.show({"reports": found.records()}, table("reports", heads, cells))


def reports_show(report_id: ReportId, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """A stored report's signals in words and figures."""
    from rich.text import Text

    from trueup.reports.tables import signal_table

    with session(config, home, as_json) as s:
        found = s.deployment.reports.show(report_id)
        head = {"stream": found.stream, "as_of": found.as_of, "version": found.version, "path": found.path}
        said = f"{found.stream} as of {iso(found.as_of)}, champion v{found.version}, report {found.report_id}"
        s.show(
            {"reports": [{**head, **found.check.as_json()}]},
            Text(said),
            signal_table(found.check.signals),
            *(Text(f"note: {note}") for note in found.check.notes),
        )


def reports_compare(
    first: ReportId,
    second: Annotated[str, typer.Argument(help="Another one of the same stream.")],
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Two stored reports' signals side by side, the earlier first."""
    from rich.text import Text

    from trueup.reports.tables import change_table

    with session(config, home, as_json) as s:
        found = s.deployment.reports.compare(first, second)
        before, after = found.before, found.after
        other = f"; v{before.version} and v{after.version} were champion: values differ by their reference too"
        s.show(
            found.as_json(),
            change_table(found.changes, iso(before.as_of) or "", iso(after.as_of) or ""),
            Text(f"turned: {', '.join(found.turned) or 'none'}{other if before.version != after.version else ''}"),
        )


def reports_open(
    report_id: ReportId,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser; otherwise only print where it is.")] = True,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Open a stored report's page in a browser."""
    with session(config, home, as_json) as s:
        found = s.deployment.reports.show(report_id)
        page, opened = found.open(browser=browser)
        s.show({"reports": [{"report_id": found.report_id, "page": page, "opened": opened}]}, str(page))


def reports_export(
    report_id: ReportId,
    folder: Annotated[Path, typer.Argument(help="Where the page and the Evidently snapshot are written.")],
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a stored report's page and Evidently snapshot into a folder."""
    with session(config, home, as_json) as s:
        found = s.deployment.reports.show(report_id)
        page, snapshot = found.export(folder)
        s.show(
            {"reports": [{"report_id": found.report_id, "page": page, "snapshot": snapshot}]},
            str(page), str(snapshot),
        )  # fmt: skip


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    reports: Commands = {
        "list": reports_list, "show": reports_show, "compare": reports_compare, "open": reports_open,
        "export": reports_export,
    }  # fmt: skip
    add_group(cli, "reports", "Stored Evidently reports.", reports)
