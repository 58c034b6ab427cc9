"""DQ-LABELS: whether labels stop coming, thin out or come late, and whether those that come are a biased sample.

Of the records of the last two weeks the labels that came so far are counted, by the records' age in days, and held
against the same count at the same hour of earlier weeks. A breach has to be beyond chance (stratified hypergeometric,
normal tail) and beyond what earlier weeks differed from one another (Student's prediction bound on the logarithm of
observed over expected): either alone is no level, since throughput varies by week.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.comparison import Comparison
from trueup.monitoring.signals.pending import PendingTest, far_beyond_chance, insufficient, verdict_of
from trueup.monitoring.stats.proportions import share_test
from trueup.storage.formatting import percent, significance
from trueup.storage.stream import StreamSettings

_CODE, _NAME = "DQ-LABELS", "labels of the last two weeks, by age"
AGES = 14  # days
FEWEST_WEEKS, MOST_WEEKS = 8, 16
_FLOOR = 0.1  # share of the usual labels that has to be missing
_LEAST = 20  # labels expected
_BIASED, _BIAS_LEVEL = 0.1, 0.001  # of the shares labelled by predicted class
_DAY = np.timedelta64(1, "D")
_DAY_US = 86_400_000_000
_WEEK = np.timedelta64(7, "D")


@dataclass(frozen=True)
class LabelStock:
    """records, labelled: (1 + weeks, 14) counts by age in days, now first, then earlier weeks, the newest first."""

    records: np.ndarray
    labelled: np.ndarray


def label_coverage(stream: StreamSettings, comparison: Comparison) -> Iterator[PendingTest | Signal]:
    """Tests the labels of the last two weeks; where nothing is known of when labels came, states how many there are."""
    times, known_at = comparison.intake.labels
    if not len(times):
        yield _stated(stream, comparison)
        return
    weeks = int(np.floor((comparison.as_of64 - times[0] - AGES * _DAY) / _WEEK))
    if weeks < FEWEST_WEEKS:
        said = f"{max(0, weeks)} earlier weeks of labels are known; {FEWEST_WEEKS} are needed to know what is usual."
        yield insufficient(_CODE, _NAME, said)
        return
    stock = label_stock(times, known_at, comparison.as_of64, min(weeks, MOST_WEEKS))
    expected = _expected(stock)
    if expected[0] < _LEAST:
        said = (
            f"Usually {expected[0]:.0f} labels arrive for the {int(stock.records[0].sum())} records of the last two "
            f"weeks; {_LEAST} are needed to see whether labels are missing."
        )
        yield insufficient(_CODE, _NAME, said, int(stock.records[1:].sum()), int(stock.records[0].sum()))
        return
    last = known_at[~np.isnat(known_at)].max(initial=times[0])
    run = partial(_judge, stock, expected, last, biased_sample(comparison))
    yield PendingTest(_CODE, run, costs_nothing=bool((stock.records == stock.labelled).all()))


def label_stock(times: np.ndarray, known_at: np.ndarray, now: np.datetime64, weeks: int) -> LabelStock:
    """The stock now and at the same hour of each earlier week.

    Args:
        times, known_at: of each record its time, ascending, and when its first label was known (NaT: none is).
    """
    counts = np.zeros((2, 1 + weeks, AGES), dtype=int)
    for week in range(1 + weeks):
        look = now - week * _WEEK
        first, last = np.searchsorted(times, [look - AGES * _DAY, look], side="right")
        since = (look - times[first:last]).astype("timedelta64[us]").astype(np.int64)
        ages = np.minimum(since // _DAY_US, AGES - 1)
        counts[0, week] = np.bincount(ages, minlength=AGES)
        counts[1, week] = np.bincount(ages[known_at[first:last] <= look], minlength=AGES)  # NaT is never earlier
    return LabelStock(counts[0], counts[1])


def _expected(stock: LabelStock) -> np.ndarray:
    """Labels expected in each week by the shares at each age in all weeks before now but itself (1 + weeks,)."""
    records, labelled = stock.records[1:].sum(axis=0), stock.labelled[1:].sum(axis=0)
    found = [stock.records[0] @ _share(labelled, records)]
    for own, told in zip(stock.records[1:], stock.labelled[1:], strict=True):
        found.append(own @ _share(labelled - told, records - own))
    return np.array(found)


def _share(labelled: np.ndarray, records: np.ndarray) -> np.ndarray:
    return np.divide(labelled, records, out=np.zeros(len(records)), where=records > 0)


def _judge(stock: LabelStock, expected: np.ndarray, last: np.datetime64, bias: str, level: float) -> Signal:
    observed = stock.labelled.sum(axis=1)
    p_value = max(_by_chance(stock), _by_past(observed, expected))
    missing = 1 - float(observed[0] / expected[0])
    outcome = verdict_of(p_value, level, missing >= _FLOOR)
    since = f"; newest label {pd.Timestamp(last):%Y-%m-%d %H:%M} UTC" if outcome is Verdict.BREACHED else ""
    said = (
        f"Labels: {int(observed[0])} for the {int(stock.records[0].sum())} records of the last two weeks, usually "
        f"{expected[0]:.0f} by this age{since}. {significance(p_value, level, material=missing >= _FLOOR)}{bias}"
    )
    return Signal(
        code=_CODE, name=_NAME, verdict=outcome, said=said, value=float(observed[0] / stock.records[0].sum()),
        threshold=level, p_value=p_value, effect=-missing, worse=Worse.LOWER,
        direction="down" if missing > 0 else "up", overwhelming=far_beyond_chance(outcome, p_value, level),
        n_reference=int(stock.records[1:].sum()), n_current=int(stock.records[0].sum()),
    )  # fmt: skip


def _by_chance(stock: LabelStock) -> float:
    """P(as few labels) were those of now and of the weeks before dealt out anew within each age."""
    mine, all_records = stock.records[0], stock.records.sum(axis=0)
    share = _share(stock.labelled.sum(axis=0), all_records)
    rest = _share(all_records - mine, np.maximum(all_records - 1, 1))
    spread = float(np.sqrt((mine * share * (1 - share) * rest).sum()))
    short = float(stock.labelled[0].sum() - (mine * share).sum())
    return float(norm.cdf(short / spread)) if spread > 0 else 1.0


def _by_past(observed: np.ndarray, expected: np.ndarray) -> float:
    """P(as low a ratio) given those of the weeks before, by Student's prediction bound on its logarithm."""
    ratio = np.log((observed + 0.5) / (expected + 0.5))
    before = ratio[1:]
    spread = float(before.std(ddof=1) * np.sqrt(1 + 1 / len(before)))
    short = float(ratio[0] - before.mean())
    return float(t.cdf(short / spread, len(before) - 1)) if spread > 1e-12 else float(short >= 0)


def biased_sample(comparison: Comparison) -> str:
    """Whether the window's records of one predicted class are labelled far more seldom than the others; in words."""
    meta = comparison.model_current.meta
    predicted, labelled = meta["predicted"].to_numpy(), meta["label"].notna().to_numpy()
    answered = pd.notna(predicted)
    classes = pd.unique(predicted[answered])
    if not 2 <= len(classes) <= 20:  # numbers, or one class alone
        return ""
    shares = {name: labelled[answered & (predicted == name)] for name in classes}
    lowest = min(shares, key=lambda name: shares[name].mean())
    own, others = shares[lowest], labelled[answered & (predicted != lowest)]
    if others.mean() - own.mean() < _BIASED or share_test(others, own) > _BIAS_LEVEL:
        return ""
    return (
        f" The labels are a biased sample: of the window's records predicted '{lowest}' {percent(float(own.mean()))} "
        f"have a label, of the others {percent(float(others.mean()))}."
    )


def _stated(stream: StreamSettings, comparison: Comparison) -> Signal:
    """How many mature records of the window carry a label."""
    limit = comparison.mature64(stream.label.maturity_span)
    current = comparison.current.labelled[comparison.current.meta["time"].to_numpy() <= limit]
    reference = comparison.reference.labelled
    if not len(current):
        said = (
            f"No record of the window is older than label.maturity ({stream.label.maturity}), so no label is due yet."
        )
        return insufficient(_CODE, _NAME, said, len(reference), 0)
    usual = f", in the reference {percent(float(reference.mean()))}" if len(reference) else ""
    return Signal(
        code=_CODE,
        name=_NAME,
        verdict=Verdict.OK,
        said=f"Labels: {int(current.sum())} of {len(current)} mature records ({percent(float(current.mean()))})"
        f"{usual}.",
        value=float(current.mean()),
        effect=float(current.mean() - reference.mean()) if len(reference) else None,
        worse=Worse.LOWER,
        n_reference=len(reference),
        n_current=len(current),
    )
