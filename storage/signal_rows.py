"""Signals as the store keeps them: a row for each, and the same row with its check, as tables of data hold it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

_SAME = (
    "code", "verdict", "value", "threshold", "p_value", "effect", "worse", "direction", "said",
)


@dataclass(frozen=True)
class SignalRow:
    """A signal of a check, one row of a table of data; docs/reports.md says what each column means, and its unit.

    as_of: the time that the check speaks of. champion: the version that was checked. counted: whether the check moves
    incidents and decisions. interval_low, interval_high: None where the signal has no interval.
    """

    stream: str
    as_of: datetime
    report_id: str
    champion: int
    counted: bool
    code: str
    name: str
    verdict: str
    value: float | None
    effect: float | None
    interval_low: float | None
    interval_high: float | None
    p_value: float | None
    threshold: float | None
    worse: str | None
    direction: str | None
    n_reference: int
    n_current: int
    said: str

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The columns, in their order."""
        return tuple(field.name for field in fields(cls))


def verdict_of_signals(verdicts: Collection[str]) -> str:
    """A check's verdict by those of its signals: "breached" where one is, "ok" where one was judged, else neither."""
    return next((one for one in ("breached", "ok") if one in verdicts), "insufficient")


def signal_row(check_id: str, signal: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a signal as a check's document has it; what a document of an older trueup lacks is left empty."""
    low, high = signal.get("interval") or (None, None)
    same = {name: signal.get(name) for name in _SAME}
    counted = {name: signal.get(name) or 0 for name in ("n_reference", "n_current")}
    named = {"check_id": check_id, "name": signal.get("name") or ""}
    return {**named, **same, **counted, "interval_low": low, "interval_high": high}
