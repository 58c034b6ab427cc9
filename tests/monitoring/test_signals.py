"""All signals of a check together: the budget, the guarantee, and what a break looks like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_comparisons import compared, halves, made_records, made_stream, meta
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import Intake
from trueup.monitoring.signals.alpha_budget import levels_of
from trueup.monitoring.signals.catalogue import SCORE, kind_of
from trueup.monitoring.signals.measure import measure
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

pytestmark = pytest.mark.long


def _breached(signals: tuple[Signal, ...]) -> set[str]:
    return {signal.code for signal in signals if signal.verdict is Verdict.BREACHED}


@given(st.floats(1e-4, 0.4), st.integers(0, 30), st.booleans())
def test_levels_spend_no_more_than_the_budget(false_alarms: float, others: int, scored: bool) -> None:
    """The levels add up to the budget; the score takes its weight where it stands among others."""
    codes = [f"X-{i}" for i in range(others)] + ([SCORE] if scored else [])
    levels = levels_of(false_alarms, codes)
    assert set(levels) == set(codes)
    assert sum(levels.values()) <= false_alarms * (1 + 1e-9)
    if scored and others:
        assert levels[SCORE] == pytest.approx(false_alarms * kind_of(SCORE).weight)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "m", "times"),
    [
        (200, 50, 120),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((300, 30, 120), (1000, 200, 60), (2000, 400, 25))),
    ],
)
def test_false_alarms_of_a_whole_check(n: int, m: int, times: int) -> None:
    """On exchangeable records the share of checks that raise anything stays within the budget, at every size."""
    rng = np.random.default_rng(n + m)
    stream = made_stream(policy={"false_alarms": 0.05})
    alarms = 0
    for i in range(times):
        rows = made_records(n + m, rng)
        rows = rows.with_meta(content=rng.integers(0, 3 * n, n + m))
        before, now = halves(rows, n)
        received = np.sort(rng.integers(0, 10**12, n + m)).astype("datetime64[us]")
        refused = rng.random(n + m) < 0.02
        intake = Intake(rows.meta["time"].to_numpy(), received[refused], received[~refused])
        checked = compared(before, now, seed=i, intake=intake, model_reference=before.take(slice(0, n // 2)))
        alarms += bool(_breached(measure(stream, checked)[0]))
    assert alarms <= np.ceil(0.05 * times + 3.1 * np.sqrt(0.05 * 0.95 * times))  # 99.9 % of binomial draws


def test_every_signal_of_the_contract_is_there() -> None:
    """One check of a text stream holds each code once, and every sentence ends."""
    rows = made_records(700, np.random.default_rng(1))
    signals, _ = measure(made_stream(), compared(*halves(rows, 600)))
    codes = [signal.code for signal in signals]
    columns = ["size", "gap", "lumps", "kind", "place"]
    assert sorted(codes) == sorted(
        [f"DRF-IN-{c}" for c in columns] + [f"DQ-MISSING-{c}" for c in [*columns, "words"]]
        + ["DRF-TEXT", "DRF-TEXT-length", "DRF-TEXT-unseen", "DRF-SCORE", "DRF-CLASS", "DRF-LABEL", "DRF-MULTI"]
        + ["PRF-METRIC", "PRF-EST"]
        + ["DQ-VOLUME", "DQ-DUP", "DQ-QUARANTINE", "DQ-LABELS"]
    )
    assert all(signal.said.endswith(".") for signal in signals)
    assert not _breached(signals)


def test_a_check_can_be_repeated_to_the_digit() -> None:
    """The same comparison with the same seed gives the same signals."""
    given_twice = compared(*halves(made_records(500, np.random.default_rng(2)), 400), seed=5)
    assert measure(made_stream(), given_twice) == measure(made_stream(), given_twice)


def test_a_shift_of_sentiment_breaches_the_score_and_the_labels() -> None:
    """Positives fall from .65 to .45: at a budget of .01, 300 records show it without labels in most windows."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(8):
        before, now = made_records(2000, rng, positive=0.65), made_records(300, rng, positive=0.45)
        found.append(_breached(measure(made_stream(), compared(before, now))[0]))
    assert sum("DRF-SCORE" in codes for codes in found) >= 7
    assert sum("DRF-LABEL" in codes for codes in found) >= 7


def test_each_break_is_named_by_its_own_signal() -> None:
    """A shifted number, a new level, a missing column, new words: each breaches its code and no other."""
    rng = np.random.default_rng(4)
    before, now = made_records(2000, rng), made_records(300, rng)
    crash = "crash login crash login crash login"
    broken = {
        "DRF-IN-size": {"size": now.features["size"] + 0.6},
        "DRF-IN-kind": {"kind": np.where(rng.random(300) < 0.15, "new", now.features["kind"])},
        "DQ-MISSING-size": {"size": np.where(rng.random(300) < 0.2, np.nan, now.features["size"])},
        "DRF-TEXT": {"words": np.where(rng.random(300) < 0.2, crash, now.features["words"])},
    }
    for code, columns in broken.items():
        changed = Rows(now.features.assign(**columns), now.meta)
        signals, _ = measure(made_stream(), compared(before, changed))
        assert _breached(signals) == {code}
    text = next(s for s in signals if s.code == "DRF-TEXT")
    assert "'crash' 0 →" in text.said
    assert "for example in record r" in text.said


def test_columns_that_no_longer_go_together_are_seen() -> None:
    """Two numbers that were unrelated rise together: each is as before, and only their correlation tells."""
    rng = np.random.default_rng(14)
    before, now = made_records(2000, rng), made_records(400, rng)
    size, gap = now.features["size"].to_numpy(), now.features["gap"].to_numpy()
    tied = np.where(np.isnan(gap), size, np.nan)
    tied[~np.isnan(gap)] = np.sort(size[~np.isnan(gap)])[np.argsort(np.argsort(gap[~np.isnan(gap)]))]
    signals, _ = measure(made_stream(), compared(before, Rows(now.features.assign(size=tied), now.meta)))
    assert _breached(signals) == {"DRF-MULTI"}
    multi = next(s for s in signals if s.code == "DRF-MULTI")
    assert multi.overwhelming
    assert "gap with size" in multi.said


def test_words_that_the_champion_never_saw_are_seen() -> None:
    """A tenth of the words is new to the champion, each of them rare: the share of unseen words tells."""
    rng = np.random.default_rng(15)
    learnt, before, now = made_records(1000, rng), made_records(1000, rng), made_records(300, rng)
    new = [f"{words} neu{i}" if i % 2 else words for i, words in enumerate(now.features["words"])]
    changed = Rows(now.features.assign(words=np.array(new, dtype=object)), now.meta)
    signals, _ = measure(made_stream(), compared(before, changed, past=learnt))
    assert "DRF-TEXT-unseen" in _breached(signals)
    quiet, _ = measure(made_stream(), compared(before, now, past=learnt))
    assert not _breached(quiet)


def test_a_breach_names_what_moved_with_records_that_show_it() -> None:
    """Contributors hold the level, its shares before and now, and current records of it."""
    rng = np.random.default_rng(16)
    before, now = made_records(2000, rng), made_records(300, rng)
    kind = np.where(rng.random(300) < 0.15, "new", now.features["kind"])
    signals, _ = measure(made_stream(), compared(before, Rows(now.features.assign(kind=kind), now.meta)))
    signal = next(s for s in signals if s.code == "DRF-IN-kind")
    moved = next(c for c in signal.contributors if c.what == "new")
    assert moved.before == 0
    assert moved.now == pytest.approx((kind == "new").mean())
    assert set(moved.examples) <= set(now.meta["id"][kind == "new"])
    assert len(moved.examples) == 3


def test_a_tiny_change_in_a_huge_window_is_called_immaterial() -> None:
    """A hundredth of a deviation is beyond chance with 200,000 records a side, and no breach."""
    rng = np.random.default_rng(5)
    stream = StreamSettings(name="s", time="at", numeric=("x",))
    before, now = (
        Rows(pd.DataFrame({"x": rng.normal(size=200_000) + shift}), meta(200_000, rng)) for shift in (0.0, 0.03)
    )
    signal = next(s for s in measure(stream, compared(before, now))[0] if s.code == "DRF-IN-x")
    assert signal.p_value is not None
    assert signal.threshold is not None
    assert signal.p_value < signal.threshold
    assert signal.verdict is Verdict.OK
    assert "too small a change to matter" in signal.said


@pytest.mark.slow
def test_busy_authors_do_not_alarm_where_the_stream_names_its_group() -> None:
    """One in twenty authors posts ten near-equal rows: one row an author and window keeps the check quiet."""
    rng = np.random.default_rng(6)
    stream = made_stream(group=("user",), policy={"false_alarms": 0.05})
    alarms = 0
    for i in range(15):
        rows = made_records(1200, rng)
        sizes = np.where(rng.random(1200) < 0.05, 10, 1)
        author = np.repeat(np.arange(1200), sizes)[:1200]
        copied = Rows(rows.features.iloc[author].reset_index(drop=True), rows.meta.assign(group=author))
        signals, _ = measure(stream, compared(*halves(copied, 1000), seed=i))
        alarms += bool({"DRF-TEXT", "DRF-IN-size"} & _breached(signals))
    assert alarms <= 3


def test_a_small_reference_is_noted() -> None:
    """Under five reference rows a window row the guarantee is weaker, and the notes say so."""
    rows = made_records(600, np.random.default_rng(7))
    assert not any("under 5 ×" in note for note in measure(made_stream(), compared(*halves(rows, 500)))[1])
    assert any("under 5 ×" in note for note in measure(made_stream(), compared(*halves(rows, 400)))[1])


def test_nothing_new_and_too_little_are_insufficient() -> None:
    """A window of no records, and one of 29, leave every window signal open."""
    rows = made_records(529, np.random.default_rng(8))
    for before, now in ((rows, rows.take(slice(0, 0))), halves(rows, 500)):
        signals, notes = measure(made_stream(), compared(before, now))
        stated = {s.code for s in signals if s.verdict is not Verdict.INSUFFICIENT}
        assert stated <= {"DQ-LABELS"}
        assert f"{len(now)} records" in notes[0]


def test_real_reviews_shuffled_are_quiet_and_real_time_is_not(shared_data: Path) -> None:
    """Greenlight's reviews in random order raise nothing; its first years against 2022 raise words and labels."""
    frame = pd.read_csv(shared_data / "greenlight_play.csv").sort_values("at", ignore_index=True)
    stream = StreamSettings(name="greenlight", time="at", text=("content",), policy={"min_labels": 30})
    label = np.where(frame["score"] <= 2, "negative", np.where(frame["score"] >= 4, "positive", None)).astype(object)
    rng = np.random.default_rng(9)
    content = pd.factorize(frame["content"].str.casefold().str.strip())[0]
    rows = Rows(frame[["content"]].astype(object), meta(len(frame), rng, label=label, content=content))
    alarms = 0
    for i in range(12):
        shuffled = rows.take(rng.permutation(len(rows)))
        alarms += bool(_breached(measure(stream, compared(*halves(shuffled.take(slice(0, 2400)), 2000), seed=i))[0]))
    assert alarms <= 1
    early, late = rows.take(slice(0, 2000)), rows.take(slice(6000, 7000))
    assert {"DRF-TEXT", "DRF-LABEL"} <= _breached(measure(stream, compared(early, late))[0])
