"""The page of a replay: a table of the policies, and a timeline of each, drawn as SVG in the page itself.

Every name on it is data and is escaped; the page holds no script, and its own policy forbids any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.reports.pictures.axes import Axes, Frame, Tick, calendar, extent, nice
from trueup.reports.pictures.palette import palette_css
from trueup.reports.replay_facts import Moment, Played, Replay
from trueup.storage.escaping import for_page
from trueup.storage.formatting import figure

if TYPE_CHECKING:
    import jinja2

BESIDE = "never"  # drawn in grey behind every policy: what doing nothing would have cost
FRAME = Frame(width=900, height=196, left=64, right=884, top=26, bottom=164)


@dataclass(frozen=True)
class Mark:
    """One check in a panel; `y` is None where it has no metric."""

    x: float
    y: float | None
    breached: bool
    refused: bool
    promoted: str
    words: str


@dataclass(frozen=True)
class _Row:
    """One check in a policy's table."""

    as_of: str
    champion: str
    metric: str
    breached: str
    outcome: str


@dataclass(frozen=True)
class Panel:
    """One policy: its line, the baseline behind it, its marks and its table."""

    name: str
    line: str
    beside: str
    marks: tuple[Mark, ...]
    rows: tuple[_Row, ...]


@dataclass(frozen=True)
class Line:
    """One policy in the table on top."""

    name: str
    checks: int
    alerts: int
    retrains: int
    promotions: int
    mean: str
    gained: str
    best: bool


def replay_page(replay: Replay) -> str:
    """The whole HTML page."""
    axes = axes_of(replay)
    beside = next((played for played in replay.policies if played.name == BESIDE), None)
    behind = _path(axes, beside.timeline) if beside else ""
    return _template().render(
        palette=palette_css(),
        replay=replay,
        start=f"{replay.start:%Y-%m-%d %H:%M} UTC",
        lines=_lines(replay, beside),
        panels=[_panel(axes, played, "" if played is beside else behind) for played in replay.policies],
        x_ticks=[Tick(axes.x(moment), words) for moment, words in calendar(axes.start, axes.end)],
        y_ticks=[Tick(axes.y(value), f"{value:.10g}") for value in nice(axes.low, axes.high)],
        frame=FRAME,
        beside=BESIDE,
    )


def axes_of(replay: Replay) -> Axes:
    """Axes that hold every check and every metric of the replay, with a little room above and below."""
    moments = [moment for played in replay.policies for moment in played.timeline]
    values = [moment.metric for moment in moments]
    return Axes(FRAME, replay.start, max(moment.as_of for moment in moments), *extent(values))


def _lines(replay: Replay, beside: Played | None) -> list[Line]:
    sign = -1 if replay.lower_is_better else 1
    means = [sign * played.metric_mean for played in replay.policies if played.metric_mean is not None]
    against = beside.metric_mean if beside else None
    return [
        Line(
            name=played.name,
            checks=len(played.timeline),
            alerts=played.alerts,
            retrains=played.retrains,
            promotions=played.promotions,
            mean=figure(played.metric_mean),
            gained=_signed(played.metric_mean, against) if played is not beside else "",
            best=played.metric_mean is not None and sign * played.metric_mean == max(means),
        )
        for played in replay.policies
    ]


def _signed(value: float | None, against: float | None) -> str:
    if value is None or against is None:
        return "–"
    sign = "+" if value > against else "−" if value < against else ""
    return f"{sign}{figure(abs(value - against))}"


def _panel(axes: Axes, played: Played, beside: str) -> Panel:
    return Panel(
        name=played.name,
        line=_path(axes, played.timeline),
        beside=beside,
        marks=tuple(_mark(axes, moment) for moment in played.timeline),
        rows=tuple(_row(moment) for moment in reversed(played.timeline)),
    )


def _path(axes: Axes, timeline: Sequence[Moment]) -> str:
    """The line through the metrics as SVG path data; a check without one is left out of it."""
    places = [(axes.x(m.as_of), axes.y(m.metric)) for m in timeline if m.metric is not None]
    return " ".join(f"{'L' if k else 'M'}{x} {y}" for k, (x, y) in enumerate(places))


def _mark(axes: Axes, moment: Moment) -> Mark:
    row = _row(moment)
    said = f"{row.as_of}: v{moment.champion}, {row.metric}; {row.breached}; {row.outcome}"
    return Mark(
        x=axes.x(moment.as_of),
        y=None if moment.metric is None else axes.y(moment.metric),
        breached=bool(moment.breached),
        refused=moment.action == "retrain" and moment.promoted is None,
        promoted="" if moment.promoted is None else f"v{moment.promoted}",
        words=said,
    )


def _row(moment: Moment) -> _Row:
    if moment.promoted is not None:
        outcome = f"v{moment.promoted} promoted"
    else:
        outcome = {"retrain": "a challenger, not promoted", "alert": "told of"}.get(moment.action, "")
    return _Row(
        as_of=f"{moment.as_of:%Y-%m-%d %H:%M}",
        champion=f"v{moment.champion}",
        metric=figure(moment.metric),
        breached=", ".join(moment.breached) or "nothing breached",
        outcome=outcome or "no action",
    )


def _template() -> jinja2.Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trueup.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=for_page,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("replay.html")
