"""Made streams of many windows, calm ones and ones that turn while they are watched, for policies of retraining."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.promotion.made_streams import (
    Regime,
    draw_part,
    first_regime,
    rows_of_parts,
    stream_of_columns,
    turned_regime,
)
from trueup.storage.policy import Policy
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

HISTORY, WINDOW, WINDOWS = 800, 200, 12
Regimes = list[Regime]  # of each window
Turns = Callable[[Regime, np.random.Generator], Regimes]


def _calm(old: Regime, rng: np.random.Generator) -> Regimes:
    return [old] * WINDOWS


def _inputs_move(old: Regime, rng: np.random.Generator) -> Regimes:
    return _from(old, replace(old, weight=old.weight[:, ::-1]), rng)


def _mix_moves(old: Regime, rng: np.random.Generator) -> Regimes:
    share = float(np.clip(old.share + rng.choice([-0.2, 0.2]), 0.08, 0.8))
    return _from(old, replace(old, share=share), rng)


def _turns_a_little(old: Regime, rng: np.random.Generator) -> Regimes:
    return _from(old, turned_regime(old, rng.uniform(15, 35), rng), rng)


def _turns_for_good(old: Regime, rng: np.random.Generator) -> Regimes:
    return _from(old, turned_regime(old, rng.uniform(45, 120), rng), rng)


def _turns_and_returns(old: Regime, rng: np.random.Generator) -> Regimes:
    return _while(old, turned_regime(old, rng.uniform(30, 120), rng), rng)


def _turns_again_and_again(old: Regime, rng: np.random.Generator) -> Regimes:
    other, every = turned_regime(old, rng.uniform(30, 120), rng), int(rng.integers(2, 5))
    return [other if (window // every) % 2 else old for window in range(WINDOWS)]


def _labels_wrong_for_a_while(old: Regime, rng: np.random.Generator) -> Regimes:
    share = float(rng.uniform(0.15, 0.35))
    return _while(old, replace(old, wrong=(share, share)), rng)


def _labels_flip(old: Regime, rng: np.random.Generator) -> Regimes:
    return _from(old, replace(old, centre=old.centre[::-1], weight=old.weight[::-1], share=1 - old.share), rng)


CALM: dict[str, Turns] = {
    "nothing moves": _calm,
    "inputs move": _inputs_move,
    "class mix moves": _mix_moves,
    "turns a little": _turns_a_little,
    "turns for good": _turns_for_good,
}
RETURNING: dict[str, Turns] = {
    "turns and returns": _turns_and_returns,
    "turns again and again": _turns_again_and_again,
    "labels wrong for a while": _labels_wrong_for_a_while,
}
FLIPPING: dict[str, Turns] = {"labels flip": _labels_flip}
KINDS_OF_LONG = {**CALM, **RETURNING, **FLIPPING}


def long_stream(kind: str, seed: int, policy: Policy) -> tuple[StreamSettings, Rows, tuple[int, ...]]:
    """A stream of a kind, the same for the same seed.

    Returns:
        its settings under the policy; its rows; where its history and each of its windows end.
    """
    rng = np.random.default_rng([seed, list(KINDS_OF_LONG).index(kind), 3])
    old = first_regime(rng)
    regimes = KINDS_OF_LONG[kind](old, rng)
    parts = [draw_part(old, HISTORY, rng), *(draw_part(regime, WINDOW, rng) for regime in regimes)]
    ends = tuple(HISTORY + WINDOW * number for number in range(WINDOWS + 1))
    return stream_of_columns(policy.model_copy(update={"window": WINDOW})), rows_of_parts(parts, rng), ends


def _from(old: Regime, new: Regime, rng: np.random.Generator) -> Regimes:
    """The new one from a window on, not before the third and not after the eighth."""
    begins = int(rng.integers(2, 8))
    return [new if window >= begins else old for window in range(WINDOWS)]


def _while(old: Regime, new: Regime, rng: np.random.Generator) -> Regimes:
    """The new one for two to four windows."""
    begins, lasts = int(rng.integers(2, 7)), int(rng.integers(2, 5))
    return [new if begins <= window < begins + lasts else old for window in range(WINDOWS)]
