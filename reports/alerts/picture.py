"""The one picture of a letter: the metric over the last checks, with its bound, the incident and the promotions."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Sequence

from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.alerts.letter import Picture
from trueup.reports.alerts.plain_figures import metric_in_words, moment
from trueup.reports.alerts.situation import MetricPoint, Situation
from trueup.storage.colours import PALETTE
from trueup.storage.formatting import METRIC_NAMES

_FEWEST = 3  # points of a line under which there is nothing to see
_SECONDS = 20.0  # for drawing, the first import of matplotlib included
_COLOUR = {meaning: colour.light for meaning, colour in PALETTE.items()}  # a mail's picture stands on white
log = logging.getLogger("trueup")


def drawn(situation: Situation) -> Picture | None:
    """The picture; None where too few checks judged the metric, or drawing takes too long or fails."""
    points = [p for p in situation.history if p.measured is not None or p.estimated is not None]
    if len(points) < _FEWEST:
        return None
    png = _within(_SECONDS, lambda: _png(situation, points))
    return Picture(png, _alt(situation, points)) if png else None


def _within(seconds: float, draw: Callable[[], bytes]) -> bytes | None:
    """What `draw` returns, if it does so in time; a message never waits for its picture."""
    made: list[bytes] = []

    def run() -> None:
        try:
            made.append(draw())
        except Exception as error:  # noqa: BLE001 - whatever a drawing meets, the message goes without it
            log.warning("the picture of an alert could not be drawn (%s); it is sent without", type(error).__name__)

    thread = threading.Thread(target=run, name="picture", daemon=True)
    thread.start()
    thread.join(seconds)
    return made[0] if made else None


def _png(situation: Situation, points: list[MetricPoint]) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 2.5), dpi=150, facecolor=_COLOUR["paper"], layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=_COLOUR["paper"])
    name = METRIC_NAMES.get(situation.metric, situation.metric)
    measured = [(date2num(p.at), p.measured) for p in points if p.measured is not None]
    estimated = [(date2num(p.at), p.estimated) for p in points if p.estimated is not None]
    bounds = [(date2num(p.at), p.bound) for p in points if p.bound is not None]
    if estimated:
        axes.plot(
            *_columns(estimated), color=_COLOUR["estimated"], linestyle=":", linewidth=1.6, label=f"{name}, estimated"
        )
    if measured:
        axes.plot(
            *_columns(measured),
            color=_COLOUR["measured"],
            marker="o",
            markersize=4,
            linewidth=2,
            label=f"{name}, measured",
        )
    if bounds:
        axes.step(*_columns(bounds), where="mid", color=_COLOUR["bound"], linestyle="--", linewidth=1.2, label="bound")
    first, last = date2num(points[0].at), date2num(points[-1].at)
    for incident in situation.incidents:
        start = max(date2num(incident.opened_at), first)
        end = min(date2num(incident.resolved_at) if incident.resolved_at else last, last)
        if start == end:
            axes.axvline(start, color=_COLOUR["incident"], alpha=0.35, linewidth=4, label="incident")
        elif start < end:
            axes.axvspan(start, end, color=_COLOUR["incident"], alpha=0.10, linewidth=0, label="incident")
    for change in situation.changes:
        at = date2num(change.at)
        if first <= at <= last:
            axes.axvline(at, color=_COLOUR["promotion"], linewidth=1.4)
            axes.annotate(
                f"v{change.version}", (at, 1), xycoords=("data", "axes fraction"), xytext=(3, -10),
                textcoords="offset points", color=_COLOUR["promotion"], fontsize=11, fontweight="bold",
            )  # fmt: skip
    axes.xaxis_date()
    locator = AutoDateLocator(minticks=2, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.tick_params(labelsize=10)
    axes.grid(axis="y", color=_COLOUR["grid"], linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(once.values(), once.keys(), loc="outside upper left", ncols=2, fontsize=10, frameon=False)
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": ""})
    return out.getvalue()


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _alt(situation: Situation, points: list[MetricPoint]) -> str:
    measured = [p for p in points if p.measured is not None] or points
    name = METRIC_NAMES.get(situation.metric, situation.metric)
    values = [p.measured if p.measured is not None else p.estimated for p in measured]
    told = [v for v in values if v is not None]
    said = f"{name} over {len(measured)} checks, {moment(measured[0].at)} to {moment(measured[-1].at)}: "
    said += (
        f"first {metric_in_words(told[0])}, lowest {metric_in_words(min(told))}, highest {metric_in_words(max(told))}, "
    )
    said += f"newest {metric_in_words(told[-1])}"
    bound = next((p.bound for p in reversed(points) if p.bound is not None), None)
    if bound is None:
        return f"{said}."
    side = "above" if situation.lower_is_better else "below"
    alarm = f"{said}. A value surely {side} {metric_in_words(bound)} is an alarm"
    beyond = told[-1] > bound if situation.lower_is_better else told[-1] < bound
    if beyond and METRIC not in situation.signals():
        return f"{alarm}; the newest is {side} it ({told[-1]:.4g} against {bound:.4g}), which may be chance."
    return f"{alarm}."
