"""Both sides of a signal for its picture: numbers in common bins, levels counted in one order, words that moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trueup.monitoring.check import Signal
from trueup.monitoring.distribution import POOLED_LEVEL, Distribution, Shows
from trueup.monitoring.signals.samples import SamplePair, ValueKind
from trueup.monitoring.stats.quantiles import quantiles
from trueup.monitoring.stats.words import WordShare

_BINS = 24
_EXACT = 1e9  # up to which a half beside a whole number is told apart
_WHOLE = 30  # whole numbers that span no more have a bin each
_LEVELS = 12
_LONGEST = 60  # characters of a level
_TAIL = 0.005  # of either side's values may lie beyond the outer bins


def with_both_sides(found: Signal, pair: SamplePair) -> Signal:
    """The signal with what a picture shows of the samples that it compared; texts have none but their words."""
    if found.distribution is not None or pair.kind is ValueKind.TEXTS:
        return found
    return replace(found, distribution=_distribution(pair))


def words_that_moved(words: Sequence[WordShare]) -> Distribution:
    """The words of a test, with the share of texts that hold each."""
    return Distribution(
        shows=Shows.WORDS,
        names=tuple(word.word[:60] for word in words),
        reference=tuple(word.reference for word in words),
        current=tuple(word.current for word in words),
    )


def _distribution(pair: SamplePair) -> Distribution | None:
    if pair.kind in (ValueKind.NUMBERS, ValueKind.SHARES):
        return binned(*pair.ordered)
    if pair.kind is ValueKind.MISSING:
        gone = [np.array([side.sum(), len(side) - side.sum()]) for side in (pair.reference, pair.current)]
        return counted_levels(gone[0], gone[1], ("missing", "present"))
    return counted_levels(*pair.counts(), pair.names, ordered=pair.counted)


def binned(reference: np.ndarray, current: np.ndarray) -> Distribution | None:
    """Numbers (n,) of both sides, ascending, in bins of one width that reach over both; None: neither side has any.

    What lies beyond the outer bins is counted in them.
    """
    sides = [np.asarray(side, dtype=float) for side in (reference, current)]
    held = [side[np.isfinite(side)] for side in sides]
    count = sum(map(len, held))
    edges = _edges([side for side in held if len(side)]) if count else None
    if edges is None:
        return None
    counts = [np.diff(np.searchsorted(side, edges[1:-1]), prepend=0, append=len(side)) for side in held]
    beyond = sum(np.searchsorted(side, edges[0]) + np.count_nonzero(side > edges[-1]) for side in held)
    return Distribution(
        shows=Shows.BINS, edges=tuple(map(float, edges)), beyond=round(float(beyond / count), 4),
        reference=tuple(map(float, counts[0])), current=tuple(map(float, counts[1])),
    )  # fmt: skip


def _edges(sides: Sequence[np.ndarray]) -> np.ndarray | None:
    least, largest = float(min(side[0] for side in sides)), float(max(side[-1] for side in sides))
    narrow = max(-least, largest) < _EXACT and largest - least <= _WHOLE
    if narrow and all((side == np.round(side)).all() for side in sides):
        return np.arange(least - 0.5, largest + 1.0)
    tails = [quantiles(side, [_TAIL, 1 - _TAIL]) for side in sides]
    low, high = float(min(tail[0] for tail in tails)), float(max(tail[1] for tail in tails))
    if low == high:
        low, high = least, largest
    if low == high:
        return np.array([np.nextafter(low, -np.inf), np.nextafter(high, np.inf)])
    with np.errstate(over="ignore"):
        if not np.isfinite(high - low):
            return None
    edges = np.linspace(low, high, _BINS + 1)
    return edges if (np.diff(edges) > 0).all() else None


def counted_levels(
    reference: np.ndarray, current: np.ndarray, names: Sequence[str], *, ordered: bool = False
) -> Distribution:
    """Counts (k,) of the levels `names` on both sides, all but the commonest as one.

    ordered: the levels are numbers, and stand in their order.
    """
    reference, current = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    shares = np.maximum(reference / max(reference.sum(), 1.0), current / max(current.sum(), 1.0))
    most = _LEVELS if len(names) <= _LEVELS else _LEVELS - 1
    kept = np.sort(np.argsort(-shares, kind="stable")[:most])
    if ordered:
        kept = np.array(sorted(kept, key=lambda place: _number(names[place])), dtype=int)
    rest = len(names) - len(kept)
    shown = _different([names[place] for place in kept])
    sides = [[float(side[place]) for place in kept] for side in (reference, current)]
    if rest:
        shown.append(POOLED_LEVEL)
        for side, whole in zip(sides, (reference, current), strict=True):
            side.append(float(whole.sum()) - sum(side))
    return Distribution(
        shows=Shows.LEVELS, names=tuple(shown), ordered=ordered, reference=tuple(sides[0]), current=tuple(sides[1])
    )


def _different(names: Sequence[str]) -> list[str]:
    """Long names cut, so that different ones stay different."""
    short = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in names]
    return [name if short.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(short, 1)]


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return float("inf")
