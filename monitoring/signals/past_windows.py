"""Series streams: the window is compared with the stream's own past windows of the same length.

Neighbouring records of a series depend on each other, so that two healthy windows differ far beyond what chance allows
exchangeable records (measured: 90-100 % false alarms). What is usual is read off the past instead: the distance of each
past window from all that came before it, as the current one stands to its own past. A change larger than any of many
windows has a rank as its p-value; where the windows are too few for the level, the fourth roots of the distances are
taken as normal, and the current one is compared with Student's prediction bound. The fourth root makes sums of a few
squares symmetric (Hawkins & Wixley 1986, Am. Stat. 40), and divergences are such sums. Measured on healthy series of
21 and 48 windows at the level .005: .000 to .012; on logarithms with the grain of one record .000 to .042.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import t

from trueup.monitoring.check import Signal
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.both_sides import with_both_sides
from trueup.monitoring.signals.drift import MOVED_FLOOR, cannot_change, too_few, with_unit_change
from trueup.monitoring.signals.pending import PendingTest, far_beyond_chance, insufficient, verdict_of
from trueup.monitoring.signals.samples import SamplePair, ValueKind, sample_pairs
from trueup.monitoring.stats.words import incidence
from trueup.storage.formatting import capitalised, percent_change, significance
from trueup.storage.policy import Policy
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

FEWEST_WINDOWS = 20  # past windows under which nothing is said about what is usual
FEWEST_DISTANCES = 12  # of them that hold values and have a past of their own
_CELLS = 24  # quantile bins of numbers
_LEVELS = 60
_WORDS = 300


@dataclass(frozen=True)
class Windows:
    """Disjoint past windows as long as the current one: the event times at which they begin (count,), ascending."""

    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def of(self, times: np.ndarray) -> np.ndarray:
        """The number of the window that each time falls in; -1 for what is older than all of them."""
        return np.asarray(np.searchsorted(self.starts, times, side="right") - 1)


def past_windows(policy: Policy, past: Rows, length: int) -> Windows:
    """Cuts a snapshot (in time order) backwards from its end into windows as the current one was cut.

    Where the policy's window is a span, they are spans too: so each holds the same hours and weekdays as the current
    one, however many records fell out of it. Else they hold `length` records.
    """
    times = past.meta["time"].to_numpy()
    if not len(times) or not length:
        return Windows(times[:0])
    if policy.window_span is not None:
        span = np.timedelta64(policy.window_span)
        back = np.arange(int((times[-1] - times[0]) // span), 0, -1)
        return Windows(times[-1] - back * span + np.timedelta64(1, "us"))  # a window begins after its span's start
    count = len(times) // length
    return Windows(times[len(times) - count * length :][::length])


@dataclass(frozen=True)
class PastQuantile:
    """How an amount compares with its past values: p_value that it is no larger, and the largest of them."""

    p_value: float
    highest: float


def p_value_against_past(now: float, past: np.ndarray, *, level: float) -> PastQuantile:
    """P(an amount as large as `now`) given its values in past windows.

    Args:
        now, past: amounts >= 0; past (m,), m >= 2.
        level: at which it will be held; the rank is used where m + 1 windows can reach it.
    """
    m = len(past)
    if 1 / (m + 1) <= level:
        return PastQuantile((1 + int((past >= now).sum())) / (m + 1), float(past.max()))
    roots = past**0.25
    spread = float(roots.std(ddof=1)) * float(np.sqrt(1 + 1 / m))
    excess = now**0.25 - float(roots.mean())
    if spread < 1e-9:
        return PastQuantile(0.0 if excess > 1e-9 else 1.0, float(past.max()))
    return PastQuantile(float(t.sf(excess / spread, m - 1)), float(past.max()))


def series_drift(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """A test of each pair of samples, or the answer that there are too few values or windows."""
    cut = past_windows(stream.policy, comparison.past, len(comparison.current))
    for pair in sample_pairs(stream, comparison):
        few = too_few(pair)
        if few is not None:
            yield few
        elif len(cut) < FEWEST_WINDOWS:
            yield insufficient(
                pair.code, pair.name,
                f"{capitalised(pair.what)}: the snapshot holds {len(cut)} windows of this length "
                f"({len(comparison.current)} records); {FEWEST_WINDOWS} are needed to know what is usual.",
                len(pair.reference), len(pair.current),
            )
        else:
            yield PendingTest(pair.code, partial(_judge, pair, cut, comparison.seed), costs_nothing=cannot_change(pair))


def _judge(pair: SamplePair, cut: Windows, seed: int, level: float) -> Signal:
    counts = _counts(pair, cut.of(pair.times), len(cut))
    distances, moved = _distances(counts, seed)
    past, now = distances[:-1][~np.isnan(distances[:-1])], float(distances[-1])
    if len(past) < FEWEST_DISTANCES:
        said = (
            f"{capitalised(pair.what)}: {len(past)} past windows have values and enough history before them; "
            f"{FEWEST_DISTANCES} are needed to know what is usual."
        )
        return insufficient(pair.code, pair.name, said, len(pair.reference), len(pair.current))
    usual = p_value_against_past(now, past, level=level)
    material = moved >= MOVED_FLOOR
    outcome = verdict_of(usual.p_value, level, material)
    found = Signal(
        code=pair.code,
        name=f"{pair.name}, against past windows",
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, usual.p_value, level),
        said=f"{_sentence(pair)}. Distance to history {now:.2g}; largest of {len(past)} earlier windows "
        f"{usual.highest:.2g}. {significance(usual.p_value, level, material=material)}",
        value=now,
        threshold=level,
        p_value=usual.p_value,
        effect=now,
        n_reference=len(pair.reference),
        n_current=len(pair.current),
    )
    return with_unit_change(with_both_sides(found, pair), pair, series=True)


def _sentence(pair: SamplePair) -> str:
    if pair.kind in (ValueKind.NUMBERS, ValueKind.SHARES):
        old, new = float(np.mean(pair.reference)), float(np.mean(pair.current))
        return f"{capitalised(pair.what)}: mean {old:.4g} → {new:.4g}"
    if pair.kind is ValueKind.MISSING:
        shares = percent_change(float(pair.reference.mean()), float(pair.current.mean()))
        return f"{capitalised(pair.what)}: missing values {shares}"
    return f"{capitalised(pair.what)}: compared with past windows of this length"


def _counts(pair: SamplePair, window: np.ndarray, count: int) -> np.ndarray:
    """Cells × windows: a first row for what is older than all windows, one row for each, the current one last."""
    row = np.append(window + 1, np.full(len(pair.current), count + 1))
    if pair.kind is ValueKind.TEXTS:
        read = incidence([*pair.reference, *pair.current])
        row, cell = row[read.text], read.word
        cell = _commonest(cell, _WORDS)
    else:
        cell = _cells(pair)
    width = int(cell.max(initial=0)) + 1
    return np.bincount(row * width + cell, minlength=(count + 2) * width).reshape(count + 2, width)


def _cells(pair: SamplePair) -> np.ndarray:
    values = np.concatenate([pair.reference, pair.current])
    if pair.kind is ValueKind.MISSING:
        return values.astype(int)
    if pair.kind is ValueKind.LEVELS:
        return _commonest(values.astype(int), _LEVELS)
    edges = np.unique(np.quantile(pair.reference, np.linspace(0, 1, _CELLS + 1)))
    # counting an edge from both sides gives equal values a cell of their own: constants and lumps stay visible
    return np.asarray(np.searchsorted(edges, values, "left") + np.searchsorted(edges, values, "right"))


def _commonest(codes: np.ndarray, kept: int) -> np.ndarray:
    """Codes with the rarer ones pooled into one."""
    if not len(codes):
        return codes
    order = np.argsort(-np.bincount(codes), kind="stable")
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    return np.minimum(rank[codes], kept)


def _distances(counts: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """The Jensen-Shannon divergence (nats) of each window from all before it, its neighbour left out; NaN for the
    first third, which has too little past. Also the share of records that moved in the last one (total variation).

    Windows with more values than the current one are thinned to as many, since fewer lie further off by chance.
    """
    rng = np.random.default_rng(seed)
    before, size = np.cumsum(counts, axis=0), int(counts[-1].sum())
    found = np.full(len(counts) - 1, np.nan)
    moved = 0.0
    for i in range(max(3, len(counts) // 3), len(counts)):
        now, past = counts[i], before[i - 2]
        if now.sum() > size:
            now = rng.multivariate_hypergeometric(now, size, method="marginals")
        if now.sum() and past.sum():
            p, q = now / now.sum(), past / past.sum()
            found[i - 1] = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
            moved = 0.5 * float(np.abs(p - q).sum())
    return np.maximum(found, 0.0, where=~np.isnan(found), out=found), moved


def _entropy(shares: np.ndarray) -> float:
    present = shares[shares > 0]
    return -float(present @ np.log(present))
