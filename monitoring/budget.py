"""How the false-alarm budget of one check is shared between its signals."""

from __future__ import annotations

from collections.abc import Sequence

SCORE = "DRF-SCORE"


def share(false_alarms: float, codes: Sequence[str]) -> dict[str, float]:
    """The level of each tested signal; together they spend no more than `false_alarms` (Bonferroni's inequality).

    Half goes to the score, the one signal that sees a change of sentiment without labels, where it stands among
    others; the rest is shared evenly. Simes or min-p would gain almost nothing on signals correlated below .8.
    """
    others = [code for code in codes if code != SCORE]
    if SCORE not in codes:
        return {code: false_alarms / len(others) for code in others}
    if not others:
        return {SCORE: false_alarms}
    return {SCORE: false_alarms / 2, **{code: false_alarms / 2 / len(others) for code in others}}
