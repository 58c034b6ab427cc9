"""Two stored checks of a stream side by side: what each signal was before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trueup.monitoring.check import Signal, Verdict


@dataclass(frozen=True)
class Change:
    """A signal in two checks; a side is None where its check holds no such signal.

    turned: its verdict is another one. Values of two checks are compared with the same reference only where both are of
    the same champion.
    """

    code: str
    name: str
    turned: bool
    verdict_before: Verdict | None
    verdict_after: Verdict | None
    value_before: float | None
    value_after: float | None
    effect_before: float | None
    effect_after: float | None
    p_value_before: float | None
    p_value_after: float | None


def compared(before: Sequence[Signal], after: Sequence[Signal]) -> list[Change]:
    """Every signal of either check: those whose verdict turned first, then in the order of the later check."""
    first = {signal.code: signal for signal in before}
    second = {signal.code: signal for signal in after}
    found = [_change(first.get(code), second.get(code)) for code in dict.fromkeys((*second, *first))]
    return sorted(found, key=lambda change: not change.turned)


def _change(before: Signal | None, after: Signal | None) -> Change:
    known = after or before
    assert known is not None
    return Change(
        code=known.code,
        name=known.name,
        turned=(before and before.verdict) != (after and after.verdict),
        verdict_before=before.verdict if before else None,
        verdict_after=after.verdict if after else None,
        value_before=before.value if before else None,
        value_after=after.value if after else None,
        effect_before=before.effect if before else None,
        effect_after=after.effect if after else None,
        p_value_before=before.p_value if before else None,
        p_value_after=after.p_value if after else None,
    )
