"""The dashboard that we make for a stream in Evidently's UI, beside the panels that people added there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from trueup.monitoring.report.workspace import figures as f
from trueup.monitoring.report.workspace.runs import METRIC_TYPE
from trueup.storage.escaping import for_terminal
from trueup.storage.formatting import METRIC_NAMES

_METRIC, _ESTIMATE, _VOLUME = "PRF-METRIC", "PRF-EST", "DQ-VOLUME"
_GROUPS = {
    "DRF-IN-": "Inputs", "DRF-TEXT": "Inputs", "DRF-": "Model", "PRF-SLICE-": "Slices", "PRF-": "Model",
}  # fmt: skip
_OTHERS = "Data quality"
_ORDER = ("Inputs", "Model", "Slices", _OTHERS)
_MOST_LINES = 8  # of one panel


@dataclass(frozen=True)
class PanelLine:
    """One line of a panel: the figure of a key and code, and its legend."""

    key: str
    code: str
    legend: str


@dataclass(frozen=True)
class LinePanel:
    """One plot over time. name: what its id is made of, never changed. full: over the whole width."""

    name: str
    title: str
    lines: tuple[PanelLine, ...]
    subtitle: str = ""
    full: bool = False


def panels_for(names: Mapping[str, str], gate_codes: Collection[str]) -> Iterator[LinePanel]:
    """The panels for these signals.

    Args:
        names: what each signal is called, by its code.
        gate_codes: of the gate's tests.
    """
    if _METRIC in names:
        lines = [PanelLine(f.VALUE, _METRIC, "measured")]
        lines += [PanelLine(f.VALUE, _ESTIMATE, "estimated")] if _ESTIMATE in names else []
        lines.append(PanelLine(f.BOUND, _METRIC, "bound"))
        said, title = _named(names[_METRIC]), "Metric, measured and estimated"
        yield LinePanel("metric", title, tuple(lines), said, full=True)
    elif _ESTIMATE in names:
        line = PanelLine(f.VALUE, _ESTIMATE, "estimated")
        yield LinePanel("metric", "Metric, estimated", (line,), _named(names[_ESTIMATE]), full=True)
    for code, title, said in (
        (f.DRIFT_SHARE, "Drift share", "Share of the judged drift signals that breached"),
        (f.BREACHED, "Breached signals", "Of all kinds"),
        (f.WINDOW_RECORDS, "Records", "In the window of the check"),
        (f.INCIDENTS, "Open incidents", "Of the stream, at the time of the check"),
    ):
        yield LinePanel(code, title, (PanelLine(f.OF_CHECK, code, title),), said)
    if _VOLUME in names:
        line = PanelLine(f.VALUE, _VOLUME, _VOLUME)
        yield LinePanel("volume", "Volume", (line,), names[_VOLUME])
    for group, codes in _by_group(sorted(names)).items():
        for place in range(0, len(codes), _MOST_LINES):
            lines = [PanelLine(f.EFFECT, code, code) for code in codes[place : place + _MOST_LINES]]
            said = "Size of the change on each signal's own scale, 0 for none"
            title = f"Effects: {group.lower()}"
            yield LinePanel(f"effects/{group}/{place // _MOST_LINES}", title, tuple(lines), said, full=True)
    for code in sorted(gate_codes):
        lines = [PanelLine(f.GATE_VALUE, code, "challenger"), PanelLine(f.GATE_BOUND, code, "bound")]
        yield LinePanel(f"gate/{code}", f"Gate: {code}", tuple(lines), "At each training")


def _named(metric: str) -> str:
    return METRIC_NAMES.get(metric, metric)


def _by_group(codes: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {group: [] for group in _ORDER}
    for code in codes:
        found[next((group for begin, group in _GROUPS.items() if code.startswith(begin)), _OTHERS)].append(code)
    return found


def dashboard_with(panels: Sequence[LinePanel], project: UUID, held: Mapping[str, Any]) -> dict[str, Any]:
    """The whole dashboard: our panels as they are made, and what people added to the one that is held.

    Panels of people have ids that Evidently gave. Tabs are theirs alone: its UI shows none, and refuses to save a
    dashboard of more than one.
    """
    ours = [_panel(panel, project) for panel in panels]
    theirs = [panel for panel in held.get("panels", ()) if not _is_ours(panel["id"])]
    known = {panel["id"] for panel in (*ours, *theirs)}
    tabs = [{**tab, "panels": [one for one in tab["panels"] if one in known]} for tab in held.get("tabs", ())]
    return {"tabs": tabs, "panels": [*ours, *theirs]}


def _is_ours(held: str) -> bool:
    return UUID(held).version == f.OUR_UUID_VERSION


def _panel(panel: LinePanel, project: UUID) -> dict[str, Any]:
    return {
        "id": str(f.fixed_id("panel", str(project), panel.name)),
        "title": for_terminal(panel.title),
        "subtitle": for_terminal(panel.subtitle),
        "size": "full" if panel.full else "half",
        "values": [
            {
                "legend": for_terminal(line.legend), "tags": [], "metadata": {}, "metric": METRIC_TYPE,
                "metric_labels": {"key": line.key, "code": line.code}, "view_params": {},
            }
            for line in panel.lines
        ],
        "plot_params": {"plot_type": "line"},
    }  # fmt: skip
