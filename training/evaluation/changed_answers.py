"""What a challenger answers otherwise than its opponent: how often each errs, and records that it puts right."""

from __future__ import annotations

from typing import Any

import numpy as np

from trueup.training.evaluation.paired import Paired

_EXAMPLES = 3
_NEWEST = 30  # rows of the newest window from which on it is told of alone: older ones may be from before the change


def changed_answers(paired: Paired) -> dict[str, Any]:
    """Errors of both on the same rows, those of the newest window where it holds enough, as the gate keeps them.

    Returns:
        `records`; `wrong_before` and `wrong_now`: shares of wrong answers of opponent and challenger, for numbers their
        mean absolute errors; `repaired`, `broken`: answers that became right, or wrong, for numbers nearer or farther;
        `examples`: at most three newest repaired records: `id`, `truth`, `before`, `now`, all as text.
    """
    if paired.age is not None and int((paired.age < 1).sum()) >= _NEWEST:
        paired = paired.take(paired.age < 1)
    if not len(paired):
        return {}
    if paired.classes:
        before = (paired.opponent_predicted != paired.truth).astype(float)
        now = (paired.challenger_predicted != paired.truth).astype(float)
    else:
        before = np.abs(paired.opponent_predicted - paired.truth)
        now = np.abs(paired.challenger_predicted - paired.truth)
    gained = before - now
    best = np.flatnonzero(gained > 0)
    if not paired.classes:
        best = best[np.argsort(gained[best], kind="stable")]
    return {
        "records": len(paired),
        "wrong_before": float(before.mean()),
        "wrong_now": float(now.mean()),
        "repaired": int((gained > 0).sum()),
        "broken": int((gained < 0).sum()),
        "examples": [_example(paired, int(k)) for k in best[::-1][:_EXAMPLES]] if len(paired.ids) else [],
    }


def _example(paired: Paired, k: int) -> dict[str, str]:
    def told(value: object) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value)

    return {
        "id": str(paired.ids[k]),
        "truth": told(paired.truth[k]),
        "before": told(paired.opponent_predicted[k]),
        "now": told(paired.challenger_predicted[k]),
    }
