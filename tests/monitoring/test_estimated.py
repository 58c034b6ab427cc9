"""PRF-EST: the metric estimated before labels arrive, from calibrated confidence or from a model of the errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import binom

from tests.made_comparisons import compared, made_stream, meta
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.signals.confidence_estimate import Scored, calibrated, expected, grid
from trueup.monitoring.signals.estimated_performance import estimated_performance, estimator
from trueup.monitoring.signals.pending import PendingTest
from trueup.monitoring.stats.metrics import metric
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

pytestmark = pytest.mark.long

NAMES = np.array(["negative", "positive"], dtype=object)
CLASSES = ("negative", "positive")


def _judged(stream: StreamSettings, before: Rows, now: Rows, level: float = 0.002, **changed: object) -> Signal:
    (item,) = estimated_performance(stream, compared(before, now, **changed))
    return item.run(level) if isinstance(item, PendingTest) else item


def _reviews(n: int, rng: np.random.Generator, *, hard: float = 0.0) -> Rows:
    """Answers of a model that is too sure of itself; `hard` moves inputs to where classes are mixed."""
    chance = expit(rng.normal(1.2, 2.5, n) * (1 - hard))
    truth, score = rng.random(n) < chance, expit(1.8 * logit(chance) + 0.2)
    features = pd.DataFrame({"words": ["word"] * n})
    said = {"label": NAMES[truth.astype(int)], "predicted": NAMES[(score > 0.5).astype(int)], "score": score}
    return Rows(features, meta(n, rng, **said))


def _rentals(n: int, rng: np.random.Generator, *, storm: float = 0.3) -> Rows:
    """Answers whose errors grow with one of the inputs."""
    wind = rng.exponential(storm, n)
    truth = 100 + 20 * rng.normal(size=n)
    predicted = truth + (2 + 15 * wind) * rng.normal(size=n)
    features = pd.DataFrame({"wind": wind, "kind": rng.choice(np.array(["a", "b", None], dtype=object), n)})
    return Rows(features, meta(n, rng, label=truth.astype(object), predicted=predicted.astype(object)))


def _rental_stream(name: str, **policy: object) -> StreamSettings:
    told = {"task": "regression", "text": (), "numeric": ("wind",), "categorical": ("kind",)}
    return made_stream(**told, policy={"metric": name, **policy})


def _unlabelled(rows: Rows) -> Rows:
    return rows.with_meta(label=None, provenance=None)


def _measured(name: str, rows: Rows) -> float:
    read = rows.meta
    found = metric(name, *(read[c].to_numpy() for c in ("label", "predicted", "score")), CLASSES)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "f1_score", "roc_auc"])
def test_the_estimate_follows_the_metric_of_harder_inputs_without_their_labels(name: str) -> None:
    """Half as much confidence in the window: the metric is foretold to within two points, and the drop breaches."""
    rng = np.random.default_rng(1)
    before, now = _reviews(1500, rng), _reviews(3000, rng, hard=0.5)
    signal = _judged(made_stream(policy={"metric": name}), before, _unlabelled(now))
    assert signal.verdict is Verdict.BREACHED
    assert signal.value == pytest.approx(_measured(name, now), abs=0.02)
    assert signal.value is not None
    assert signal.effect == pytest.approx(_measured(name, before) - _measured(name, now), abs=0.03)
    assert signal.threshold == pytest.approx(signal.value + signal.effect - 0.03)
    assert signal.interval is not None
    assert 0 < signal.interval[0] < signal.effect < signal.interval[1]


def test_sure_truths_give_the_metric_itself() -> None:
    """Where the chance of the last class is 0 or 1, expected counts are counts."""
    rng = np.random.default_rng(2)
    rows = _reviews(150, rng)
    part = Scored(np.unique(rng.random(150)), rng.random(150) < 0.6, (rng.random(150) < 0.4).astype(float))
    cells = grid(part)
    counts = cells.counts(part)
    chance = counts[:, :, 1].sum(axis=1) / counts.sum(axis=(1, 2))
    rows = rows.with_meta(
        label=NAMES[part.truth.astype(int)], predicted=NAMES[part.yes.astype(int)], score=part.score
    )
    for name in ("accuracy", "f1_macro", "f1_score", "roc_auc"):
        found = expected(name, counts.sum(axis=2)[None], chance[None])[0]
        assert found == pytest.approx(_measured(name, rows))


def test_confidence_is_brought_to_what_the_labels_show() -> None:
    """Scores that are too sure are drawn back to the true chances, never out of order, saturated ones too."""
    rng = np.random.default_rng(3)
    chance = expit(rng.normal(0, 2, 4000))
    score = np.round(expit(3 * logit(chance)), 9)
    part = Scored(score, score > 0.5, (rng.random(4000) < chance).astype(float))
    cells = grid(part)
    records = cells.counts(part).sum(axis=1)
    found = calibrated(cells.columns, records.sum(axis=-1), records[:, 1])
    assert (np.diff(found) > -1e-9).all()
    true = expit(cells.columns[:, 0] / 3)
    weights = records.sum(axis=-1) / len(part)
    assert float(weights @ np.abs(found - true)) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "repetitions"), [pytest.param("f1_macro", 200, marks=pytest.mark.slow), ("roc_auc", 60)]
)
def test_exchangeable_windows_breach_at_their_level_at_most(name: str, repetitions: int) -> None:
    """Of a few hundred healthy windows with max_drop 0 hardly more than the level's share breach."""
    stream, level = made_stream(policy={"metric": name, "max_drop": 0.0}), 0.05
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(repetitions):
        sides = _reviews(300, rng), _unlabelled(_reviews(120, rng))
        found += _judged(stream, *sides, level, quality_reference=_reviews(300, rng)).verdict is Verdict.BREACHED
    assert found <= binom.isf(0.001, repetitions, level)


@pytest.mark.parametrize("name", ["mae", pytest.param("rmse", marks=pytest.mark.slow)])
def test_errors_are_foretold_where_inputs_get_harder(name: str) -> None:
    """Three times the wind: the foretold error is within a fifth of the measured one, and breaches."""
    rng = np.random.default_rng(5)
    before, now = _rentals(2000, rng), _rentals(600, rng, storm=0.9)
    signal = _judged(_rental_stream(name), before, _unlabelled(now))
    assert signal.verdict is Verdict.BREACHED
    measured = metric(name, *(now.meta[c].to_numpy() for c in ("label", "predicted", "score")), ())
    assert signal.value == pytest.approx(measured, rel=0.2)
    assert "changed for the same inputs" in signal.said


@pytest.mark.slow
def test_healthy_errors_do_not_breach() -> None:
    """Of 6 healthy windows with max_drop 0 at a level of .01 none breaches."""
    rng = np.random.default_rng(6)
    sides = ((_rentals(400, rng), _rentals(200, rng)) for _ in range(6))
    stream = _rental_stream("mae", max_drop=0.0)
    assert not [1 for before, now in sides if _judged(stream, before, now, 0.01).verdict is Verdict.BREACHED]


@pytest.mark.parametrize("task", ["classification", pytest.param("regression", marks=pytest.mark.slow)])
def test_series_are_held_against_their_past_blocks(task: str) -> None:
    """A window like the past blocks passes, a harder one breaches, and the sentence names the blocks."""
    rng = np.random.default_rng(7)
    if task == "classification":
        stream = made_stream(series=True)
        windows = _reviews(1600, rng), _reviews(400, rng), _reviews(400, rng, hard=0.8)
    else:
        base = _rental_stream("mae")
        stream = base.model_copy(update={"series": True})
        windows = _rentals(1600, rng), _rentals(400, rng), _rentals(400, rng, storm=1.5)
    quiet, broken = (_judged(stream, windows[0], now) for now in windows[1:])
    assert (quiet.verdict, broken.verdict) == (Verdict.OK, Verdict.BREACHED)
    assert "average of 8 past blocks" in quiet.said


def test_the_signal_tells_its_own_record_and_what_it_cannot_see() -> None:
    """Labels turned over leave the estimate where it is; it also says what it gives where labels came."""
    rng = np.random.default_rng(8)
    before, now = _reviews(1000, rng), _reviews(400, rng)
    turned = NAMES[(now.meta["label"] == "negative").to_numpy().astype(int)]
    signal = _judged(made_stream(), before, now.with_meta(label=turned))
    assert signal.verdict is Verdict.OK
    assert "not labels that changed their meaning" in signal.said
    measured = _measured("f1_macro", now.with_meta(label=turned))
    assert f"estimated {signal.value:.3g}, measured {measured:.3g}" in signal.said
    early = _judged(made_stream(), before, now, quality_current=now.take(slice(0, 10)))
    assert "the window has 10 mature ones" in early.said


def test_what_cannot_be_estimated_says_why() -> None:
    """R2, three classes, few answers, few labels and few blocks are insufficient, each with its own reason."""
    rng = np.random.default_rng(9)
    before, now = _reviews(500, rng), _reviews(100, rng)
    third = np.where(rng.random(500) < 0.2, "neutral", before.meta["label"])
    cases = {
        "R² cannot be estimated": _judged(_rental_stream("r2"), _rentals(200, rng), _rentals(100, rng)),
        "3 classes": _judged(made_stream(), before.with_meta(label=third), now),
        "holds 20 answered records": _judged(made_stream(), before, now.take(slice(0, 20))),
        "60 labelled records": _judged(made_stream(), before.take(slice(0, 60)), now),
        "0 labelled records": _judged(made_stream(), _unlabelled(before), now),
        "past blocks are known": _judged(made_stream(series=True), before, now, quality_blocks=np.zeros(500, int)),
    }
    for reason, signal in cases.items():
        assert signal.verdict is Verdict.INSUFFICIENT
        assert reason in signal.said
    empty = before.take(slice(0, 0))
    assert _judged(made_stream(), empty, empty).verdict is Verdict.INSUFFICIENT


def test_labels_of_another_provenance_are_not_mixed_in() -> None:
    """Labels by feedback among recorded ones do not move the estimate."""
    rng = np.random.default_rng(10)
    before, now, out_of_time = _reviews(600, rng), _reviews(300, rng), _reviews(600, rng)
    by_users = rng.random(600) < 0.3
    wrong = before.with_meta(
        label=np.where(by_users, "negative", before.meta["label"]),
        provenance=np.where(by_users, "feedback", "record"),
    )
    silent = before.with_meta(label=np.where(by_users, None, before.meta["label"]))
    values = [_judged(made_stream(), hand, now, quality_reference=out_of_time).value for hand in (wrong, silent)]
    assert values[0] == pytest.approx(values[1])


def test_the_estimate_is_the_same_each_time() -> None:
    """The same check asked again gives the same figures, and the estimator the signal's value."""
    rng = np.random.default_rng(11)
    before, now = _reviews(400, rng), _reviews(200, rng)
    first, again = (_judged(made_stream(), before, now) for _ in range(2))
    assert first == again
    assert estimator(made_stream(), before, CLASSES)(now) == pytest.approx(first.value)
