"""How the false-alarm budget of one check is shared between its signals."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.monitoring.signals.catalogue import kind_of


def levels_of(false_alarms: float, codes: Sequence[str]) -> dict[str, float]:
    """The level of each tested signal; together they spend no more than `false_alarms` (Bonferroni's inequality).

    Signals with a weight of their own take it where they are tested, the others share the rest evenly. Simes or min-p
    would gain almost nothing on signals correlated below .8.
    """
    weights = {code: kind_of(code).weight for code in codes}
    own = {code: weight for code, weight in weights.items() if weight}
    others = [code for code in codes if code not in own]
    if not others:
        return {code: false_alarms * weight / sum(own.values()) for code, weight in own.items()}
    left = (1 - sum(own.values())) / len(others)
    return {code: false_alarms * own.get(code, left) for code in codes}
