"""A check as a run of Evidently's UI: its stored plots, our figures as metrics, and its signals as a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.report.script_ends import without_script_ends
from trueup.monitoring.report.shown_texts import with_short_words, without_tags
from trueup.monitoring.report.workspace.figures import CheckedRun, ShownFigure, run_name, run_tags, shown_figures
from trueup.storage.escaping import for_terminal
from trueup.storage.formatting import figure, p_value_figure
from trueup.storage.timepoints import iso

METRIC_TYPE = "evidently:metric_v2:TrueupMetric"  # known to nobody: the UI draws what it does not know as well
_ORDER = (Verdict.BREACHED, Verdict.OK, Verdict.INSUFFICIENT)
_SHOWN = {Verdict.BREACHED: "breached", Verdict.OK: "ok", Verdict.INSUFFICIENT: "not judged"}
_COLUMNS = ("signal", "verdict", "what was found", "value", "p", "threshold")


def run_document(stream: str, run: CheckedRun, snapshot: str | None) -> str:
    """The run as the JSON in which Evidently stores one.

    Args:
        snapshot: the stored Evidently snapshot of the check, as JSON; None: its figures and signals alone.

    Raises:
        ValueError, KeyError, TypeError: it is no snapshot.
    """
    stored = _mended(snapshot) if snapshot else _EMPTY
    figures = {_metric_id(found): _metric(found) for found in shown_figures(run)}
    whole = without_tags({
        **stored,
        "name": run_name(run),
        "timestamp": iso(run.as_of),
        "tags": run_tags(stream, run),
        "metadata": {"stream": stream, "champion": str(run.version), "report": run.report_id},
        "metric_results": {**stored["metric_results"], **figures},
        "top_level_metrics": [*stored["top_level_metrics"], *figures],
        "widgets": with_short_words([_signal_table(run.check.signals), *stored["widgets"]]),
    })
    return json.dumps(whole, allow_nan=False)


_EMPTY: dict[str, Any] = {
    "report": {"items": []}, "metric_results": {}, "top_level_metrics": [], "widgets": [], "tests_widgets": [],
}  # fmt: skip


def _metric_id(found: ShownFigure) -> str:
    return f"trueup {found.key} {found.code}"


def _metric(found: ShownFigure) -> dict[str, Any]:
    """A figure as Evidently's `SingleValue`; every parameter is part of its line's identity."""
    config = {"metric_id": _metric_id(found), "params": {"type": METRIC_TYPE, "key": found.key, "code": found.code}}
    return {
        "type": "evidently:metric_result_v2:SingleValue",
        "display_name": found.said,
        "value": found.value,
        "metric_value_location": {"metric": config, "param": {}},
    }


def _signal_table(signals: Sequence[Signal]) -> dict[str, Any]:
    """Every signal with its verdict in words, those that breached first, as a table of Evidently's."""
    from evidently.legacy.renderers.html_widgets import table_data

    rows = [
        (s.code, _SHOWN[s.verdict], s.said, figure(s.value), p_value_figure(s.p_value), figure(s.threshold))
        for s in sorted(signals, key=lambda s: _ORDER.index(s.verdict))
    ]
    shown = [[for_terminal(cell) for cell in row] for row in rows]
    table = table_data(column_names=_COLUMNS, data=shown, title="Signals of the check")
    return _mended(json.dumps(table.dict()))


def _mended(document: str) -> dict[str, Any]:
    held: dict[str, Any] = json.loads(without_script_ends(document))
    return held
