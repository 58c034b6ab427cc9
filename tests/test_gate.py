"""The gate lets through what is better, and says with which figures it refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from training.gate import BOUND_FEW, BOUND_MANY, Gate, Paired, chance_better, judge, judge_first, loads


def _paired(
    truth: np.ndarray,
    champion: np.ndarray,
    challenger: np.ndarray,
    classes: tuple[str, ...] = ("no", "yes"),
    scores: tuple[np.ndarray, np.ndarray] | None = None,
    unit: np.ndarray | None = None,
) -> Paired:
    n = len(truth)
    old, new = scores or (np.full(n, np.nan), np.full(n, np.nan))
    return Paired(
        truth=truth,
        champion=champion,
        challenger=challenger,
        champion_score=old,
        challenger_score=new,
        unit=np.arange(n) if unit is None else unit,
        evaluation=np.zeros(n, dtype=bool),
        classes=classes,
    )


def _discordant(both: int, b: int, c: int) -> Paired:
    """`both` rows both right, b where only the challenger is, c where only the champion is; half of each negative."""
    n = both + b + c
    truth = np.where(np.arange(n) % 2 == 0, "no", "yes").astype(object)
    other = np.where(truth == "no", "yes", "no").astype(object)
    at = np.arange(n)
    champion = np.where((at >= both) & (at < both + b), other, truth)
    return _paired(truth, champion, np.where(at >= both + b, other, truth))


def _swapped(paired: Paired) -> Paired:
    return _paired(
        paired.truth,
        paired.challenger,
        paired.champion,
        paired.classes,
        (paired.challenger_score, paired.champion_score),
        paired.unit,
    )


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (3, 1), (12, 7), (40, 60), (300, 270)])
def test_for_accuracy_the_chance_is_the_beta_of_the_discordant_counts(b: int, c: int) -> None:
    """P(better) equals P(θ > ½ | Beta(1 + b, 1 + c)), whatever the rows on which both are right."""
    expected = stats.beta.sf(0.5, 1 + b, 1 + c)
    assert chance_better("accuracy", _discordant(200, b, c), 1) == pytest.approx(expected, abs=0.015)


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(0, 40), min_size=27, max_size=27).filter(lambda counts: sum(counts) > 20),
    metric=st.sampled_from(["accuracy", "f1_macro", "f1_score"]),
)
def test_swapping_the_models_turns_the_chance_around(counts: list[int], metric: str) -> None:
    """The gate knows no favourite: P(A better than B) + P(B better than A) is 1, for any table of answers."""
    names = np.array(["a", "b", "c"], dtype=object)
    cells = np.repeat(np.arange(27), counts)
    paired = _paired(names[cells // 9], names[cells // 3 % 3], names[cells % 3], ("a", "b", "c"))
    total = chance_better(metric, paired, 1) + chance_better(metric, _swapped(paired), 2)
    assert total == pytest.approx(1, abs=0.03)


@settings(max_examples=25, deadline=None)
@given(both=st.integers(30, 300), b=st.integers(0, 60), c=st.integers(0, 60), more=st.integers(1, 20))
def test_more_rows_where_only_the_challenger_is_right_never_hurt_it(both: int, b: int, c: int, more: int) -> None:
    """The chance rises with b and falls with c."""
    for metric in ("accuracy", "f1_macro"):
        before = chance_better(metric, _discordant(both, b, c), 1)
        assert chance_better(metric, _discordant(both, b + 2 * more, c), 1) >= before - 0.015
        assert chance_better(metric, _discordant(both, b, c + 2 * more), 1) <= before + 0.015


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "f1_score", "roc_auc", "mae", "rmse", "r2"])
def test_equal_answers_give_an_even_chance_and_no_promotion(metric: str) -> None:
    """A challenger that answers just as the champion shows nothing, on every metric."""
    rng = np.random.default_rng(0)
    if metric in {"mae", "rmse", "r2"}:
        truth = rng.normal(size=300)
        same = truth + rng.normal(size=300)
        paired = _paired(truth, same, same, ())
    else:
        truth = rng.choice(["no", "yes"], 300).astype(object)
        same = np.where(rng.random(300) < 0.2, "no", truth).astype(object)
        ranked = rng.random(300)
        paired = _paired(truth, same, same, scores=(ranked, ranked))
    assert chance_better(metric, paired, 0) == pytest.approx(0.5, abs=0.04)
    assert not judge(metric, paired, 0).passed


@pytest.mark.parametrize("metric", ["mae", "rmse", "r2", "roc_auc"])
def test_a_clearly_better_challenger_passes_and_the_worse_does_not(metric: str) -> None:
    """For numbers and for rankings half the error is seen in 300 rows, in the right direction."""
    rng = np.random.default_rng(0)
    if metric == "roc_auc":
        truth = rng.choice(["no", "yes"], 300).astype(object)
        level = (truth == "yes").astype(float)
        scores = (level + rng.normal(0, 1.5, 300), level + rng.normal(0, 0.7, 300))
        answers = np.full(300, "yes", dtype=object)
        paired = _paired(truth, answers, answers, scores=scores)
    else:
        truth = rng.normal(size=300)
        paired = _paired(truth, truth + rng.normal(0, 1, 300), truth + rng.normal(0, 0.5, 300), ())
    assert judge(metric, paired, 0).passed
    worse = judge(metric, _swapped(paired), 0)
    assert worse.outcome == "refused"
    assert [test.passed for test in worse.tests] == [True, False, False]


def test_the_weighted_area_under_the_curve_is_the_plain_one_for_even_weights() -> None:
    """Ties count half, as in scikit-learn."""
    from sklearn.metrics import roc_auc_score

    from training.bootstrap import _area

    rng = np.random.default_rng(0)
    positive, ranked = rng.random(200) < 0.4, rng.integers(0, 12, 200) / 10
    weights = rng.exponential(size=(3, 200))
    expected = [roc_auc_score(positive, ranked, sample_weight=row) for row in weights]
    np.testing.assert_allclose(_area(ranked, positive)(weights), expected)


@pytest.mark.parametrize(
    ("labels", "difference", "low", "high"),
    [(200, -0.01, 0.05, 0.15), (200, 0.05, 0.87, 0.97), (500, 0.02, 0.44, 0.65)],
)
def test_the_gate_promotes_as_often_as_the_study_says(labels: int, difference: float, low: float, high: float) -> None:
    """Rows of statistics.md: 10 % of rows disagree; .8 is asked for below 500 labels, .9 from there up."""
    rng = np.random.default_rng(7)
    share = [0.05 + difference / 2, 0.05 - difference / 2, 0.9]
    passed = [
        judge("accuracy", _discordant(both, b, c), 0).passed
        for b, c, both in rng.multinomial(labels, share, size=200)
    ]
    assert low <= np.mean(passed) <= high


def test_dependent_rows_count_as_one() -> None:
    """The same evidence from a tenth of the authors is a tenth of the evidence."""
    alone = _discordant(360, 30, 10)
    together = _paired(alone.truth, alone.champion, alone.challenger, unit=np.arange(400) // 10)
    assert chance_better("accuracy", alone, 0) > 0.99
    assert 0.6 < chance_better("accuracy", together, 0) < 0.97


def test_dependent_rows_of_a_made_study_keep_the_level() -> None:
    """Equal models whose rows come in tens of one kind pass .9 in a tenth of cases, not in three tenths."""
    rng = np.random.default_rng(3)
    passed = []
    for _ in range(150):
        kind = np.repeat(rng.choice([0, 1, 2], p=[0.1, 0.1, 0.8], size=60), 10)
        truth = np.full(600, "yes", dtype=object)
        champion, challenger = (np.where(kind == wrong, "no", "yes").astype(object) for wrong in (0, 1))
        paired = _paired(truth, champion, challenger, unit=np.arange(600) // 10)
        passed.append(chance_better("accuracy", paired, 0) >= BOUND_MANY)
    assert np.mean(passed) < 0.17


def test_too_few_labels_are_not_enough_evidence() -> None:
    """Under fifty labels nothing is judged, and the number that is lacking is said."""
    gate = judge("accuracy", _discordant(20, 10, 0), 0)
    assert gate.outcome == "not enough evidence"
    assert [test.code for test in gate.tests] == ["GATE-LABELS"]
    assert "20 more are needed" in gate.tests[0].said


def test_the_bound_grows_with_the_labels() -> None:
    """.8 below five hundred labels, .9 from there on."""
    assert judge("accuracy", _discordant(450, 30, 19), 0).tests[2].bound == BOUND_FEW
    assert judge("accuracy", _discordant(450, 30, 20), 0).tests[2].bound == BOUND_MANY


def test_an_undefined_metric_promotes_nothing() -> None:
    """With one class only there is no ROC curve: the gate refuses and says so, with no NaN in its document."""
    truth = np.full(80, "yes", dtype=object)
    gate = judge("roc_auc", _paired(truth, truth, truth, scores=(np.ones(80), np.ones(80))), 0)
    assert gate.outcome == "refused"
    assert [test.value for test in gate.tests[1:]] == [None, None]
    assert "undefined" in gate.tests[1].said


def test_the_first_champion_must_beat_the_majority_class() -> None:
    """A model that always answers the commonest class is no better than that answer."""
    truth = np.where(np.arange(300) % 4 == 0, "no", "yes").astype(object)
    constant = np.full(300, "yes", dtype=object)
    assert not judge_first("f1_macro", _paired(truth, constant, constant), 0).passed
    learnt = judge_first("f1_macro", _paired(truth, constant, truth), 0)
    assert learnt.passed
    assert "majority class" in learnt.tests[1].said


def test_a_gate_survives_its_document() -> None:
    """What was decided can be read back after a restart, also with the loading test added."""
    gate = judge("accuracy", _discordant(200, 30, 10), 0)
    failed = gate.and_test(loads(3, "3 of 50 answers differ"))
    assert gate.and_test(loads(3)).passed
    assert not failed.passed
    assert failed.outcome == "refused"
    assert Gate.from_json(failed.as_json()) == failed
