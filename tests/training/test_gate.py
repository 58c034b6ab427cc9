"""The gate lets through what is better, and says with which figures it refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.many import examples
from trueup.training.evaluation.gain import chance_better, gain_of
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.fresh_process import loads_test
from trueup.training.gate.metric_tests import (
    PROMOTION_LEVEL,
    judge_challenger,
    judge_first,
    look_number,
    promotion_bound,
)
from trueup.training.gate.result import Gate


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
        opponent="champion",
        truth=truth,
        opponent_predicted=champion,
        challenger_predicted=challenger,
        opponent_score=old,
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
        paired.challenger_predicted,
        paired.opponent_predicted,
        paired.classes,
        (paired.challenger_score, paired.opponent_score),
        paired.unit,
    )


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (3, 1), (12, 7), (40, 60), (300, 270)])
def test_for_accuracy_the_chance_is_the_beta_of_the_discordant_counts(b: int, c: int) -> None:
    """P(better) equals P(θ > ½ | Beta(1 + b, 1 + c)), whatever the rows on which both are right."""
    expected = stats.beta.sf(0.5, 1 + b, 1 + c)
    assert chance_better("accuracy", _discordant(200, b, c), 1) == pytest.approx(expected, abs=0.015)


@settings(max_examples=examples(25), deadline=None)
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


@pytest.mark.slow
@settings(max_examples=examples(25), deadline=None)
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
    assert not judge_challenger(metric, paired, 0).passed


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
    assert judge_challenger(metric, paired, 0).passed
    worse = judge_challenger(metric, _swapped(paired), 0)
    assert worse.outcome == "refused"
    assert [test.code for test in worse.tests if not test.passed] == ["GATE-METRIC", "GATE-BETTER"]


def test_the_weighted_area_under_the_curve_is_the_plain_one_for_even_weights() -> None:
    """Ties count half, as in scikit-learn."""
    from sklearn.metrics import roc_auc_score

    from trueup.training.evaluation.bootstrap import _area

    rng = np.random.default_rng(0)
    positive, ranked = rng.random(200) < 0.4, rng.integers(0, 12, 200) / 10
    weights = rng.exponential(size=(3, 200))
    expected = [roc_auc_score(positive, ranked, sample_weight=row) for row in weights]
    np.testing.assert_allclose(_area(ranked, positive)(weights), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "difference", "least", "most"),
    [(200, -0.01, 0, 0.12), pytest.param(200, 0.05, 0.7, 0.95, marks=pytest.mark.slow)],
)
def test_better_challengers_pass_and_worse_ones_seldom(
    labels: int, difference: float, least: float, most: float
) -> None:
    """Answers without probabilities, at the first look, a tenth of which disagree: "score higher" lets through .285 of
    those that are a point worse."""
    passed = np.mean([judge_challenger("accuracy", paired, 0).passed for paired in _drawn(labels, difference, 200)])
    assert least <= passed <= most


@pytest.mark.slow
def test_the_labels_needed_show_a_gain_of_two_points_nine_times_in_ten() -> None:
    """The number that the gate states is the number that it takes."""
    first = next(_drawn(2000, 0.02, 1))
    needed = gain_of("accuracy", first, 0).labels_needed(promotion_bound(1))
    assert needed is not None
    passed = np.mean([judge_challenger("accuracy", paired, 0).passed for paired in _drawn(needed, 0.02, 150)])
    assert 0.83 <= passed <= 0.97


def _drawn(labels: int, difference: float, studies: int) -> Iterator[Paired]:
    """Studies in which a tenth of the rows disagree, and the challenger is better by `difference`."""
    rng = np.random.default_rng(7)
    share = [0.05 + difference / 2, 0.05 - difference / 2, 0.9]
    for b, c, both in rng.multinomial(labels, share, size=studies):
        yield _discordant(both, b, c)


def test_dependent_rows_count_as_one() -> None:
    """The same evidence from a tenth of the authors is a tenth of the evidence."""
    alone = _discordant(360, 30, 10)
    together = _paired(alone.truth, alone.opponent_predicted, alone.challenger_predicted, unit=np.arange(400) // 10)
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
        passed.append(chance_better("accuracy", paired, 0) >= 0.9)
    assert np.mean(passed) < 0.17


def test_too_few_labels_are_not_enough_evidence() -> None:
    """Under fifty labels nothing is judged, and the number that is lacking is said."""
    gate = judge_challenger("accuracy", _discordant(20, 10, 0), 0)
    assert gate.outcome == "not enough evidence"
    assert [test.code for test in gate.tests] == ["GATE-LABELS"]
    assert "50 needed" in gate.tests[0].said


def test_looking_often_does_not_win_by_luck() -> None:
    """What all looks at one champion may spend sums to the level, and a later look asks for more."""
    assert sum(1 - promotion_bound(look) for look in range(1, 2000)) == pytest.approx(PROMOTION_LEVEL, rel=0.003)
    chances = [judge_challenger("accuracy", _discordant(450, 30, 20), 0, look=look).passed for look in (1, 4)]
    assert chances == [True, False]


def test_a_year_of_weekly_looks_seldom_lets_a_challenger_pass_that_is_no_better() -> None:
    """The rows accumulate, so the looks are those at a random walk; .9 asked at each would let four in ten pass."""
    labels = 100 * np.arange(1, 53)
    walk = np.cumsum(np.random.default_rng(1).normal(size=(5000, 52)), axis=1) / np.sqrt(np.arange(1, 53))
    asked = [promotion_bound(look_number(labels[:week].tolist(), int(found))) for week, found in enumerate(labels)]
    assert (walk >= stats.norm.ppf(asked)).any(axis=1).mean() < 0.28
    assert (walk >= stats.norm.ppf(0.9)).any(axis=1).mean() > 0.38


@pytest.mark.parametrize(
    ("before", "labels", "look"),
    [([], 80, 1), ([100], 199, 1), ([100], 200, 2), ([200, 100, 150], 250, 2), ([100, 200], 400, 3)],
)
def test_looks_count_as_one_until_the_labels_have_doubled(before: list[int], labels: int, look: int) -> None:
    """A second look at nearly the same rows is asked for no more than the first."""
    assert look_number(before, labels) == look


def test_a_small_gain_on_few_labels_is_not_enough_evidence() -> None:
    """Where more labels could show it, the gate says how many; a challenger that is surely worse is refused."""
    unsure = judge_challenger("accuracy", _discordant(200, 12, 9), 0)
    assert unsure.outcome == "not enough evidence"
    assert unsure.labels_needed is not None
    assert unsure.labels_needed > 221
    assert f"{unsure.labels_needed:,} needed" in unsure.tests[0].said
    assert judge_challenger("accuracy", _discordant(200, 3, 30), 0).outcome == "refused"


def test_the_evaluation_side_alone_must_not_speak_against_it() -> None:
    """Cross-fitted refits that shine do not carry a version that is surely worse itself."""
    refits, itself = _discordant(400, 90, 10), _discordant(100, 3, 17)
    both = _joined(refits, itself)
    gate = judge_challenger("accuracy", both, 0)
    assert [test.code for test in gate.tests if not test.passed] == ["GATE-EVALUATION"]
    assert "evaluation side 0.858 against 0.975 on 120" in gate.tests[1].said


def test_older_rows_veto_only_while_their_labels_hold() -> None:
    """A challenger that unlearnt the past is refused, unless the champion shows that the past is over."""
    new, past = _discordant(600, 34, 14), _discordant(250, 16, 40)
    refused = judge_challenger("accuracy", new, 0, older=past)
    assert [test.code for test in refused.tests if not test.passed] == ["GATE-OLDER"]
    other = np.where(new.truth == "no", "yes", "no")
    turned = replace(new, truth=np.where(np.arange(648) < 60, other, new.truth))  # both are wrong on sixty rows
    assert judge_challenger("accuracy", turned, 0, older=past).passed
    assert "the concept changed (champion" in judge_challenger("accuracy", turned, 0, older=past).tests[-1].said
    beaten = judge_challenger("accuracy", _discordant(600, 80, 14), 0, older=past)
    assert "the concept changed (challenger" in beaten.tests[-1].said


def test_older_rows_of_any_number_of_groups_are_weighed_against_the_new() -> None:
    """How often rows are drawn depends on their groups; what is learnt on new and lost on older rows is compared."""
    new, past = _discordant(6000, 90, 60), _discordant(30_000, 480, 1100)
    grouped = (replace(new, unit=np.arange(len(new)) // 2), replace(past, unit=np.arange(len(past)) // 2))
    older = judge_challenger("accuracy", grouped[0], 0, older=grouped[1]).tests[-1]
    assert older.code == "GATE-OLDER"
    assert not older.passed


def test_whether_older_labels_hold_is_asked_of_the_newest_rows() -> None:
    """A champion that has only begun to fail is not yet worse on all new rows, but on those of the last window."""
    new, past = _discordant(2000, 70, 50), _discordant(1900, 60, 110)
    recently = (np.arange(len(new)) % 10 == 0) | ((np.arange(len(new)) >= 2000) & (np.arange(len(new)) < 2070))
    slowly = replace(new, age=np.where(recently, 0.0, 9.0))
    failed = {test.code for test in judge_challenger("accuracy", new, 0, older=past).tests if not test.passed}
    assert "GATE-OLDER" in failed
    assert "the concept changed (champion" in judge_challenger("accuracy", slowly, 0, older=past).tests[-1].said


def test_after_a_late_change_the_newest_rows_speak_for_the_metric() -> None:
    """Better in the last two windows and worse before: that is a change, and not a worse challenger."""
    late = _discordant(800, 60, 70)
    changed = replace(late, age=np.where(np.arange(930) < 860, 0.5, 3.0))  # what only the champion answers is older
    failed = [test.code for test in judge_challenger("accuracy", late, 0).tests if not test.passed]
    assert failed == ["GATE-METRIC", "GATE-BETTER"]
    test = judge_challenger("accuracy", changed, 0).tests[1]
    assert test.passed
    assert test.value == pytest.approx(60 / 860)
    assert "on the 860 of the last 2 windows, which decide: 1, the champion 0.93" in test.said


def test_where_the_champion_fell_the_newest_rows_alone_are_evidence() -> None:
    """After a label flip rows of the old world outweigh the new one's, and tell nothing of what follows."""
    truth = np.where(np.arange(3000) % 2 == 0, "no", "yes").astype(object)
    other = np.where(truth == "no", "yes", "no")
    turned, erred = np.arange(3000) >= 2700, np.arange(3000) % 10 == 0
    champion, challenger = np.where(turned ^ erred, other, truth), np.where(turned ^ erred, truth, other)
    age = np.where(turned, 0.5, 2.0 + np.arange(3000)[::-1] / 300)
    flipped = replace(_paired(truth, champion, challenger), age=age)
    gate = judge_challenger("accuracy", flipped, 0)
    assert gate.passed
    assert gate.tests[0].value == 300
    assert "300 evaluation labels new to both models (of 3,000" in gate.tests[0].said
    steady = replace(flipped, opponent_predicted=np.where(np.arange(3000) % 10 < 3, other, truth))
    refused = judge_challenger("accuracy", steady, 0)
    assert not refused.passed
    assert refused.tests[0].value == 3000


def test_more_errors_are_not_bought_with_a_little_of_the_metric() -> None:
    """Wrong labels raise macro-F1 of uneven classes and the errors; what is better by far is no such accident."""
    at = np.arange(9000) % 1000
    truth = np.where(at < 100, "yes", "no").astype(object)
    careful = np.where(at < 60, "yes", "no").astype(object)
    bold = np.where((at < 85) | (at >= 968), "yes", "no").astype(object)
    eager = np.where((at < 100) | (at >= 870), "yes", "no").astype(object)
    always_no = np.full(9000, "no", dtype=object)
    assert chance_better("f1_macro", _paired(truth, careful, bold), 0) > 0.95
    assert not judge_challenger("f1_macro", _paired(truth, careful, bold), 0).passed
    assert judge_challenger("f1_macro", _paired(truth, always_no, eager), 0).passed
    assert judge_first("f1_macro", _paired(truth, always_no, eager), 0).passed


def _joined(training: Paired, evaluation: Paired) -> Paired:
    both = [np.concatenate(pair) for pair in (
        (training.truth, evaluation.truth),
        (training.opponent_predicted, evaluation.opponent_predicted),
        (training.challenger_predicted, evaluation.challenger_predicted),
    )]
    side = np.arange(len(both[0])) >= len(training)
    return replace(_paired(*both), evaluation=side)


def test_an_undefined_metric_promotes_nothing() -> None:
    """With one class only there is no ROC curve: the gate refuses and says so, with no NaN in its document."""
    truth = np.full(80, "yes", dtype=object)
    gate = judge_challenger("roc_auc", _paired(truth, truth, truth, scores=(np.ones(80), np.ones(80))), 0)
    assert gate.outcome == "refused"
    assert {test.value for test in gate.tests[1:]} == {None}
    assert "not defined" in gate.tests[1].said


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
    gate = judge_challenger("accuracy", _discordant(200, 30, 10), 0)
    failed = gate.and_test(loads_test(3, "3 of 50 answers differ"))
    assert gate.and_test(loads_test(3)).passed
    assert not failed.passed
    assert failed.outcome == "refused"
    assert Gate.from_json(failed.as_json()) == failed
