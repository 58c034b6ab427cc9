"""PRF-METRIC: the champion's metric against what its recipe reached out of time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_comparisons import compared, made_records, made_stream, meta
from tests.many import examples
from trueup.monitoring.check import Signal, Verdict, Worse
from trueup.monitoring.signals.pending import PendingTest
from trueup.monitoring.signals.performance import performance
from trueup.monitoring.signals.slice_performance import slice_performance
from trueup.monitoring.stats.metrics import metric
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

pytestmark = pytest.mark.long

LEVEL = 0.002


def _judged(stream: StreamSettings, before: Rows, now: Rows) -> Signal:
    (item,) = performance(stream, compared(before, now))
    return item.run(LEVEL) if isinstance(item, PendingTest) else item


def _worse(rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """A share of the labels turned over: the concept changed, the answers did not."""
    label = rows.meta["label"].to_numpy().copy()
    turned = rng.random(len(rows)) < share
    label[turned] = np.where(label[turned] == "positive", "negative", "positive")
    return rows.with_meta(label=label)


@settings(max_examples=examples(40), deadline=None)
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
    assert "on 300 labelled records" in signal.said
    assert "these labels can show" in signal.said


def test_too_few_labels_say_how_many_more_are_needed() -> None:
    """Under min_labels nothing is judged."""
    rng = np.random.default_rng(3)
    signal = _judged(made_stream(policy={"min_labels": 200}), made_records(500, rng), made_records(140, rng))
    assert signal.verdict is Verdict.INSUFFICIENT
    assert "60 more" in signal.said


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
    stream = StreamSettings(
        name="r", task="regression", time="at", numeric=("x",), policy={"metric": name, "min_labels": 30}
    )
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
    (answer,) = performance(stream, few)
    assert isinstance(answer, Signal)
    assert answer.verdict is Verdict.INSUFFICIENT
    assert "4 past blocks" in answer.said


def _sliced(stream: StreamSettings, before: Rows, now: Rows, **changed: object) -> Signal:
    (item,) = slice_performance(stream, compared(before, now, **changed))
    return item.run(LEVEL) if isinstance(item, PendingTest) else item


def test_the_worst_slice_is_named_though_all_records_look_well() -> None:
    """A flip within one kind of record breaches its slice by name; without it no slice breaches."""
    rng = np.random.default_rng(11)
    stream = made_stream(slices=("kind",), policy={"metric": "accuracy"})
    before, now = made_records(3000, rng), made_records(900, rng)
    only_b = (now.features["kind"] == "b").to_numpy()
    label = np.where(only_b, _worse(now, 0.3, rng).meta["label"], now.meta["label"])
    broken = _sliced(stream, before, now.with_meta(label=label))
    assert broken.code == "PRF-SLICE-kind"
    assert broken.verdict is Verdict.BREACHED
    assert ": 'b', " in broken.said
    assert _sliced(stream, before, now).verdict is Verdict.OK


def test_a_value_that_the_reference_never_held_is_held_against_all_of_it() -> None:
    """A new version answers worse: there is no past of its own, and the sentence says what it was compared with."""
    rng = np.random.default_rng(12)
    stream = made_stream(slices=("kind",), policy={"metric": "accuracy"})
    before, now = made_records(3000, rng), made_records(900, rng)
    new = rng.random(900) < 0.3
    label = np.where(new, _worse(now, 0.3, rng).meta["label"], now.meta["label"])
    features = now.features.assign(kind=np.where(new, "v9", now.features["kind"]))
    found = _sliced(stream, before, Rows(features, now.meta.assign(label=label)))
    assert found.verdict is Verdict.BREACHED
    assert ": 'v9', " in found.said
    assert "compared with all records" in found.said


def test_texts_are_sliced_by_length_and_numbers_by_thirds() -> None:
    """A text column and a number declared as slices are cut in three by the reference."""
    rng = np.random.default_rng(13)
    before, now = made_records(2000, rng), made_records(600, rng)
    numeric = _sliced(made_stream(slices=("size",)), before, now)
    assert "up to" in {c.what[:5] for c in numeric.contributors}
    longer = [text + " more" * (i % 7) for i, text in enumerate(now.features["words"])]
    features = now.features.assign(words=np.array(longer, dtype=object))
    assert "words" in _sliced(made_stream(slices=("words",)), before, Rows(features, now.meta)).said


def test_more_records_of_a_hard_class_are_no_drop_of_the_model() -> None:
    """The metric falls because a class that was always answered badly comes more often; the mix is named as why."""
    rng = np.random.default_rng(17)

    def rows(n: int, positive: float) -> Rows:
        made = made_records(n, rng, positive=positive)
        truth = made.meta["label"].to_numpy()
        right = rng.random(n) < np.where(truth == "positive", 0.95, 0.6)
        other = np.where(truth == "positive", "negative", "positive")
        return made.with_meta(predicted=np.where(right, truth, other))

    stream = made_stream(policy={"metric": "accuracy"})
    found = _judged(stream, rows(3000, 0.85), rows(600, 0.35))
    assert found.effect is not None
    assert found.effect > 0.1
    assert found.interval is not None
    assert found.interval[0] > 0
    assert found.verdict is Verdict.OK
    assert "changed mix of the classes" in found.said


def test_labels_that_several_checks_read_spend_the_level_once() -> None:
    """Read in four checks running, a look has a quarter of the level, and a wider interval."""
    rng = np.random.default_rng(18)
    before, now = made_records(1000, rng), made_records(200, rng)
    stream = made_stream()
    once, often = (
        next(iter(performance(stream, compared(before, now, quality_looks=looks)))) for looks in (1, 4)
    )
    assert isinstance(once, PendingTest)
    assert isinstance(often, PendingTest)
    first, second = once.run(LEVEL).interval, often.run(LEVEL).interval
    assert first is not None
    assert second is not None
    assert second[0] < first[0] < first[1] < second[1]
    assert often.run(4 * LEVEL).interval == first


def test_a_series_that_reaches_back_for_its_labels_alarms_no_oftener() -> None:
    """Windows of 168 dependent records of which 200 are judged: at a level of 5 %, 60 healthy series alarm rarely."""
    stream = made_stream(series=True, policy={"metric": "accuracy", "min_labels": 200, "max_drop": 0.0})
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rows = made_records(8 * 168 + 200, rng)
        error, usual = rng.normal(size=len(rows)), np.empty(len(rows))
        for k in range(len(rows)):
            usual[k] = error[k] if k == 0 else 0.95 * usual[k - 1] + error[k] * np.sqrt(1 - 0.95**2)
        label = rows.meta["label"].to_numpy()
        wrong = np.where(label == "positive", "negative", "positive")
        rows = rows.with_meta(predicted=np.where(usual > 0.9, wrong, label))
        before, now = rows.take(slice(0, 8 * 168)), rows.take(slice(8 * 168, None))
        (item,) = performance(stream, compared(before, now, quality_blocks=np.arange(8 * 168) // 168, quality_looks=2))
        assert isinstance(item, PendingTest)
        alarms += item.run(0.05).verdict is Verdict.BREACHED
    assert alarms <= 6
