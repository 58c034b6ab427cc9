"""The page of a report: our own summary on top, Evidently's plots below."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.report.shown_texts import without_tags
from trueup.storage.escaping import for_html, for_page
from trueup.storage.formatting import figure, p_value_figure
from trueup.storage.rows import Rows
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from evidently.core.report import Snapshot

_TEMPLATES = Path(__file__).with_name("templates")
_ORDER = {Verdict.BREACHED: 0, Verdict.OK: 1, Verdict.INSUFFICIENT: 2}
_HEAD_END = "<body>"


@dataclass(frozen=True, kw_only=True)
class Header:
    """What our summary says above the plots."""

    title: str
    as_of: datetime
    reference: Rows
    current: Rows
    signals: Sequence[Signal]
    notes: Sequence[str]


def report_page(header: Header, snapshot: Snapshot) -> bytes:
    """The whole HTML page, self-contained, UTF-8."""
    start, end = _plots(snapshot).split(_HEAD_END, 1)
    title = f"<title>{for_html(header.title)}</title>\n</head>"
    whole = f"{start.replace('</head>', title, 1)}{_HEAD_END}{_summary(header)}{end}"
    return whole.strip().encode(errors="replace")  # half a surrogate pair, in a text, is no reason to lose the page


def _summary(header: Header) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=for_page,
    )
    signals = sorted(header.signals, key=lambda s: _ORDER[s.verdict])
    return environment.get_template("report_header.html").render(
        title=header.title,
        as_of=to_minute(header.as_of),
        reference=_span(header.reference),
        current=_span(header.current),
        breached=sum(s.verdict is Verdict.BREACHED for s in signals),
        insufficient=sum(s.verdict is Verdict.INSUFFICIENT for s in signals),
        signals=signals,
        notes=header.notes,
        figure=figure,
        p_value_figure=p_value_figure,
    )


def _span(rows: Rows) -> str:
    times = rows.meta["time"].dropna()
    size = f"{len(rows):,} record{'' if len(rows) == 1 else 's'}"
    return f"{size}, {times.min():%Y-%m-%d %H:%M} to {times.max():%Y-%m-%d %H:%M} UTC" if len(times) else size


def _plots(snapshot: Snapshot) -> str:
    """Evidently's page with its data written by us.

    Its own template puts the data into a script element as it is, so that a review holding `</script>` would end the
    element and run as code.
    """
    from evidently.legacy.model.dashboard import DashboardInfo
    from evidently.legacy.model.widget import AdditionalGraphInfo
    from evidently.legacy.renderers.html_widgets import group_widget
    from evidently.legacy.utils.dashboard import TemplateParams, file_html_template

    widgets = [group_widget(title="", widgets=snapshot._widgets), *snapshot._tests_widgets]
    graphs = {
        graph.id: without_tags(_plain(graph.params if isinstance(graph, AdditionalGraphInfo) else graph.dict()))
        for widget in widgets
        for graph in widget.get_additional_graphs()
    }
    name = "trueup_report"
    frame = file_html_template(
        TemplateParams(
            dashboard_id=name,
            dashboard_info=DashboardInfo(name="Report", widgets=[]),
            additional_graphs={},
            embed_data=False,
        )
    )
    dashboard = without_tags(_plain(DashboardInfo(name="Report", widgets=widgets).dict()))
    data = f"<script>var {name} = {_script(dashboard)}; var additional_graphs_{name} = {_script(graphs)};</script>"
    return frame.replace("<!-- no embedded data -->", data, 1)


def _plain(value: Any) -> Any:
    """The value as JSON reads it back."""
    from evidently.legacy.utils import NumpyEncoder

    return json.loads(json.dumps(value, cls=NumpyEncoder, allow_nan=False))


def _script(value: Any) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")
