"""What a workspace of Evidently's UI costs: its export from nothing, one more check, and the UI's first answer.

    python -m benchmarks.evidently_ui FOLDER [--checks N]

FOLDER is a deployment's, whose newest check with a stored report is stored N times, an hour apart, in a copy.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from trueup.flows.admin.evidently_workspace import export_workspace
from trueup.flows.app import App, open_app
from trueup.monitoring.report.workspace.ui_server import bound_port, start_evidently_ui


def stored(app: App, stream: str, checks: int) -> Callable[[int], None]:
    """Store the newest check of a stream so many times; what stores one more, by its place."""
    (newest,) = app.checks.documents(stream, 1)
    snapshot = app.report_files.snapshot_text(stream, newest.report_id).encode()

    def store(place: int) -> None:
        report_id, at = f"made{place:06d}", newest.as_of + timedelta(hours=place + 1)
        app.report_files.store(stream, report_id, snapshot=snapshot)
        app.cycles.keep_check(
            stream=stream, cycle_id=None, as_of=at, version=newest.version, last=None,
            document=newest.document | {"report_id": report_id}, now=at,
        )  # fmt: skip

    for place in range(checks):
        store(place)
    return store


def timed(what: str, done: Callable[[], Any]) -> Any:
    """Do it, and print how long it took by the clock and of the processor."""
    began, processor = time.perf_counter(), time.process_time()
    result = done()
    print(f"{what:<40} {time.perf_counter() - began:6.1f} s, processor {time.process_time() - processor:6.1f} s")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description="What a workspace of Evidently's UI costs.")
    parser.add_argument("folder", type=Path, help="of a deployment with a stored check")
    parser.add_argument("--checks", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "deployment")
        shutil.copytree(given.folder, copy)
        (copy / ".trueup" / "deployment.json").unlink(missing_ok=True)
        app = open_app(copy / "trueup.toml", None)
        stream = next(iter(app.settings.streams))
        store = stored(app, stream, given.checks)
        workspace = Path(scratch, "workspace")
        timed("importing Evidently", lambda: __import__("evidently"))

        def export() -> Any:
            return export_workspace(app, [stream], workspace, last=given.checks)

        timed(f"export of {given.checks} checks", export)
        timed("export with nothing new", export)
        store(given.checks)
        timed("export of one more check", export)
        log = Path(scratch, "ui.log")
        ui = timed("the UI's first answer, with its start", lambda: start_evidently_ui(
            workspace, bound_port(0), edit=False, log=log
        ))
        try:
            (run,) = workspace.glob("*/metadata.json")
            timed("a dashboard", lambda: urllib.request.urlopen(f"{ui.url}/api/v2/dashboards/{run.parent.name}").read())
        finally:
            ui.stop()
        print(f"{sum(f.stat().st_size for f in workspace.rglob('*.json')) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
