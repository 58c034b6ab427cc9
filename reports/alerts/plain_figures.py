"""Figures as a person reads them at night: 3 in 10, about 130, Fri 31 July 11:00 CEST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trueup.storage.formatting import aligned_figure

_EXACT = 0.12  # relative error of "n in 10" up to which it is said so


def share(value: float, *, simple: bool = True) -> str:
    """A share in [0, 1]: "3 in 10" where that is nearly exact, else "28 in 100" or "1 in 250"."""
    tenths = round(10 * value)
    if value == 0:
        return "none"
    if simple and 1 <= tenths <= 9 and abs(tenths / 10 - value) <= _EXACT * value:
        return f"{tenths} in 10"
    if 0.01 <= value <= 0.995:
        return f"{round(100 * value)} in 100"
    if value > 0.5:
        return f"{100 * value:.3g} %"
    if value < 1e-6:
        return "fewer than 1 in a million"
    every = round(1 / value)
    return f"1 in {round(every, 2 - len(str(every))):,}"


def share_pair(now: float, before: float) -> tuple[str, str]:
    """Two shares in words that differ where the shares differ by a hundredth or more."""
    said = share(now), share(before)
    mixed = (" in 100" in said[0]) != (" in 100" in said[1])
    if said[0] == said[1] or (mixed and "none" not in said):
        return share(now, simple=False), share(before, simple=False)
    return said


def about(value: float) -> str:
    """A count, rounded to two digits from a hundred on: 37, "about 130", "about 4,300"."""
    whole = round(value)
    if whole < 100:
        return f"{whole}"
    digits = len(str(whole)) - 2
    rounded = round(whole, -digits)
    return f"{rounded:,}" if rounded == whole else f"about {rounded:,}"


def error(value: float) -> str:
    """A mean absolute error, in the label's unit."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def metric_in_words(value: float | None) -> str:
    """A metric, as mails write it."""
    return aligned_figure(value)


def moment(at: datetime) -> str:
    """A time in UTC: 2020-07-31 23:59 UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def day_of(at: datetime) -> str:
    """A day in UTC: 9 June 2024."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y}"


def deadline(at: datetime, timezone: str) -> str:
    """A time by which somebody decides, in the reader's zone and in UTC."""
    local = at.astimezone(ZoneInfo(timezone))
    shown = f"{local:%a} {local.day} {local:%B %H:%M %Z}"
    if local.utcoffset() == timedelta(0):
        return shown
    other = "" if local.date() == at.astimezone(UTC).date() else f"{at.astimezone(UTC):%a }"
    return f"{shown} ({other}{at.astimezone(UTC):%H:%M} UTC)"


def lasted(span: timedelta) -> str:
    """How long something took: 40 minutes, 5 hours, 17 days."""
    hours = span.total_seconds() / 3600
    for size, unit in ((24, "day"), (1, "hour"), (1 / 60, "minute")):
        count = int(hours / size)
        if count >= (2 if unit != "minute" else 1):
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "less than a minute"
