"""A workspace of Evidently's UI: what a run says, our dashboard beside people's panels, and the folder as a cache."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_checks import EVIL, FIRST, SIGNALS, hostile_report, unreadable
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.report.script_ends import without_script_ends
from trueup.monitoring.report.workspace import figures as f
from trueup.monitoring.report.workspace.dashboard import dashboard_with, panels_for
from trueup.monitoring.report.workspace.figures import (
    CheckedRun,
    GateTestFigure,
    ShownFigure,
    run_name,
    run_tags,
    shown_figures,
)
from trueup.monitoring.report.workspace.folder import ProjectExport, StreamRuns, write_workspace
from trueup.monitoring.report.workspace.runs import METRIC_TYPE

pytestmark = [pytest.mark.long, pytest.mark.whole_reports]

PROJECT = f.fixed_id("project", "d", "s")
number = st.none() | st.floats(allow_nan=True, allow_infinity=True)


def run_of(place: int = 0, *, signals: tuple[Signal, ...] = SIGNALS, **more: Any) -> CheckedRun:
    check = Check(report_id=f"r{place}", counted=True, signals=signals)
    return CheckedRun(
        report_id=f"r{place}", as_of=FIRST + timedelta(weeks=place), version=2, check=check, **more
    )


def streams_of(*runs: CheckedRun, plotted: int = 1, snapshot: Any = None) -> list[StreamRuns]:
    return [
        StreamRuns(
            deployment="d", stream="s", runs=runs, plotted=plotted,
            snapshot=snapshot or (lambda report_id: hostile_report().snapshot.decode()),
        )
    ]  # fmt: skip


def files(folder: Path) -> dict[str, Any]:
    """Each run of the project as Evidently reads it, by its name."""
    from evidently.ui.storage.local.base import LocalState

    state = LocalState(str(folder))
    return {m.name: m for m in (state.read_snapshot(PROJECT, s) for s in state.list_snapshots(PROJECT))}


@given(st.dictionaries(st.sampled_from(["DRF-A", "PRF-B", "DQ-C"]), st.tuples(number, number, number)))
def test_figures_are_finite_and_one_for_each_line(drawn: dict[str, tuple[Any, Any, Any]]) -> None:
    """Whatever a signal holds, each key and code has at most one number, and that is finite."""
    signals = tuple(
        Signal(code=code, name="", verdict=Verdict.OK, said="", value=value, effect=effect, threshold=bound)
        for code, (value, effect, bound) in drawn.items()
    )
    shown = list(shown_figures(run_of(signals=signals)))
    assert len({(one.key, one.code) for one in shown}) == len(shown)
    assert all(math.isfinite(one.value) for one in shown)


def test_a_run_says_what_the_check_and_its_gate_found() -> None:
    """Values, effects, the metric's bound, gate figures, the drift share and open incidents are metrics of a run."""
    run = run_of(gate=(GateTestFigure("GATE-GAIN", 0.02, 0.01),), open_incidents=3)
    shown = {(one.key, one.code): one.value for one in shown_figures(run)}
    assert shown[f.VALUE, "PRF-METRIC"] == 0.9
    assert shown[f.BOUND, "PRF-METRIC"] == 0.85
    assert (f.BOUND, "DRF-TEXT") not in shown  # bounds a p-value
    assert shown[f.EFFECT, "DRF-TEXT"] == 0.2
    assert (shown[f.GATE_VALUE, "GATE-GAIN"], shown[f.GATE_BOUND, "GATE-GAIN"]) == (0.02, 0.01)
    assert shown[f.OF_CHECK, f.DRIFT_SHARE] == 0.5
    assert shown[f.OF_CHECK, f.INCIDENTS] == 3
    assert run_name(run) == "2024-01-06 00:00 UTC: DRF-TEXT breached"
    assert run_tags("s", run) == ["s", "champion v2", "counted", "breached", "DRF-TEXT", "r0"]


def test_a_line_is_the_same_whatever_the_champion_or_its_threshold() -> None:
    """Parameters are a line's identity in the UI, so that nothing stands there which changes."""
    later = run_of(1, signals=tuple(replace(s, threshold=s.threshold and 2 * s.threshold) for s in SIGNALS))
    one, other = (list(shown_figures(run)) for run in (run_of(), replace(later, version=9)))
    assert [(s.key, s.code) for s in one] == [(s.key, s.code) for s in other]
    assert set(ShownFigure.__dataclass_fields__) == {"key", "code", "value", "said"}


def test_the_dashboard_has_the_same_ids_each_time_and_keeps_what_people_added() -> None:
    """Written anew it is the same; a person's panel and tab stay, a panel of ours that somebody removed comes back."""
    panels = list(panels_for({s.code: s.name for s in SIGNALS}, ["GATE-GAIN"]))
    made = dashboard_with(panels, PROJECT, {})
    assert made == dashboard_with(panels, PROJECT, made)
    assert len({panel["id"] for panel in made["panels"]}) == len(panels)
    assert made["tabs"] == []  # its UI refuses to save a dashboard of several
    theirs = {**made["panels"][0], "id": str(uuid4()), "title": "mine"}
    tab = {"id": str(uuid4()), "title": "own", "panels": [theirs["id"], made["panels"][0]["id"], str(uuid4())]}
    kept = dashboard_with(panels, PROJECT, {"tabs": [tab], "panels": [theirs]})
    assert kept == {"tabs": [{**tab, "panels": tab["panels"][:2]}], "panels": [*made["panels"], theirs]}


def test_a_panel_has_at_most_eight_lines() -> None:
    """A stream of many columns has more panels and not more lines in one."""
    panels = list(panels_for({f"DRF-IN-{k}": "" for k in range(20)}, []))
    lines = [line.code for panel in panels for line in panel.lines if line.key == f.EFFECT]
    assert sorted(lines) == sorted(f"DRF-IN-{k}" for k in range(20))
    assert max(len(panel.lines) for panel in panels) == 8


@given(st.dictionaries(st.text() | st.just(EVIL), st.text() | st.sampled_from([EVIL, "a</SCRIPT >b"]), max_size=3))
def test_no_text_ends_a_script(value: dict[str, str]) -> None:
    """Any JSON stays JSON of the same shape whose texts cannot end a script, and look as they did."""
    mended = without_script_ends(json.dumps(value))
    assert "</script" not in mended.lower()
    assert "<!--" not in mended
    assert json.dumps(json.loads(mended)).replace("\\u2060", "") == json.dumps(value).replace("\\u2060", "")


def test_runs_hold_plots_and_signals_and_nothing_ends_a_script(tmp_path: Path) -> None:
    """The newest run has Evidently's plots, the older one figures alone; the page that Evidently makes is safe."""
    from evidently.core.report import Snapshot

    (done,) = write_workspace(tmp_path / "ws", streams_of(run_of(1), run_of(0)))
    assert (done.runs, done.written, done.removed, done.without_plots) == (2, 2, 0, 0)
    runs = files(tmp_path / "ws")
    new, old = (runs[run_name(run_of(k))] for k in (1, 0))
    assert len(new.widgets) > len(old.widgets) == 1
    assert old.timestamp == FIRST
    values = {
        (r.metric_value_location.metric.params["key"], r.metric_value_location.metric.params["code"]): r.value
        for r in old.metric_results.values()
        if r.metric_value_location.metric.params["type"] == METRIC_TYPE
    }
    assert values == {(s.key, s.code): s.value for s in shown_figures(run_of(0))}
    for model in (new, old):
        page = Snapshot.load_model(model).get_html_str(as_iframe=False)
        assert "<script>alert(1)" not in page


def exported(folder: Path, *runs: CheckedRun, **more: Any) -> ProjectExport:
    (done,) = write_workspace(folder, streams_of(*runs, **more))
    return done


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    """A second export writes nothing; one more check, and the one that loses its plots; what fell out is removed."""
    folder = tmp_path / "ws"
    exported(folder, run_of(1), run_of(0))
    assert exported(folder, run_of(1), run_of(0)).written == 0
    later = exported(folder, run_of(2), run_of(1), run_of(0))
    assert (later.written, later.runs) == (2, 3)
    assert exported(folder, run_of(2), run_of(1)).removed == 1
    assert set(files(folder)) == {run_name(run_of(k)) for k in (1, 2)}
    assert not list(tmp_path.glob(".*"))  # nothing is left beside it


def test_a_truncated_run_is_written_again_and_another_evidentlys_cache_too(tmp_path: Path) -> None:
    """One cut file would answer 500 to everything; a workspace of another version is rebuilt."""
    folder = tmp_path / "ws"
    exported(folder, run_of(1), run_of(0))
    file = next((folder / str(PROJECT) / "snapshots").glob("*.json"))
    file.write_bytes(file.read_bytes()[:50])
    assert exported(folder, run_of(1), run_of(0)).written == 1
    assert len(files(folder)) == 2
    stamp = folder / "trueup.json"
    stamp.write_text(stamp.read_text().replace('"evidently": "', '"evidently": "0.'))
    assert exported(folder, run_of(1), run_of(0)).written == 2


def test_a_damaged_report_costs_its_own_plots(tmp_path: Path) -> None:
    """Where the stored snapshot cannot be read, or Evidently cannot take it, the run has its figures and signals."""
    for snapshot in (unreadable, lambda report_id: '{"cut', lambda report_id: '{"widgets": 3}'):
        folder = tmp_path / f"ws{id(snapshot)}"
        done = exported(folder, run_of(0), snapshot=snapshot)
        assert (done.runs, done.without_plots) == (1, 1)
        assert len(files(folder)) == 1


def test_what_people_put_there_stays(tmp_path: Path) -> None:
    """A run and another project of people's own are left alone; a dashboard that nobody can read is moved aside."""
    from uuid6 import uuid7

    folder = tmp_path / "ws"
    exported(folder, run_of(0))
    snapshots = folder / str(PROJECT) / "snapshots"
    own = snapshots / f"{uuid7()}.json"
    own.write_text(next(snapshots.glob("*.json")).read_text())
    other = folder / str(uuid7()) / "metadata.json"
    other.parent.mkdir()
    other.write_text("{}")
    dashboard = folder / str(PROJECT) / "dashboard.json"
    dashboard.write_text("{")
    exported(folder, run_of(1))
    assert own.exists()
    assert other.read_text() == "{}"
    assert dashboard.with_suffix(".damaged").read_text() == "{"
    assert json.loads(dashboard.read_text())["panels"]
