"""The experiments on trueup's side: each a list of cells, each cell a number of seeded repetitions that hit or miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.detection.made import CLASSES, KINDS, TEXT, make
from benchmarks.detection.ours import comparison_of, metric_of, signals_of, stream_of
from trueup.monitoring.check import Check, Verdict
from trueup.monitoring.policy import Action, History, PastCheck, decide
from trueup.monitoring.signals.catalogue import SCORE, kind_of
from trueup.monitoring.stats import words
from trueup.monitoring.stats.proportions import mean_test, share_test
from trueup.monitoring.stats.ranks import rank_test
from trueup.monitoring.stats.words import word_test
from trueup.storage.stream import StreamSettings

REFERENCES = (5000, 1000, 200)
CURRENTS = (50, 100, 200, 500, 1000, 5000)
LEVEL = 0.001  # at which single tests are compared
ENOUGH_LABELS = 10_000

# the same reviews are drawn again and again: each is read once
words.words_of = cache(words.words_of)


@dataclass(frozen=True)
class Cell:
    """`hits` of `repetitions`, of one method on one kind of comparison; `note` tells cells of one kind apart."""

    table: str
    method: str
    kind: str
    n_reference: int
    n_current: int
    repetitions: int
    hits: int
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "hits": int(self.hits)}


@dataclass(frozen=True)
class Job:
    """What one worker does: an experiment, its arguments, and how many repetitions."""

    run: Callable[..., list[Cell]]
    arguments: tuple[Any, ...]
    repetitions: int


def jobs(scale: float) -> Iterator[Job]:
    """All experiments; `scale` multiplies the repetitions (1: those of the docs)."""

    def times(n: int) -> int:
        return max(10, round(n * scale))

    for kind in ("shift", "scale", "outliers", "humps"):
        yield Job(power_of_numbers, (kind,), times(2000))
    for kind in ("sentiment", "sentiment_flipkart"):
        for n in (200, 300, 500):
            yield Job(power_of_score, (kind, n), times(500))
    for kind in ("topic", "topic_common"):
        for n in (50, 100, 200, 1000):
            yield Job(power_of_words, (kind, n), times(200))
    for kind in ("label_flip", "prior", "none"):
        yield Job(flips_at_once, (kind,), times(200))
    yield Job(flips_by_the_week, (), times(100))
    yield Job(years, (True, 0), times(100))
    for first in range(0, times(2000), 100):  # cells of all sizes grow together, and years with them
        for m in REFERENCES:
            for n in CURRENTS:
                yield Job(false_alarms, (m, n, first), min(100, times(2000)))
        yield Job(years, (False, first // 5), times(20))
        if first == 0:
            yield from (Job(power_of_check, (kind, 500), times(50)) for kind in KINDS)


def false_alarms(m: int, n: int, first: int, repetitions: int) -> list[Cell]:
    """Healthy checks: any breach at a budget of 1 %, acted on at once, and each signal's own p-value at 5 and 1 %."""
    stream = stream_of(false_alarms=0.01)
    breached = acted = 0
    below: dict[tuple[str, float], int] = {}
    asked: dict[str, int] = {}
    for seed in range(first, first + repetitions):
        signals = signals_of(stream, comparison_of(*make("none", seed, m, n), seed=seed, labels=False))
        breached += any(s.verdict is Verdict.BREACHED for s in signals.values())
        acted += any(s.overwhelming for s in signals.values())
        for code, signal in signals.items():
            if signal.p_value is not None and signal.threshold != stream.policy.false_alarms:
                asked[code] = asked.get(code, 0) + 1
                for level in (0.05, 0.01):
                    below[code, level] = below.get((code, level), 0) + (signal.p_value <= level)
    cells = [
        Cell("check", "trueup", "none", m, n, repetitions, breached),
        Cell("check", "trueup, acted on at once", "none", m, n, repetitions, acted),
    ]
    cells += [
        Cell("column", code, "none", m, n, asked[code], hits, f"{level:g}") for (code, level), hits in below.items()
    ]
    return cells


def power_of_numbers(kind: str, repetitions: int) -> list[Cell]:
    """One column of 5000 against 500 at the level .001."""
    from scipy.stats import ks_2samp

    ours = theirs = 0
    for seed in range(repetitions):
        before, now = (part["normal"].to_numpy() for part in make(kind, seed, 5000, 500))
        ours += rank_test(before, now, level=LEVEL, seed=seed).p_value <= LEVEL
        theirs += ks_2samp(before, now).pvalue <= LEVEL
    return [
        Cell("numbers", method, kind, 5000, 500, repetitions, hits)
        for method, hits in (("trueup", ours), ("Kolmogorov–Smirnov", theirs))
    ]


def power_of_score(kind: str, n: int, repetitions: int) -> list[Cell]:
    """Sentiment without labels at .001 and at the score's share of a whole check, and with the true labels."""
    share = 0.01 * kind_of(SCORE).weight
    found = dict.fromkeys(("trueup at .001", "trueup in a check of 1 %", "with the true labels at .001"), 0)
    for seed in range(repetitions):
        before, now = make(kind, seed, 5000, n)
        p_value = mean_test(before["score"].to_numpy(), now["score"].to_numpy(), level=LEVEL, seed=seed).p_value
        truth = share_test(*((part["label"] == CLASSES[1]).to_numpy() for part in (before, now)))
        for name, hit in zip(found, (p_value <= LEVEL, p_value <= share, truth <= LEVEL), strict=True):
            found[name] += bool(hit)
    return [Cell("sentiment", name, kind, 5000, n, repetitions, hits) for name, hits in found.items()]


def power_of_words(kind: str, n: int, repetitions: int) -> list[Cell]:
    """A topic in a fifth of the texts, by the words alone and by the whole check."""
    stream = stream_of(false_alarms=0.01)
    found = dict.fromkeys(("words at .001", "any text signal in a check of 1 %"), 0)
    for seed in range(repetitions):
        before, now = make(kind, seed, 5000, n)
        found["words at .001"] += word_test(list(before[TEXT]), list(now[TEXT])).p_value <= LEVEL
        signals = signals_of(stream, comparison_of(before, now, seed=seed, labels=False))
        found["any text signal in a check of 1 %"] += any(
            s.verdict is Verdict.BREACHED for code, s in signals.items() if code.startswith("DRF-TEXT")
        )
    return [Cell("topic", name, kind, 5000, n, repetitions, hits) for name, hits in found.items()]


def power_of_check(kind: str, n: int, repetitions: int) -> list[Cell]:
    """A whole check of 1 %: what is breached, by which code, and what is acted on at once; authors are the group."""
    stream = stream_of(group=("author",), false_alarms=0.01)
    told = KINDS[kind]
    breached = at_once = 0
    codes: dict[str, int] = {}
    for seed in range(repetitions):
        before, now = make(kind, seed, 5000, n)
        comparison = comparison_of(before, now, seed=seed, labels=kind == "label_flip", reviews=told.reviews)
        found = [s for s in signals_of(stream, comparison).values() if s.verdict is Verdict.BREACHED]
        breached += bool(found)
        at_once += any(s.overwhelming for s in found)
        for signal in found:
            codes[signal.code] = codes.get(signal.code, 0) + 1
    cells = [
        Cell("kinds", "trueup", kind, 5000, n, repetitions, breached),
        Cell("kinds", "trueup, acted on at once", kind, 5000, n, repetitions, at_once),
    ]
    return cells + [Cell("kinds by code", code, kind, 5000, n, repetitions, hits) for code, hits in codes.items()]


def flips_at_once(kind: str, repetitions: int) -> list[Cell]:
    """The metric at its share of a check of 1 % with 300 labels; before labels arrive it must not be judged at all."""
    stream = stream_of(false_alarms=0.01, min_labels=200, metric="f1_macro")
    accuracy = stream_of(false_alarms=0.01, min_labels=200, metric="accuracy")
    hits = {"f1_macro": 0, "accuracy": 0, "before labels": 0}
    for seed in range(repetitions):
        frames = make(kind, seed, 5000, 300)
        for name, judged in (("f1_macro", stream), ("accuracy", accuracy)):
            comparison = comparison_of(*frames, seed=seed, labels=True)
            hits[name] += metric_of(judged, comparison).verdict is Verdict.BREACHED
        unlabelled = comparison_of(*frames, seed=seed, labels=False)
        hits["before labels"] += metric_of(stream, unlabelled).verdict is not Verdict.INSUFFICIENT
    return [Cell("flip", "trueup", kind, 5000, 300, repetitions, count, name) for name, count in hits.items()]


def flips_by_the_week(repetitions: int) -> list[Cell]:
    """50 labels a week, the newest 200 judged at their share of a check of 1 %: 15 % turn over after ten weeks."""
    stream = stream_of(text=False, false_alarms=0.01, min_labels=200, metric="accuracy")
    early = within = 0
    delays = []
    for seed in range(repetitions):
        reference, healthy = make("none", seed, 5000, 500)
        flipped = make("label_flip", seed, 5000, 300)[1]
        labels = pd.concat([healthy, flipped], ignore_index=True)
        seen = None
        for week in range(4, 17):
            window = labels.iloc[week * 50 - 200 : week * 50]
            comparison = replace(comparison_of(reference, window, seed=seed + week, labels=True), quality_looks=4)
            if metric_of(stream, comparison).verdict is Verdict.BREACHED:
                seen = week
                break
        early += seen is not None and seen <= 10
        within += seen is not None and 10 < seen <= 16
        delays.append(seen - 10 if seen is not None and seen > 10 else np.nan)
    note = f"median {np.nanmedian(delays):.0f} weeks"
    return [
        Cell("flip by the week", "trueup, within six weeks", "label_flip", 5000, 200, repetitions, within, note),
        Cell("flip by the week", "trueup, in seven weeks before it", "label_flip", 5000, 200, repetitions, early),
    ]


def years(broken: bool, first: int, repetitions: int) -> list[Cell]:
    """52 weekly checks of 500 against one reference of 5000, acted on by the policy.

    Ten numeric columns; `broken`: three of them move by .2 standard deviations in week 20.
    """
    columns = tuple(f"x{i}" for i in range(10))
    stream = StreamSettings(name="year", time="at", numeric=columns, group=(), policy={"false_alarms": 0.01})
    alarms = breaches = found = late = 0
    delays = []
    for seed in range(first, first + repetitions):
        rng = np.random.default_rng((seed, broken))
        reference = _numbers(rng, 5000, columns)
        history: tuple[PastCheck, ...] = ()
        week, acted, breached = 0, False, False
        start = 20 if broken else 0  # weeks before the break are those of the healthy years
        for week in range(start - 1 if broken else 0, 52):
            current = _numbers(rng, 500, columns)
            if broken and week >= start:
                current[list(columns[:3])] += 0.2
            check, past = _checked(stream, reference, current, seed * 52 + week)
            decision = decide(stream.policy, check, History(history, (), ENOUGH_LABELS), past.as_of)
            history = (past, *history)
            breached |= bool(check.breached)
            acted = decision.action is not Action.NONE
            if acted:
                break
        alarms += acted and not broken
        breaches += breached
        found += acted and week >= start
        late += acted and week <= start + 1
        delays.append(week - start if acted else np.nan)
    if not broken:
        return [
            Cell("year", "acted on", "none", 5000, 500, repetitions, alarms),
            Cell("year", "any breach", "none", 5000, 500, repetitions, breaches),
        ]
    note = f"median {np.nanmedian(delays):.0f}, ninth decile {np.nanquantile(delays, 0.9):.0f} weeks"
    return [
        Cell("year", "detected", "shift", 5000, 500, repetitions, found, note),
        Cell("year", "detected within a week", "shift", 5000, 500, repetitions, late),
    ]


def _checked(
    stream: StreamSettings, reference: pd.DataFrame, current: pd.DataFrame, seed: int
) -> tuple[Check, PastCheck]:
    comparison = comparison_of(reference, current, seed=seed, labels=False)
    signals = tuple(s for s in signals_of(stream, comparison).values())
    check = Check(report_id=str(seed), counted=True, signals=signals)
    as_of = comparison.as_of + timedelta(weeks=seed % 52)
    return check, PastCheck(as_of, {s.code: s.direction for s in check.breached})


def _numbers(rng: np.random.Generator, n: int, columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rng.normal(size=(n, len(columns))), columns=list(columns))
    score = rng.beta(2, 1, n)
    return frame.assign(score=score, predicted=np.where(score > 0.5, "positive", "negative"), label="")
