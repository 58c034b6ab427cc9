"""Runs of Evidently as they are stored: in strict JSON, which knows no NaN, and all of a report as one snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evidently.core.metric_types import MetricTestResult
    from evidently.core.report import Snapshot


@dataclass(frozen=True)
class StoredRun:
    """One run as its JSON says it, and the tests that it made."""

    held: dict[str, Any]
    tests: tuple[MetricTestResult, ...]


def stored_run(run: Snapshot) -> StoredRun:
    """The run as it will be when it is loaded back.

    A figure that does not exist for these data (the spread of one value) is null inside a table and a plot, and
    left out where it is the whole result, which Evidently could not load again.

    Raises:
        Exception: of any kind; without the figures that do not exist, Evidently could not load it.
    """
    from evidently.core.report import Snapshot

    absent = False

    def null(_constant: str) -> None:
        nonlocal absent
        absent = True

    held = json.loads(_as_json(run.to_snapshot_model()), parse_constant=null)
    results = {key: result for key, result in held["metric_results"].items() if result.get("value", 0) is not None}
    if absent or len(results) < len(held["metric_results"]):
        held["metric_results"] = results
        held["top_level_metrics"] = [key for key in held["top_level_metrics"] if key in results]
        Snapshot.load_dict(held)
    return StoredRun(held, tuple(test for key in held["top_level_metrics"] for test in run.metric_results[key].tests))


def joined_runs(runs: Sequence[StoredRun], title: str, as_of: datetime) -> str:
    """All runs as one snapshot, in the JSON that `Snapshot.loads` takes."""
    from evidently.core.metric_types import metric_tests_widget
    from evidently.core.report import metric_tests_stats
    from evidently.core.serialization import ReportModel, SnapshotModel

    tests = [test for run in runs for test in run.tests]
    frame = SnapshotModel(
        report=ReportModel(items=[]),
        name=title,
        timestamp=as_of,
        metadata={},
        tags=["trueup"],
        metric_results={},
        top_level_metrics=[],
        widgets=[],
        tests_widgets=[metric_tests_stats(tests), metric_tests_widget(tests)] if tests else [],
    )
    held = [run.held for run in runs]
    return _as_json({
        **dict(frame),
        "metric_results": {key: result for run in held for key, result in run["metric_results"].items()},
        "top_level_metrics": [key for run in held for key in run["top_level_metrics"]],
        "widgets": [widget for run in held for widget in run["widgets"]],
    })


def _as_json(value: Any) -> str:
    """As `Snapshot.dumps` writes it, in a fourth of the time: it first copies every point of every plot."""
    from evidently._pydantic_compat import BaseModel
    from evidently.legacy.utils import NumpyEncoder

    class Encoder(NumpyEncoder):
        def default(self, o: Any) -> Any:
            return dict(o) if isinstance(o, BaseModel) else super().default(o)

    return json.dumps(value, cls=Encoder)
