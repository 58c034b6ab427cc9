"""The workspace as a folder: what is new is written beside it, read back, and moved in; what fell out is removed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

from trueup.monitoring.report.workspace.dashboard import dashboard_with, panels_for
from trueup.monitoring.report.workspace.figures import OUR_UUID_VERSION, CheckedRun, fixed_id
from trueup.monitoring.report.workspace.runs import run_document
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.timepoints import iso

_STAMP = "trueup.json"
_LAYOUT = 1  # of what is written; raised, every run is written anew


@dataclass(frozen=True, kw_only=True)
class StreamRuns:
    """What a stream's project shows.

    deployment: whose stream it is. runs: newest first. plotted: how many of the newest come with Evidently's plots.
    snapshot: the stored Evidently snapshot of a report by its id, as JSON; raises InputError where there is none and
    StoreUnusable where it is damaged. masked: whether personal data is, in runs and snapshots.
    """

    deployment: str
    stream: str
    runs: Sequence[CheckedRun]
    plotted: int
    snapshot: Callable[[str], str]
    masked: bool = False

    @property
    def project_id(self) -> UUID:
        """The id of its project, the same in every export."""
        return fixed_id("project", self.deployment, self.stream)


@dataclass(frozen=True, kw_only=True)
class ProjectExport:
    """What an export did with one stream's project.

    runs: that it holds now. written, removed: in this export. without_plots: written without Evidently's plots though
    among the newest: their stored report is missing, damaged or of another Evidently.
    """

    stream: str
    project_id: str
    runs: int
    written: int
    removed: int
    without_plots: int


@dataclass
class _Stamp:
    """Which content each file of ours has: the digest of what it was made of, and its size in bytes."""

    evidently: str
    runs: dict[str, tuple[str, int]] = field(default_factory=dict)


def write_workspace(folder: Path, streams: Sequence[StreamRuns]) -> list[ProjectExport]:
    """Bring the projects of these streams in a workspace up to date; anything else in the folder is left alone.

    It is a cache: a run is written where its content, Evidently's version or its file changed. It may be open in
    `evidently ui` meanwhile, which sees a whole run or none.

    Raises:
        InputError: the folder, or what is written beside it, cannot be made.
    """
    from evidently import __version__
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "trueup.lock"), _beside(folder) as staging:
            stamp = _read_stamp(folder, __version__)
            try:
                return [_write_project(folder, staging, stamp, runs) for runs in streams]
            finally:
                _move_text(staging, folder / _STAMP, json.dumps(asdict(stamp)))
    except OSError as error:
        raise InputError(
            f"The workspace '{folder}' cannot be written: {error.strerror}. What was written before stands; name a "
            "folder that can be written, and whose parent can: new files are made beside it and moved in."
        ) from error


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """A folder beside the workspace, which the UI does not watch: a file moved in from there is seen whole."""
    whole = folder.resolve()
    staging = whole.parent / f".{whole.name}.trueup"
    shutil.rmtree(staging, ignore_errors=True)  # of an export that was killed
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _read_stamp(folder: Path, version: str) -> _Stamp:
    """What was written before; nothing of it stands where another Evidently wrote it."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        held = json.loads((folder / _STAMP).read_text())
        if held["evidently"] == version:
            return _Stamp(version, {name: (digest, size) for name, (digest, size) in held["runs"].items()})
    return _Stamp(version)


def _write_project(folder: Path, staging: Path, stamp: _Stamp, wanted: StreamRuns) -> ProjectExport:
    project = folder / str(wanted.project_id)
    snapshots = project / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    _write_metadata(project, staging, wanted)
    runs = {str(run.run_id): run for run in wanted.runs}
    removed = [file for file in snapshots.glob("*.json") if _is_of_ours(file.stem) and file.stem not in runs]
    for file in removed:
        file.unlink()
        stamp.runs.pop(file.stem, None)
    written = without_plots = 0
    for place, (run_id, run) in enumerate(runs.items()):
        plotted = place < wanted.plotted
        file = snapshots / f"{run_id}.json"
        digest = _digest(run, plotted, wanted.masked)
        if stamp.runs.get(run_id) != (digest, _size(file)):
            done = _write_run(staging, file, wanted, run, plotted)
            without_plots += plotted and not done
            stamp.runs[run_id] = (digest, _size(file))
            written += 1
    _write_dashboard(project, staging, wanted)
    return ProjectExport(
        stream=wanted.stream, project_id=str(wanted.project_id), runs=len(runs), written=written,
        removed=len(removed), without_plots=without_plots,
    )  # fmt: skip


def _write_run(staging: Path, file: Path, wanted: StreamRuns, run: CheckedRun, plotted: bool) -> bool:
    """Move one run in once Evidently has read it back; whether it came with its plots."""
    from evidently.ui.storage.local.base import LocalState

    project_id, run_id = str(wanted.project_id), str(run.run_id)
    part = staging / project_id / "snapshots" / file.name
    part.parent.mkdir(parents=True, exist_ok=True)

    def move_in(snapshot: str | None) -> None:
        # as `LocalState.write_snapshot` does, whose way through Python's own encoder takes five times as long
        part.write_text(run_document(wanted.stream, run, snapshot))
        LocalState(str(staging)).read_snapshot(project_id, run_id)
        os.replace(part, file)

    if plotted:
        with suppress(InputError, StoreUnusable, ValueError, KeyError, TypeError):
            move_in(wanted.snapshot(run.report_id))
            return True
    move_in(None)
    return False


def _digest(run: CheckedRun, plotted: bool, masked: bool) -> str:
    """Of all that a run is made of; its stored report never changes."""
    made_of = json.dumps([_LAYOUT, plotted, masked, iso(run.as_of), asdict(run)], default=str, sort_keys=True)
    return blake2b(made_of.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _write_metadata(project: Path, staging: Path, wanted: StreamRuns) -> None:
    from evidently.legacy.utils import NumpyEncoder
    from evidently.sdk.models import ProjectModel

    model = ProjectModel(
        id=wanted.project_id,
        name=wanted.stream,
        description="Checks of this stream, written by trueup. Runs and its dashboard are renewed by each export; "
        "panels that you add stay.",
    )
    text = json.dumps(model.dict(), cls=NumpyEncoder, indent=2)
    _move_text_if_new(staging, project / "metadata.json", text)


def _write_dashboard(project: Path, staging: Path, wanted: StreamRuns) -> None:
    from evidently._pydantic_compat import parse_obj_as
    from evidently.sdk.models import DashboardModel

    file = project / "dashboard.json"
    names = {s.code: s.name for run in reversed(wanted.runs) for s in run.check.signals}
    panels = list(panels_for(names, {test.code for run in wanted.runs for test in run.gate}))
    try:
        held: Mapping[str, Any] = json.loads(file.read_text())
        whole = dashboard_with(panels, wanted.project_id, held)
        parse_obj_as(DashboardModel, whole)
    except FileNotFoundError:
        whole = dashboard_with(panels, wanted.project_id, {})
    except (ValueError, KeyError, TypeError, AttributeError):  # which the UI could not open either
        os.replace(file, file.with_suffix(".damaged"))
        whole = dashboard_with(panels, wanted.project_id, {})
    _move_text_if_new(staging, file, json.dumps(whole))


def _is_of_ours(name: str) -> bool:
    with suppress(ValueError):
        return UUID(name).version == OUR_UUID_VERSION
    return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return -1


def _move_text_if_new(staging: Path, file: Path, text: str) -> None:
    if _size(file) < 0 or file.read_text() != text:
        _move_text(staging, file, text)


def _move_text(staging: Path, file: Path, text: str) -> None:
    part = staging / file.name
    part.write_text(text)
    os.replace(part, file)
