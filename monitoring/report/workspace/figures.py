"""What a check says in Evidently's UI: its name, its tags, and its figures as metrics of our own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from trueup.monitoring.check import Check, Verdict
from trueup.storage.escaping import for_terminal
from trueup.storage.timepoints import to_minute

# Ids of ours are of UUID's fifth version, those that Evidently gives to what people add of its seventh.
OUR_UUID_VERSION = 5
_NAMESPACE = UUID("6d2f3c1e-5f0a-5c7b-9a54-7c1f0b1f6d11")

VALUE, EFFECT, BOUND, OF_CHECK, GATE_VALUE, GATE_BOUND = "value", "effect", "bound", "check", "gate value", "gate bound"
DRIFT_SHARE, BREACHED, WINDOW_RECORDS, INCIDENTS = "drift share", "breached signals", "records", "open incidents"
_DRIFT, _QUALITY = "DRF-", "PRF-"


@dataclass(frozen=True)
class GateTestFigure:
    """One test of a gate: its figure, and the bound that it was compared with."""

    code: str
    value: float | None
    bound: float | None


@dataclass(frozen=True, kw_only=True)
class CheckedRun:
    """A check as a run of a workspace.

    as_of: the time that it speaks of. version: the champion. gate: of the challenger that its cycle trained.
    open_incidents: of the stream, at that time.
    """

    report_id: str
    as_of: datetime
    version: int
    check: Check
    gate: tuple[GateTestFigure, ...] = ()
    open_incidents: int = 0

    @property
    def run_id(self) -> UUID:
        """Its id in the workspace, the same each time."""
        return fixed_id("run", self.report_id)


@dataclass(frozen=True)
class ShownFigure:
    """One number of a run. key and code never change: they are the identity of its line in the UI."""

    key: str
    code: str
    value: float
    said: str = field(compare=False)


def fixed_id(*path: str) -> UUID:
    """The id of a part of a workspace, by what it is; the same in every export."""
    return uuid5(_NAMESPACE, "/".join(path))


def shown_figures(run: CheckedRun) -> Iterator[ShownFigure]:
    """Every figure of a run that is known and finite, one for each key and code."""
    for signal in run.check.signals:
        of_value = signal.p_value is None or signal.code.startswith(_QUALITY)  # others bound their p-value
        bound = signal.threshold if of_value else None
        for key, value in ((VALUE, signal.value), (EFFECT, signal.effect), (BOUND, bound)):
            yield from _known(key, signal.code, value, f"{signal.code}: {key}")
    for test in run.gate:
        for key, value in ((GATE_VALUE, test.value), (GATE_BOUND, test.bound)):
            yield from _known(key, test.code, value, f"{test.code}: {key}")
    signals = run.check.signals
    drift = [s for s in signals if s.code.startswith(_DRIFT) and s.verdict is not Verdict.INSUFFICIENT]
    share = sum(s.verdict is Verdict.BREACHED for s in drift) / len(drift) if drift else None
    of_check: Mapping[str, float | None] = {
        DRIFT_SHARE: share,
        BREACHED: len(run.check.breached),
        WINDOW_RECORDS: max((s.n_current for s in signals), default=None),
        INCIDENTS: run.open_incidents,
    }
    for code, value in of_check.items():
        yield from _known(OF_CHECK, code, value, code.capitalize())


def run_name(run: CheckedRun) -> str:
    """What the list of runs shows: when, and what came out."""
    codes = [for_terminal(signal.code) for signal in run.check.breached]
    more = f" and {len(codes) - 3} more" if len(codes) > 3 else ""
    return f"{to_minute(run.as_of)}: {', '.join(codes[:3]) + more + ' breached' if codes else _verdict(run.check)}"


def run_tags(stream: str, run: CheckedRun) -> list[str]:
    """What runs are filtered by."""
    return [
        stream, f"champion v{run.version}", "counted" if run.check.counted else "provisional", _verdict(run.check),
        *(for_terminal(signal.code) for signal in run.check.breached), run.report_id,
    ]  # fmt: skip


def _verdict(check: Check) -> str:
    if check.breached:
        return "breached"
    return "ok" if any(signal.verdict is Verdict.OK for signal in check.signals) else "not judged"


def _known(key: str, code: str, value: float | None, said: str) -> Iterator[ShownFigure]:
    if value is not None and math.isfinite(value):
        yield ShownFigure(key, code, value, for_terminal(said))
