"""The health of the feed itself: repeated records, refused items, and how many records carry a label."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.stats import hypergeom, norm

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.past_windows import FEWEST_WINDOWS, against_past, windows
from trueup.monitoring.signals.pending import FEWEST, Question, chance, insufficient, overwhelming, percent, verdict
from trueup.monitoring.stats.counts import permutation_p
from trueup.monitoring.stats.proportions import share_test
from trueup.storage.rows import Rows
from trueup.storage.stream import Policy, Stream

DUP, DUP_NAME = "DQ-DUP", "share of records that repeat one of the same window"
QUARANTINE, QUARANTINE_NAME = "DQ-QUARANTINE", "share of refused items among the newest received"
LABELS, LABELS_NAME = "DQ-LABELS", "share of mature records that carry a label"
DUP_FLOOR = 0.02  # rise of the share of repeats under which it is immaterial
QUARANTINE_FLOOR = 0.02
FEWEST_PAST = 6  # past windows that show how far healthy ones differ
_MANY = 100  # repeated contents above which their number is normal
_BATCH = 500  # newest items looked at, beside the newest receipt alone


def duplicates(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """Asks whether the window repeats itself more than windows of the same size usually do."""
    before, now = (_contents(rows) for rows in (comparison.reference, comparison.current))
    past = _past_repeats(stream.policy, comparison.past, len(now))
    if min(len(before), len(now)) < FEWEST:
        said = f"{len(before)} reference and {len(now)} current records; {FEWEST} on either hand are needed to compare."
        yield insufficient(DUP, DUP_NAME, said, len(before), len(now))
    elif stream.series and len(past) < FEWEST_WINDOWS:
        said = f"The snapshot holds {len(past)} windows as long as this one; what is usual needs {FEWEST_WINDOWS}."
        yield insufficient(DUP, DUP_NAME, said, len(before), len(now))
    else:
        past = past if len(past) >= FEWEST_PAST else past[:0]
        free = repeats(np.concatenate([before, now])) == 0
        yield Question(DUP, partial(_judge_repeats, before, now, past, stream.series, comparison.seed), free=free)


def repeats(contents: np.ndarray) -> int:
    """How many records repeat an earlier one."""
    ordered = np.sort(contents)
    return int((ordered[1:] == ordered[:-1]).sum())


def _judge_repeats(
    before: np.ndarray, now: np.ndarray, past: np.ndarray, series: bool, seed: int, level: float
) -> Signal:
    """Repeats have to be more than a draw from all records holds, and more than past windows usually did.

    Campaigns and seasons repeat short texts by themselves, so that windows of a healthy stream differ beyond chance
    (measured on real reviews: five healthy checks of nine breached by the draw alone). Series have the past alone.
    """
    share = repeats(now) / len(now)
    usual = _expected_repeats(before, len(now)) / len(now) if len(before) else 0.0
    p_value = 0.0 if series else _more_repeats(before, now, level, seed)
    if len(past):
        usual = float(np.median(past))
        p_value = max(p_value, against_past(share, past, level=level).p_value)
    outcome = verdict(p_value, level, share - usual >= DUP_FLOOR)
    return Signal(
        code=DUP,
        name=DUP_NAME,
        verdict=outcome,
        overwhelming=overwhelming(outcome, p_value, level),
        direction="up" if share > usual else "down",
        said=f"{percent(share)} of the window's records repeat another of it, where {percent(usual)} are usual in "
        f"windows of {len(now)} ({chance(p_value, level)}).",
        value=share,
        threshold=level,
        p_value=p_value,
        effect=share - usual,
        worse=Worse.HIGHER,
        n_reference=len(before),
        n_current=len(now),
    )


def _more_repeats(before: np.ndarray, now: np.ndarray, level: float, seed: int) -> float:
    """P(as many repeats) when the window is drawn from all records; contents that stand once share one cell."""
    whole, current = np.sort(np.concatenate([before, now])), np.sort(now)
    often = np.unique(whole[1:][whole[1:] == whole[:-1]])
    totals, drawn = _standing(often, whole), _standing(often, current)
    once = len(whole) - int(totals.sum())
    if len(often) > _MANY:
        return _by_moments(np.append(totals, np.ones(once, dtype=np.int64)), repeats(now), len(now))
    pooled, drawn = np.append(totals, once), np.append(drawn, len(now) - drawn.sum())

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


def _expected_repeats(before: np.ndarray, size: int) -> float:
    """The mean number of repeats in a draw of `size` reference records without return."""
    often, contents = np.unique(np.unique(before, return_counts=True)[1], return_counts=True)
    drawn = min(size, len(before))
    distinct = float(contents @ (1.0 - hypergeom.pmf(0, len(before), often, drawn)))
    return (drawn - distinct) * size / drawn


def _past_repeats(policy: Policy, past: Rows, size: int) -> np.ndarray:
    cut, contents = windows(policy, past, size), _contents(past)
    number = cut.of(past.meta["time"].to_numpy())
    parts = (contents[number == k] for k in range(len(cut)))
    return np.array([repeats(part) / len(part) for part in parts if len(part)])


def _contents(rows: Rows) -> np.ndarray:
    return np.asarray(rows.meta["content"].to_numpy())


def quarantine(stream: Stream, comparison: Comparison) -> Iterator[Question | Signal]:
    """Asks whether more of the newest items are refused than of those before."""
    received = np.concatenate([comparison.intake.accepted_at, comparison.intake.quarantined_at])
    refused = np.arange(len(received)) >= len(comparison.intake.accepted_at)
    order = np.argsort(received, kind="stable")
    received, refused = received[order], refused[order]
    looks = sorted({_newest(received, size) for size in (FEWEST, stream.policy.window_records or _BATCH)} - {0})
    if not looks:
        said = f"{len(received)} items were received; a comparison needs {FEWEST} newest ones and {FEWEST} before them."
        yield insufficient(QUARANTINE, QUARANTINE_NAME, said, n_current=len(received))
    else:
        free = not refused.any()
        yield Question(QUARANTINE, partial(_judge_refused, received, refused, looks), free=free)


def _newest(received: np.ndarray, size: int) -> int:
    """Where the newest receipts that hold `size` items begin; 0 where too few items lie before them."""
    if len(received) < size:
        return 0
    start = int(np.searchsorted(received, received[-size], side="left"))  # what came together stays together
    return start if start >= FEWEST else 0


def _judge_refused(received: np.ndarray, refused: np.ndarray, looks: list[int], level: float) -> Signal:
    """The stronger of the looks, paid for as often as was looked."""
    p_values = [share_test(refused[:start], refused[start:]) for start in looks]
    p_value = min(1.0, len(looks) * min(p_values))
    start = looks[int(np.argmin(p_values))]
    old, new = float(refused[:start].mean()), float(refused[start:].mean())
    worst = _worst_earlier(received[:start], refused[:start])
    outcome = verdict(p_value, level, new - old >= QUARANTINE_FLOOR and new > worst)
    return Signal(
        code=QUARANTINE,
        name=QUARANTINE_NAME,
        verdict=outcome,
        overwhelming=overwhelming(outcome, p_value, level),
        direction="up" if new > old else "down",
        said=f"{percent(new)} of the newest {len(refused) - start} items were refused, {percent(old)} of those before "
        f"({chance(p_value, level)}); 'trueup quarantine list' names the reasons.",
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
    return float(shares[sizes >= FEWEST].max(initial=0.0))


def label_coverage(stream: Stream, comparison: Comparison) -> Iterator[Signal]:
    """States how many mature records carry a label; never a breach, since labels come at their own pace."""
    limit = comparison.mature64(stream.label.maturity_span)
    now = comparison.current.labelled[comparison.current.meta["time"].to_numpy() <= limit]
    before = comparison.reference.labelled
    if not len(now):
        said = f"No record of the window is past its maturity of {stream.label.maturity}, so none needs a label yet."
        yield insufficient(LABELS, LABELS_NAME, said, len(before), 0)
        return
    usual = f", {percent(float(before.mean()))} of the reference" if len(before) else ""
    yield Signal(
        code=LABELS,
        name=LABELS_NAME,
        verdict=Verdict.OK,
        said=f"{int(now.sum())} of {len(now)} mature records ({percent(float(now.mean()))}) carry a label{usual}.",
        value=float(now.mean()),
        effect=float(now.mean() - before.mean()) if len(before) else None,
        worse=Worse.LOWER,
        n_reference=len(before),
        n_current=len(now),
    )
