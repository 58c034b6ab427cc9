"""The stored checks of a deployment as a workspace of Evidently's UI: what goes into it, and how much."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.flows.check.page_facts import masked_check
from trueup.monitoring.check import Check
from trueup.monitoring.report.shown_texts import with_texts
from trueup.monitoring.report.workspace.figures import CheckedRun, GateTestFigure
from trueup.monitoring.report.workspace.folder import ProjectExport, StreamRuns, write_workspace
from trueup.reports.masking import masked, masks_at
from trueup.storage.errors import UsageError
from trueup.storage.leases import reading

if TYPE_CHECKING:
    from trueup.flows.app import App
    from trueup.storage.incidents import Incident

PLOTTED = 300  # runs with Evidently's plots, over all streams: its UI holds every run in memory, 1,000 are 1.2 GB
_LONGEST = 4_000  # characters of a masked text
FIGURES_ONLY = 2_000  # older ones, without plots, over all streams: 250 MB


def export_workspace(
    app: App, streams: Sequence[str], folder: Path, *, last: int = PLOTTED, mask: bool | None = None
) -> list[ProjectExport]:
    """Bring a workspace of Evidently's UI up to date with the stored checks of these streams.

    Args:
        last: how many of the newest checks come with Evidently's plots, shared evenly by the streams.
        mask: whether personal data is masked in what outsiders wrote; None: as `[site] mask` says of a folder.

    Raises:
        UsageError: `last` is less than 1.
        InputError: the folder cannot be written.
    """
    if last < 1:
        raise UsageError(f"last = {last}: at least one check comes with its plots. Nothing was written.")
    plotted = max(last // max(len(streams), 1), 1)
    older = FIGURES_ONLY // max(len(streams), 1)
    hides = masks_at(app.settings.site.mask, str(folder)) if mask is None else mask
    with ExitStack() as leases:
        for stream in streams:
            leases.enter_context(reading(app.database, stream, clock=app.clock))
        return write_workspace(folder, [_runs(app, stream, plotted, older, hides) for stream in streams])


def newest_checks(app: App, streams: Sequence[str]) -> tuple[object, ...]:
    """What changes with each stored check."""
    return tuple(app.checks.newest(stream) for stream in streams)


def _runs(app: App, stream: str, plotted: int, older: int, mask: bool) -> StreamRuns:
    incidents = app.incidents.newest(stream, limit=None)
    gates = {a.cycle_id: _figures(a.gate) for a in reversed(app.promotions.history(stream)) if a.cycle_id}
    runs = [
        CheckedRun(
            report_id=kept.report_id, as_of=kept.as_of, version=kept.version, check=_check(kept.document, mask),
            gate=gates.get(kept.cycle_id or "", ()), open_incidents=_open_at(incidents, kept.as_of),
        )
        for kept in app.checks.documents(stream, plotted + older)
    ]  # fmt: skip
    return StreamRuns(
        deployment=app.settled.identity.id if app.settled else "", stream=stream, runs=runs, plotted=plotted,
        snapshot=partial(_masked_snapshot if mask else _snapshot, app, stream), masked=mask,
    )  # fmt: skip


def _check(document: dict[str, Any], mask: bool) -> Check:
    check = Check.from_json(document)
    return masked_check(check) if mask else check


def _snapshot(app: App, stream: str, report_id: str) -> str:
    return app.report_files.snapshot_text(stream, report_id)


def _masked_snapshot(app: App, stream: str, report_id: str) -> str:
    held = json.loads(_snapshot(app, stream, report_id))
    return json.dumps(with_texts(held, partial(masked, length=_LONGEST)))


def _open_at(incidents: Sequence[Incident], moment: datetime) -> int:
    return sum(i.opened_at <= moment and (i.resolved_at is None or i.resolved_at > moment) for i in incidents)


def _figures(gate: Mapping[str, Any]) -> tuple[GateTestFigure, ...]:
    return tuple(GateTestFigure(test["code"], test["value"], test["bound"]) for test in gate.get("tests", ()))
