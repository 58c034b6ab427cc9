"""DQ-QUARANTINE: whether more of the newest items are refused than of those before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from trueup.monitoring.check import Signal, Worse
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.signals.pending import MIN_VALUES, PendingTest, far_beyond_chance, insufficient, verdict_of
from trueup.monitoring.stats.proportions import share_test
from trueup.storage.formatting import percent, significance
from trueup.storage.stream import StreamSettings

_CODE, _NAME = "DQ-QUARANTINE", "share of refused items among the newest received"
_FLOOR = 0.02  # rise of the share under which it is immaterial
_BATCH = 500  # newest items looked at, beside the newest receipt alone


def quarantine_rate(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests whether more of the newest items are refused than of those before."""
    received, refused = _all_received(comparison.intake)
    looks = sorted({_newest(received, size) for size in (MIN_VALUES, stream.policy.window_records or _BATCH)} - {0})
    if not looks:
        said = (
            f"{len(received)} items received; a comparison needs the newest {MIN_VALUES} and {MIN_VALUES} before them."
        )
        yield insufficient(_CODE, _NAME, said, n_current=len(received))
    else:
        yield PendingTest(_CODE, partial(_judge, received, refused, looks), costs_nothing=not refused.any())


def _all_received(intake: Intake) -> tuple[np.ndarray, np.ndarray]:
    """When each item was received, ascending (n,), and whether it was refused (n,)."""
    accepted, refused = intake.accepted_at, intake.quarantined_at
    if not len(refused):  # mostly: of a history of millions nothing is copied
        return accepted, np.broadcast_to(False, len(accepted))
    received = np.concatenate([accepted, refused])
    order = np.argsort(received, kind="stable")
    return received[order], order >= len(accepted)


def _newest(received: np.ndarray, size: int) -> int:
    """Where the newest receipts that hold `size` items begin; 0 where too few items lie before them."""
    if len(received) < size:
        return 0
    start = int(np.searchsorted(received, received[-size], side="left"))  # what came together stays together
    return start if start >= MIN_VALUES else 0


def _judge(received: np.ndarray, refused: np.ndarray, looks: list[int], level: float) -> Signal:
    """The stronger of the looks, paid for as often as was looked."""
    p_values = [share_test(refused[:start], refused[start:]) for start in looks]
    p_value = min(1.0, len(looks) * min(p_values))
    start = looks[int(np.argmin(p_values))]
    old, new = float(refused[:start].mean()), float(refused[start:].mean())
    worst = _worst_earlier(received[:start], refused[:start])
    material = new - old >= _FLOOR and new > worst
    outcome = verdict_of(p_value, level, material)
    return Signal(
        code=_CODE,
        name=_NAME,
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, p_value, level),
        direction="up" if new > old else "down",
        said=f"Refused items: {percent(new)} of the newest {len(refused) - start}, before that {percent(old)}. "
        f"{significance(p_value, level, material=material)} Reasons: trueup quarantine list.",
        value=new,
        threshold=level,
        p_value=p_value,
        effect=new - old,
        worse=Worse.HIGHER,
        n_reference=start,
        n_current=len(refused) - start,
    )


def _worst_earlier(received: np.ndarray, refused: np.ndarray) -> float:
    """The highest share refused in an earlier receipt: a feed that now and then sends a bad file is as usual then."""
    _, receipt, sizes = np.unique(received, return_inverse=True, return_counts=True)
    shares = np.bincount(receipt, refused, minlength=len(sizes)) / sizes
    return float(shares[sizes >= MIN_VALUES].max(initial=0.0))
