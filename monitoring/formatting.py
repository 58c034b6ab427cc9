"""Figures as people read them, the same on pages, in terminals and in mails."""

from __future__ import annotations

import math


def figure(value: float | None) -> str:
    """Three significant digits, no needless zeros; a dash where there is no figure."""
    if value is None or math.isnan(value):
        return "–"
    if value != 0 and abs(value) < 0.0001:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def chance(value: float | None) -> str:
    """A p-value: as `figure`, but never as if it were nought."""
    return "< 0.0001" if value is not None and value < 0.0001 else figure(value)
