"""Figures as people read them, on pages, in terminals, in mails and in the sentences of signals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.storage.stream import StreamSettings

METRIC_NAMES = {
    "f1_macro": "macro-F1", "f1_score": "F1", "roc_auc": "ROC AUC", "mae": "MAE", "rmse": "RMSE", "r2": "R²",
}  # fmt: skip


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


def counted_noun(count: int, one: str) -> str:
    """A count with its noun: 1 row, 1,234 rows."""
    return f"{count:,} {one}{'s' if count != 1 else ''}"


def percent(share: float) -> str:
    """A share of one: 0.8 %, 12 %."""
    return f"{_hundredths(share)} %"


def percent_change(before: float, now: float) -> str:
    """A share that was one thing and is another: 75 → 64 %."""
    return f"{_hundredths(before)} → {_hundredths(now)} %"


def points(share: float) -> str:
    """A difference of two shares: 0.8 points, 11 points."""
    return f"{_hundredths(abs(share))} points"


def signed(value: float) -> str:
    """A change with its sign: +0.087, -0.12."""
    return f"{value:+,.0f}" if abs(value) >= 1000 else f"{value:+.3g}" if abs(value) >= 0.0005 else "0"


def metric_name(metric: str) -> str:
    """A metric as people write it, within a sentence: macro-F1 for f1_macro."""
    return METRIC_NAMES.get(metric, metric)


def capitalised(words: str) -> str:
    """The words as a sentence begins; the rest stays as it is."""
    return words[:1].upper() + words[1:]


def listed(value: object) -> str:
    """A setting's value within a sentence: its items, or the value."""
    return (", ".join(map(str, value)) or "nothing") if isinstance(value, list | tuple) else str(value)


def drop_figure(stream: StreamSettings, drop: float) -> str:
    """A drop of the stream's metric: of error metrics in percent of the reference, else on the metric's own scale."""
    return percent(drop) if stream.lower_is_better else figure(drop)


def change_of_metric(stream: StreamSettings, drop: float) -> str:
    """A drop of the stream's metric as the change that a reader sees: -0.087 for a drop, +12 % for a rise of errors."""
    if not stream.lower_is_better:
        return signed(-drop)
    written = percent(drop)
    return written if written.startswith("-") else f"+{written}"


def interval_of_metric(stream: StreamSettings, interval: tuple[float, float], level: float) -> str:
    """The interval of a drop, whose either end is missed with the chance `level`, as that of the change."""
    low, high = interval if stream.lower_is_better else interval[::-1]
    return f"{confidence(1 - 2 * level)} CI {change_of_metric(stream, low)} to {change_of_metric(stream, high)}"


def confidence(share: float) -> str:
    """How sure, never rounded up to certainty: 95 %, 99.4 %, 99.96 %."""
    for digits in range(1, 6):
        written = f"{100 * share:.{digits}f}"
        if not written.startswith("100"):
            return f"{written.rstrip('0').rstrip('.')} %"
    return "over 99.9999 %"


def p_and_threshold(value: float, threshold: float) -> str:
    """A p-value beside its threshold: p = 0.85, threshold 0.0004."""
    least = 0.0001 if threshold >= 0.0001 else 10.0 ** math.floor(math.log10(threshold))
    written = f"p < {_plain(least)}" if value < least else f"p = {_plain(value)}"
    return f"{written}, threshold {_plain(threshold)}"


def significance(value: float, threshold: float, *, material: bool = True) -> str:
    """What a p-value says, as a sentence: Not significant (p = 0.85, threshold 0.0004)."""
    beyond = value <= threshold
    small = ", but too small a change to matter" if beyond and not material else ""
    return f"{'Significant' if beyond else 'Not significant'} ({p_and_threshold(value, threshold)}){small}."


def _hundredths(share: float) -> str:
    return "0" if share == 0 else f"{100 * share:.1f}" if abs(share) < 0.0995 else f"{100 * share:.0f}"


def _plain(value: float) -> str:
    """Two significant digits, without an exponent."""
    digits = 1 - math.floor(math.log10(value)) if 0 < value < 1 else 1
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
