"""Commands that look and act: check, cycle, serve, reports, demo."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from trueup.flows.cli.session import (
    BREACH,
    AsJson,
    AsOf,
    Commands,
    Config,
    Home,
    MaybeStream,
    StreamName,
    add_commands,
    add_group,
    progress,
    session,
    table,
)
from trueup.storage.errors import InputError
from trueup.storage.timepoints import iso, parse_as_of


class FailOn(StrEnum):
    """What makes a check or cycle end with status 3."""

    BREACH = "breach"


FailOnBreach = Annotated[FailOn | None, typer.Option("--fail-on", help="End with status 3 if a signal is breached.")]
ReportId = Annotated[str, typer.Argument(help="A report's id, or the beginning of one.")]


def check(
    stream: StreamName,
    as_of: AsOf = None,
    fail_on: FailOnBreach = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One check and its report; changes no model and never counts."""
    from rich.text import Text

    from trueup.flows.check.comparison import champion_of, refuse_rewind
    from trueup.flows.check.run import single_check
    from trueup.reports.tables import signal_table

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        moment = parse_as_of(as_of, now=s.app.now())
        champion = champion_of(s.app, named)
        refuse_rewind(s.app, named, moment, champion)
        done = single_check(s.app, named, champion, moment)
        s.show(
            {**done.as_json(), "stream": stream, "as_of": iso(moment)},
            signal_table(done.signals),
            *(Text(f"note: {note}") for note in done.notes),
            Text(f"report {done.report_id}: trueup reports open {done.report_id}"),
        )
        if fail_on and done.breached:
            raise typer.Exit(BREACH)


def cycle(
    stream: StreamName,
    as_of: AsOf = None,
    fail_on: FailOnBreach = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """One whole cycle; without a champion it trains the first."""
    from rich.markdown import Markdown

    from trueup.flows.cli.progress import shown
    from trueup.flows.cycle.document import summary
    from trueup.flows.cycle.run import run_cycle

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        with shown(progress(), stream) as watch:
            done = run_cycle(s.app, named, parse_as_of(as_of, now=s.app.now()), watch=watch)
        s.show(done, Markdown(summary(done)))
        if fail_on and done["check"] and any(x["verdict"] == "breached" for x in done["check"]["signals"]):
            raise typer.Exit(BREACH)


def serve(
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
    every: Annotated[float, typer.Option(hidden=True, help="Seconds between cycles, in place of cron.")] = 0,
) -> None:
    """Run every stream's schedule through Prefect, until stopped."""
    from trueup.flows.alert.incidents import deliver_now
    from trueup.flows.serve.runner import Planned
    from trueup.flows.serve.runner import serve as run

    with session(config, home, as_json) as s:
        plans = [
            Planned(stream=name, cron=stream.schedule.cron, every=every)
            for name, stream in s.app.settings.streams.items()
            if every or stream.schedule.cron
        ]
        if not plans:
            raise InputError(
                "No stream has a schedule, so nothing would ever run. Write cron under [streams.<name>.schedule]."
            )

        def announce(schedule: Any) -> None:
            names = [plan.stream for plan in plans]
            said = f"trueup serves {', '.join(names)}; Prefect's pages: {schedule.url}; stop with Ctrl-C"
            s.show({"streams": names, "url": schedule.url}, said)

        run(
            plans,
            home=s.app.home,
            config=s.app.config,
            port=s.app.settings.serve.port,
            announce=announce,
            deliver=lambda: deliver_now(s.app),
        )


def reports_list(
    stream: MaybeStream = None, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Stored reports, newest first."""
    with session(config, home, as_json) as s:
        if stream:
            s.app.stream(stream)
        rows = s.app.cycles.reports(stream)
        found = [
            {
                "report_id": r["id"],
                "stream": r["stream"],
                "as_of": r["as_of"],
                "version": r["version"],
                "counted": r["counted"],
                "breached": [x["code"] for x in r["document"]["signals"] if x["verdict"] == "breached"],
                "path": s.app.report_files.page_path(r["stream"], r["id"]),
            }
            for r in rows
        ]
        cells = [
            (f["report_id"], f["stream"], iso(f["as_of"]), f"v{f['version']}", "yes" if f["counted"] else "no",
             ", ".join(f["breached"]) or "–")
            for f in found
        ]
        s.show(
            {"reports": found}, table("reports", ("id", "stream", "as of", "champion", "counted", "breached"), cells)
        )


def _report(s: Any, report_id: str) -> dict[str, Any]:
    found: dict[str, Any] | None = s.app.cycles.report(report_id)
    if found is None:
        raise InputError(f"No single report's id begins with '{report_id}'. `trueup reports list` names them.")
    return found


def reports_show(report_id: ReportId, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """A stored report's signals in words and figures."""
    from rich.text import Text

    from trueup.monitoring.check import Check
    from trueup.reports.tables import signal_table

    with session(config, home, as_json) as s:
        found = _report(s, report_id)
        path = s.app.report_files.page_path(found["stream"], found["id"])
        done = Check.from_json(found["document"])
        head = {"stream": found["stream"], "as_of": found["as_of"], "version": found["version"], "path": path}
        s.show(
            {"reports": [{**head, **found["document"]}]},
            Text(f"{found['stream']} as of {iso(found['as_of'])}, champion v{found['version']}, report {found['id']}"),
            signal_table(done.signals),
            *(Text(f"note: {note}") for note in done.notes),
        )


def reports_compare(
    first: Annotated[str, typer.Argument(help="A report's id, or the beginning of one.")],
    second: Annotated[str, typer.Argument(help="Another one of the same stream.")],
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Two stored reports' signals side by side, the earlier first."""
    from rich.text import Text

    from trueup.monitoring.check import Check
    from trueup.reports.comparing import compared
    from trueup.reports.tables import change_table

    with session(config, home, as_json) as s:
        before, after = sorted((_report(s, first), _report(s, second)), key=lambda r: (r["as_of"], r["made_at"]))
        if before["stream"] != after["stream"]:
            raise InputError(
                f"Report {before['id']} is of stream '{before['stream']}' and {after['id']} of '{after['stream']}': "
                "their signals measure different things. Name two of one stream; `trueup reports list -s STREAM`."
            )
        changes = compared(*(Check.from_json(r["document"]).signals for r in (before, after)))
        turned = [change.code for change in changes if change.turned]
        other = f"; v{before['version']} and v{after['version']} were champion: values differ by their reference too"
        s.show(
            {
                "reports": [
                    {"stream": r["stream"], "as_of": r["as_of"], "version": r["version"], **r["document"]}
                    for r in (before, after)
                ],
                "changes": changes,
            },
            change_table(changes, iso(before["as_of"]) or "", iso(after["as_of"]) or ""),
            Text(f"turned: {', '.join(turned) or 'none'}{other if before['version'] != after['version'] else ''}"),
        )


def reports_open(
    report_id: ReportId,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser; otherwise only print where it is.")] = True,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Open a stored report's page in a browser."""
    import tempfile
    import webbrowser

    with session(config, home, as_json) as s:
        found = _report(s, report_id)
        folder = Path(tempfile.mkdtemp(prefix="trueup-report-"))
        page, _ = s.app.report_files.export(found["stream"], found["id"], folder)
        opened = browser and webbrowser.open(page.as_uri())
        s.show({"reports": [{"report_id": found["id"], "page": page, "opened": bool(opened)}]}, str(page))


def reports_export(
    report_id: ReportId,
    folder: Annotated[Path, typer.Argument(help="Where the page and the Evidently snapshot are written.")],
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a stored report's page and Evidently snapshot into a folder."""
    with session(config, home, as_json) as s:
        found = _report(s, report_id)
        page, snapshot = s.app.report_files.export(found["stream"], found["id"], folder)
        s.show(
            {"reports": [{"report_id": found["id"], "page": page, "snapshot": snapshot}]}, str(page), str(snapshot)
        )


def demo(
    keep: Annotated[Path | None, typer.Option(help="The folder to run in; a new one where left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """The whole loop on a made stream with a known break.

    A quiet stream beside it shows what happens where nothing breaks.
    """
    from trueup.flows.cli.session import failing_plainly
    from trueup.flows.demo.run import run_demo

    with failing_plainly(as_json):
        run_demo(keep, as_json=as_json)


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"check": check, "cycle": cycle, "serve": serve, "demo": demo})
    reports: Commands = {
        "list": reports_list, "show": reports_show, "compare": reports_compare, "open": reports_open,
        "export": reports_export,
    }  # fmt: skip
    add_group(cli, "reports", "Stored Evidently reports.", reports)
