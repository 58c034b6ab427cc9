"""Evidently's two plots of a column at a tenth of their cost, most of which is plotly's checks of every property.

Evidently draws each kind of plot once a process, of made values; the plot of a column is that pattern with the column's
values in it. So a report looks as Evidently has it look, whatever its version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd


@contextmanager
def quick_plots() -> Iterator[None]:
    """Inside, Evidently plots a column's distribution and its course in this way; for one thread at a time."""
    from evidently.metrics import column_statistics

    distribution, course = column_statistics.plot_distr_with_perc_button, column_statistics.plot_agg_line_data
    column_statistics.plot_distr_with_perc_button, column_statistics.plot_agg_line_data = _quick(distribution, course)
    try:
        yield
    finally:
        column_statistics.plot_distr_with_perc_button, column_statistics.plot_agg_line_data = distribution, course


@cache
def _quick(distribution: Callable[..., Any], course: Callable[..., Any]) -> tuple[_Distributions, _Courses]:
    return _Distributions(distribution), _Courses(course)


@contextmanager
def plotted_once() -> Iterator[None]:
    """Inside, a column's distribution is plotted once.

    Evidently plots it anew for each figure of a column's summary, seven times in all, and shows the first.
    """
    from evidently.metrics import column_statistics

    plot, plotted = column_statistics.distribution, set()

    def once(title: str, current: Any, reference: Any) -> Any:
        if current.data.name in plotted:
            return []
        plotted.add(current.data.name)
        return plot(title, current, reference)

    column_statistics.distribution = once
    try:
        yield
    finally:
        column_statistics.distribution = plot


@dataclass(frozen=True)
class _Figure:
    """A figure as plotly writes it, in place of plotly's own object: traces and layout."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]

    def to_plotly_json(self) -> dict[str, Any]:
        return {"data": self.data, "layout": self.layout}

    def holding(self, *values: tuple[Any, Any]) -> _Figure:
        """The same with other values (x, y) of each trace."""
        data = [{**trace, "x": x, "y": y} for trace, (x, y) in zip(self.data, values, strict=True)]
        return _Figure(data, self.layout)


class _Patterns:
    """Figures of made values, drawn once for each look that Evidently asks for, of which there are few."""

    def __init__(self, plot: Callable[..., Any]) -> None:
        self._plot = plot
        self._drawn: dict[str, _Figure] = {}

    def of(self, look: dict[str, Any], **made: Any) -> _Figure:
        key = repr((look, made.keys()))
        if key not in self._drawn:
            self._drawn[key] = _Figure(**self._plot(**look, **made).to_plotly_json())
        return self._drawn[key]


class _Distributions:
    """In place of `plot_distr_with_perc_button`: bars of either side as counts, and behind a button as shares."""

    def __init__(self, plot: Callable[..., Any]) -> None:
        self._patterns = _Patterns(plot)

    def __call__(self, *, hist_curr: Any, hist_ref: Any = None, **look: Any) -> _Figure:
        from evidently.legacy.metric_results import HistogramData

        made = HistogramData(x=pd.Series([0.0, 1.0]), count=pd.Series([1, 1]))
        values = []
        for side in (hist_curr, hist_ref):
            if side is not None:
                x, count = side.x.to_numpy(), side.count
                values += [(x, count.to_numpy()), (x, ((count / count.sum()) * 100).to_numpy())]
        if hist_ref is None:
            return self._patterns.of(look, hist_curr=made).holding(*values)
        return self._patterns.of(look, hist_curr=made, hist_ref=made).holding(*values)


class _Courses:
    """In place of `plot_agg_line_data`: the means of the current values in their order, beside the reference's mean."""

    def __init__(self, plot: Callable[..., Any]) -> None:
        self._patterns = _Patterns(plot)

    def __call__(
        self, *, curr_data: dict[str, pd.DataFrame], line: float, std: float, yaxis_name: str, **look: Any
    ) -> _Figure:
        ((name, parts),) = curr_data.items()
        made = {name: pd.DataFrame({"per": [0, 1], "mean": [0.0, 1.0], "std": [1.0, 1.0]})}
        pattern = self._patterns.of({**look, "yaxis_name": "made"}, curr_data=made, line=0.0, std=1.0)
        place, mean, spread = parts["per"].to_numpy(), parts["mean"].to_numpy(), parts["std"].fillna(0).to_numpy()
        first, last = place.min(), place.max()
        drawn = pattern.holding(
            (place, np.full(len(place), line)),
            ([first, last, last, first], [line + std, line + std, line - std, line - std]),
            (np.r_[place, place[::-1]], np.r_[mean + spread, (mean - spread)[::-1]]),
            (place, mean),
        )
        axis = {**drawn.layout["yaxis"], "title": {"text": yaxis_name}}
        return _Figure(drawn.data, {**drawn.layout, "yaxis": axis})
