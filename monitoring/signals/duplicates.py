"""DQ-DUP: whether records of the window repeat each other more often than usual."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.stats import hypergeom, norm

from trueup.monitoring.check import Signal, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.past_windows import FEWEST_WINDOWS, p_value_against_past, past_windows
from trueup.monitoring.signals.pending import PendingTest, far_beyond_chance, insufficient, too_few_records, verdict_of
from trueup.monitoring.stats.counts import permutation_p
from trueup.storage.formatting import percent, significance
from trueup.storage.policy import Policy
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

_CODE, _NAME = "DQ-DUP", "share of records that repeat one of the same window"
_FLOOR = 0.02  # rise of the share of repeats under which it is immaterial
FEWEST_PAST = 6  # past windows that show how far healthy ones differ
_MANY = 100  # repeated contents above which their number is normal


def duplicates(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests whether the window repeats itself more than windows of the same size usually do."""
    reference, current = (_contents(rows) for rows in (comparison.reference, comparison.current))
    past = _past_repeats(stream.policy, comparison.past, len(current))
    too_few = too_few_records(_CODE, _NAME, len(reference), len(current))
    if too_few is not None:
        yield too_few
    elif stream.series and len(past) < FEWEST_WINDOWS:
        said = (
            f"The snapshot holds {len(past)} windows of this length; {FEWEST_WINDOWS} are needed to know what is "
            "usual."
        )
        yield insufficient(_CODE, _NAME, said, len(reference), len(current))
    else:
        past = past if len(past) >= FEWEST_PAST else past[:0]
        run = partial(_judge, reference, current, past, stream.series, comparison.seed)
        yield PendingTest(_CODE, run, costs_nothing=repeats(np.concatenate([reference, current])) == 0)


def repeats(contents: np.ndarray) -> int:
    """How many records repeat an earlier one."""
    ordered = np.sort(contents)
    return int((ordered[1:] == ordered[:-1]).sum())


def _judge(
    reference: np.ndarray, current: np.ndarray, past: np.ndarray, series: bool, seed: int, level: float
) -> Signal:
    """Repeats have to be more than a draw from all records holds, and more than past windows usually did.

    Campaigns and seasons repeat short texts by themselves, so that windows of a healthy stream differ beyond chance
    (measured on real reviews: five healthy checks of nine breached by the draw alone). Series have the past alone.
    """
    share = repeats(current) / len(current)
    usual = _expected_repeats(reference, len(current)) / len(current) if len(reference) else 0.0
    p_value = 0.0 if series else _more_repeats(reference, current, level, seed)
    if len(past):
        usual = float(np.median(past))
        p_value = max(p_value, p_value_against_past(share, past, level=level).p_value)
    outcome = verdict_of(p_value, level, share - usual >= _FLOOR)
    return Signal(
        code=_CODE,
        name=_NAME,
        verdict=outcome,
        overwhelming=far_beyond_chance(outcome, p_value, level),
        direction="up" if share > usual else "down",
        said=f"Duplicates: {percent(share)} of records (usually {percent(usual)}). "
        f"{significance(p_value, level, material=share - usual >= _FLOOR)}",
        value=share,
        threshold=level,
        p_value=p_value,
        effect=share - usual,
        worse=Worse.HIGHER,
        n_reference=len(reference),
        n_current=len(current),
    )


def _more_repeats(reference: np.ndarray, current: np.ndarray, level: float, seed: int) -> float:
    """P(as many repeats) when the window is drawn from all records; contents that stand once share one cell."""
    whole, current = np.sort(np.concatenate([reference, current])), np.sort(current)
    often = np.unique(whole[1:][whole[1:] == whole[:-1]])
    totals, drawn = _standing(often, whole), _standing(often, current)
    once = len(whole) - int(totals.sum())
    if len(often) > _MANY:
        return _by_moments(np.append(totals, np.ones(once, dtype=np.int64)), repeats(current), len(current))
    pooled, drawn = np.append(totals, once), np.append(drawn, len(current) - drawn.sum())

    def repeated(draws: np.ndarray) -> np.ndarray:
        copies = draws[:, :-1]
        return np.asarray(copies.sum(axis=1) - (copies > 0).sum(axis=1))

    return permutation_p(pooled, drawn, repeated, level=level, seed=seed)


def _standing(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """How often each value stands in an ordered array."""
    return np.asarray(np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values, side="left"))


def _by_moments(totals: np.ndarray, found: int, size: int) -> float:
    """The same of many repeated contents: their number is then normal, with mean and variance known exactly.

    totals: how often each content stands in all records. A content is not drawn with a hypergeometric chance, two are
    both not drawn with the chance of one that stands as often as they do together.
    """
    often, contents = np.unique(totals, return_counts=True)
    whole = int(totals.sum())
    absent = hypergeom.pmf(0, whole, often, size)
    both = hypergeom.pmf(0, whole, np.minimum(often[:, None] + often[None, :], whole), size)
    variance = contents @ (both - np.outer(absent, absent)) @ contents + contents @ (absent - both.diagonal())
    mean = size - contents @ (1.0 - absent)
    return float(norm.sf((found - 0.5 - mean) / np.sqrt(max(float(variance), 1e-12))))


def _expected_repeats(reference: np.ndarray, size: int) -> float:
    """The mean number of repeats in a draw of `size` reference records without return."""
    often, contents = np.unique(np.unique(reference, return_counts=True)[1], return_counts=True)
    drawn = min(size, len(reference))
    distinct = float(contents @ (1.0 - hypergeom.pmf(0, len(reference), often, drawn)))
    return (drawn - distinct) * size / drawn


def _past_repeats(policy: Policy, past: Rows, size: int) -> np.ndarray:
    cut, contents = past_windows(policy, past, size), _contents(past)
    number = cut.of(past.meta["time"].to_numpy())
    parts = (contents[number == k] for k in range(len(cut)))
    return np.array([repeats(part) / len(part) for part in parts if len(part)])


def _contents(rows: Rows) -> np.ndarray:
    return np.asarray(rows.meta["content"].to_numpy())
