"""Figures as people read them, on pages, in terminals, in mails and in the sentences of signals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.storage.stream import StreamSettings


def figure(value: float | None) -> str:
    """Three significant digits, no needless zeros; a dash where there is no figure."""
    if value is None or math.isnan(value):
        return "–"
    if value != 0 and abs(value) < 0.0001:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def aligned_figure(value: float | None) -> str:
    """As mails write it: two decimals between 0.1 and 10, so that two metrics beside each other have as many digits."""
    if value is None:
        return "–"
    if abs(value) >= 10 and float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.2f}" if 0.1 <= abs(value) < 10 else f"{value:.3g}"


def p_value_figure(value: float | None) -> str:
    """A p-value: as `figure`, but never as if it were nought."""
    return "< 0.0001" if value is not None and value < 0.0001 else figure(value)


def percent(share: float) -> str:
    """A share of one: 0.8 %, 12 %."""
    return f"{100 * share:.1f} %" if abs(share) < 0.0995 else f"{100 * share:.0f} %"


def drop_figure(stream: StreamSettings, drop: float) -> str:
    """A drop of the stream's metric: of error metrics in percent of the reference, else on the metric's own scale."""
    return f"{100 * drop:.1f} %" if stream.lower_is_better else f"{drop:.3f}"


def odds_in_words(p_value: float, level: float) -> str:
    """How a p-value stands to its level."""
    rate = "in nearly every check" if p_value > 0.95 else f"once in {_times(p_value)} checks"
    return f"chance alone does this {rate}; once in {_times(level)} or rarer is a breach"


def _times(p_value: float) -> str:
    """How rare a chance is: 3, 1,800, 250,000, more than a million."""
    times = 1 / max(p_value, 1e-12)
    if times > 1e6:
        return "more than a million"
    if times < 20:
        return f"{times:.1f}".removesuffix(".0")
    digits = len(str(int(times))) - 2
    return f"{round(times, -digits):,.0f}"
