"""How the false-alarm budget of one check is shared between its signals."""

from __future__ import annotations

from collections.abc import Sequence

SCORE = "DRF-SCORE"
# The two signals that speak of the model itself; a shift of sentiment shows without labels in the score alone.
WEIGHTS = {SCORE: 0.4, "PRF-METRIC": 0.2}


def share(false_alarms: float, codes: Sequence[str]) -> dict[str, float]:
    """The level of each tested signal; together they spend no more than `false_alarms` (Bonferroni's inequality).

    Score and metric take their weights where they are tested, the others share the rest evenly. Simes or min-p would
    gain almost nothing on signals correlated below .8.
    """
    own = {code: WEIGHTS[code] for code in codes if code in WEIGHTS}
    others = [code for code in codes if code not in own]
    if not others:
        return {code: false_alarms * weight / sum(own.values()) for code, weight in own.items()}
    left = (1 - sum(own.values())) / len(others)
    return {code: false_alarms * own.get(code, left) for code in codes}
