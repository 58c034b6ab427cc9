"""PRF-METRIC: the champion's metric against what its recipe reached out of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.evidence import Signal, Verdict, Worse
from monitoring.quality import quality
from monitoring.quality_metrics import metric
from monitoring.questions import Question
from storage.rows import Rows
from storage.stream import Stream
from tests.made_comparisons import compared, made_records, made_stream, meta

LEVEL = 0.002


def _judged(stream: Stream, before: Rows, now: Rows) -> Signal:
    (item,) = quality(stream, compared(before, now))
    return item.ask(LEVEL) if isinstance(item, Question) else item


def _worse(rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """A share of the labels turned over: the concept changed, the answers did not."""
    label = rows.meta["label"].to_numpy().copy()
    turned = rng.random(len(rows)) < share
    label[turned] = np.where(label[turned] == "positive", "negative", "positive")
    return rows.with_meta(label=label)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_metrics_agree_with_scikit_learn(seed: int, k: int) -> None:
    """Accuracy, F1 and the area under the curve, and the error metrics, are scikit-learn's."""
    from sklearn import metrics as sk

    rng = np.random.default_rng(seed)
    classes = [f"c{i}" for i in range(k)]
    truth, predicted = (np.array(classes, dtype=object)[rng.integers(0, k, 40)] for _ in range(2))
    score = np.round(rng.random(40), 1)

    def ours(name: str) -> float | None:
        return metric(name, truth, predicted, score, classes)

    assert ours("accuracy") == pytest.approx(sk.accuracy_score(truth, predicted))
    assert ours("f1_macro") == pytest.approx(sk.f1_score(truth, predicted, average="macro"))
    last = sk.f1_score(truth, predicted, average=None, labels=classes, zero_division=0)[-1]
    assert ours("f1_score") == pytest.approx(last)
    if k == 2 and len(set(truth)) == 2:
        assert ours("roc_auc") == pytest.approx(sk.roc_auc_score(truth == "c1", score))
    y, p = rng.normal(size=40), rng.normal(size=40)
    for name, theirs in (("mae", sk.mean_absolute_error), ("rmse", sk.root_mean_squared_error), ("r2", sk.r2_score)):
        assert metric(name, y, p, score, []) == pytest.approx(theirs(y, p))


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "f1_score", "roc_auc"])
def test_a_drop_breaches_and_a_healthy_model_does_not(name: str) -> None:
    """A sixth of the labels turned over breaches with 300 labels; over healthy windows hardly one in sixty does."""
    stream = made_stream(policy={"metric": name}, label={"classes": {"negative": "<=2", "positive": ">=4"}})
    rng = np.random.default_rng(1)
    found = [
        (_judged(stream, before, now).verdict, _judged(stream, before, _worse(now, 0.17, rng)).verdict)
        for before, now in ((made_records(1000, rng), made_records(300, rng)) for _ in range(20))
    ]
    assert sum(healthy is Verdict.BREACHED for healthy, _ in found) <= 1
    assert sum(broken is Verdict.BREACHED for _, broken in found) >= 18


def test_the_signal_says_what_moved_and_what_would_be_visible() -> None:
    """Value, bound, drop and interval agree with each other and with the sentence."""
    rng = np.random.default_rng(2)
    before, now = made_records(1000, rng), _worse(made_records(300, rng), 0.2, rng)
    signal = _judged(made_stream(policy={"max_drop": 0.05}), before, now)
    assert signal.verdict is Verdict.BREACHED
    assert signal.value is not None
    assert signal.effect is not None
    assert signal.threshold == pytest.approx(signal.value + signal.effect - 0.05)
    assert signal.interval is not None
    assert 0 < signal.interval[0] < signal.effect < signal.interval[1]
    assert signal.worse is Worse.LOWER
    assert "300 mature labels" in signal.said
    assert "would be seen four times in five" in signal.said


def test_too_few_labels_say_how_many_more_are_needed() -> None:
    """Under min_labels nothing is judged."""
    rng = np.random.default_rng(3)
    signal = _judged(made_stream(policy={"min_labels": 200}), made_records(500, rng), made_records(140, rng))
    assert signal.verdict is Verdict.INSUFFICIENT
    assert "60 more are needed" in signal.said


def test_a_real_drop_within_max_drop_is_left_alone() -> None:
    """A drop that is surely there but smaller than max_drop is no breach."""
    rng = np.random.default_rng(4)
    before, now = made_records(5000, rng), _worse(made_records(5000, rng), 0.05, rng)
    signal = _judged(made_stream(policy={"max_drop": 0.1, "metric": "accuracy"}), before, now)
    assert signal.interval is not None
    assert signal.interval[0] > 0
    assert signal.verdict is Verdict.OK


@pytest.mark.parametrize("name", ["mae", "rmse", "r2"])
def test_errors_of_a_regression(name: str) -> None:
    """Errors that double breach, relative to the reference where lower is better; healthy ones do not."""
    stream = Stream(name="r", task="regression", time="at", numeric=("x",), policy={"metric": name, "min_labels": 30})
    rng = np.random.default_rng(5)

    def rows(n: int, scale: float) -> Rows:
        truth = rng.normal(size=n) * 2
        told = meta(n, rng, label=truth, predicted=truth + scale * rng.normal(size=n))
        return Rows(made_records(n, rng).features, told)

    healthy, broken = (_judged(stream, rows(1000, 1.0), rows(200, scale)) for scale in (1.0, 2.0))
    assert healthy.verdict is Verdict.OK
    assert broken.verdict is Verdict.BREACHED
    if name != "r2":
        assert broken.effect == pytest.approx(1.0, abs=0.4)
        assert broken.worse is Worse.HIGHER


def test_a_series_is_held_against_its_past_blocks() -> None:
    """The spread between blocks is the yardstick; five blocks are needed, and the interval widens with them."""
    rng = np.random.default_rng(6)
    stream = made_stream(series=True, policy={"metric": "accuracy"})
    before = made_records(1600, rng)
    good, bad = made_records(200, rng), _worse(made_records(200, rng), 0.45, rng)
    assert _judged(stream, before, good).verdict is Verdict.OK
    assert _judged(stream, before, bad).verdict is Verdict.BREACHED
    few = compared(before, bad, quality_blocks=np.arange(1600) // 400)
    (answer,) = quality(stream, few)
    assert isinstance(answer, Signal)
    assert answer.verdict is Verdict.INSUFFICIENT
    assert "4 past blocks" in answer.said
