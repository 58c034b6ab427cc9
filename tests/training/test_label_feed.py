"""Labels that broke are told from a concept that changed, on made scores of known quality."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from trueup.training.evaluation.label_feed import AnsweredLabels, FeedFault, judge_label_feed, sound_rows
from trueup.training.evaluation.labelling import Labelling
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.result import Gate, GateTest

CLASSES = ("no", "yes")
N = 500
Labels = np.ndarray
Broken = Callable[[Labels, np.random.Generator], Labels]


def scores(truth: Labels, rng: np.random.Generator) -> np.ndarray:
    """Scores of a good model: an area under the ROC curve of about .95."""
    logit = np.where(truth == "yes", 1.7, -1.7) + rng.normal(0, 1.5, len(truth))
    return 1 / (1 + np.exp(-logit))


def answers(score: np.ndarray) -> Labels:
    return np.where(score > 0.5, "yes", "no").astype(object)


def true_labels(rng: np.random.Generator, n: int = N, share: float = 0.42) -> Labels:
    return np.where(rng.random(n) < share, "yes", "no").astype(object)


def paired(truth: Labels, champion: np.ndarray, challenger: np.ndarray) -> Paired:
    """All rows of one window, the oldest first."""
    n = len(truth)
    return Paired(
        opponent="champion",
        truth=truth,
        opponent_predicted=answers(champion),
        challenger_predicted=answers(challenger),
        opponent_score=champion,
        challenger_score=challenger,
        unit=np.arange(n),
        evaluation=np.zeros(n, dtype=bool),
        classes=tuple(sorted(set(truth.tolist()))),
        age=np.arange(n)[::-1] / n,
    )


def before(rng: np.random.Generator) -> AnsweredLabels:
    truth = true_labels(rng, 800)
    score = scores(truth, rng)
    return AnsweredLabels(truth=truth, predicted=answers(score), score=score)


def fault(truth: Labels, champion: np.ndarray, challenger: np.ndarray, rng: np.random.Generator) -> FeedFault | None:
    return judge_label_feed(paired(truth, champion, challenger), before(rng), classes=CLASSES).fault


def one_class(truth: Labels, rng: np.random.Generator) -> Labels:
    return np.full(len(truth), "no", dtype=object)


def default(share: float) -> Broken:
    return lambda truth, rng: np.where(rng.random(len(truth)) < share, "no", truth).astype(object)


def shifted(truth: Labels, rng: np.random.Generator) -> Labels:
    return np.roll(truth, 1)


def at_random(truth: Labels, rng: np.random.Generator) -> Labels:
    turned = np.where(truth == "yes", "no", "yes")
    return np.where(rng.random(len(truth)) < 0.3, turned, truth).astype(object)


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (one_class, FeedFault.COLLAPSED),
        (default(0.95), FeedFault.UNLEARNABLE),
        (default(0.99), FeedFault.COLLAPSED),
        (default(0.5), FeedFault.UNLEARNABLE),
        (shifted, FeedFault.SHIFTED),
        (at_random, FeedFault.UNLEARNABLE),
    ],
)
def test_broken_feeds_are_named(broken: Broken, named: FeedFault) -> None:
    """Each kind of break; the challenger learnt the default, as far as there is one, and ranks as the champion does."""
    rng = np.random.default_rng(1)
    world = true_labels(rng)
    told, score = broken(world, rng), scores(world, rng)
    found = fault(told, score, np.clip(score * (told == "yes").mean() * 2, 0.01, 0.99), rng)
    assert found in (named, FeedFault.COLLAPSED)


def test_a_healthy_feed_is_believed() -> None:
    """Twenty healthy windows, none held."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = true_labels(rng)
        assert fault(truth, scores(truth, rng), scores(truth, rng), rng) is None


def test_a_full_flip_is_believed_and_said() -> None:
    """Where labels turned round the champion ranks them the wrong way round, which noise never does."""
    rng = np.random.default_rng(2)
    world = true_labels(rng)
    turned = np.where(world == "yes", "no", "yes").astype(object)
    found = judge_label_feed(paired(turned, scores(world, rng), scores(turned, rng)), before(rng), classes=CLASSES)
    assert found.fault is None
    assert "inverted" in found.said
    assert "Check the label feed" in found.said


def test_labels_that_turned_round_are_not_called_moved() -> None:
    """In a hundred labels that contradict the champion some neighbour agrees by chance, and is no sign of a join."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        world = true_labels(rng, 100)
        turned = np.where(world == "yes", "no", "yes").astype(object)
        assert fault(turned, scores(world, rng), scores(turned, rng), rng) is not FeedFault.SHIFTED


def test_a_change_that_the_challenger_learnt_is_believed() -> None:
    """A third of the concept turned, so the champion explains little; the challenger ranks better, so it is real."""
    rng = np.random.default_rng(3)
    truth, topic = true_labels(rng), rng.random(N) < 0.35
    champion, challenger = scores(truth, rng), scores(truth, rng)
    champion[topic] = 1 - champion[topic]
    assert fault(truth, champion, np.where(topic, 0.5 + (challenger - 0.5) * 0.3, challenger), rng) is None


def test_a_class_mix_that_the_champion_sees_is_believed() -> None:
    """Nearly all records are of one class, and the champion says so too: that is no collapse of labels."""
    rng = np.random.default_rng(4)
    truth = true_labels(rng, share=0.015)
    champion = np.minimum(scores(truth, rng), np.where(truth == "yes", 1.0, 0.4))
    assert fault(truth, champion, champion, rng) is None


def labelling(labelled: np.ndarray, wrong: np.ndarray, source: np.ndarray, predicted: Labels) -> Labelling:
    recent = np.arange(2 * N) >= N
    return Labelling(predicted=predicted, labelled=labelled, wrong=wrong, source=source, recent=recent)


def test_labels_that_come_selectively_are_named_unless_they_always_did() -> None:
    """Positives come late: the records predicted so lack labels. Where that was so before, it is no news."""
    rng = np.random.default_rng(5)
    truth = true_labels(rng)
    score = scores(truth, rng)
    predicted = np.concatenate([answers(scores(true_labels(rng), rng)), answers(score)])
    late = (predicted == "yes") & (rng.random(2 * N) < 0.6)
    nothing, source = np.zeros(2 * N, dtype=bool), np.full(2 * N, "record")
    news = ~(late & (np.arange(2 * N) >= N))
    pair, past = paired(truth, score, score), before(rng)
    for labelled, named in ((news, FeedFault.SELECTED), (~late, None)):
        told = labelling(labelled, nothing, source, predicted)
        assert judge_label_feed(pair, past, classes=CLASSES, labelling=told).fault is named


def test_a_source_that_broke_is_named_unless_it_always_corrected() -> None:
    """Feedback contradicts the champion on half of its records; people who correct answers always did."""
    rng = np.random.default_rng(6)
    truth = true_labels(rng)
    score = scores(truth, rng)
    source = np.where(rng.random(2 * N) < 0.3, "feedback", "record")
    always = (source == "feedback") & (rng.random(2 * N) < 0.5)
    pair, past, all_of_them = paired(truth, score, score), before(rng), np.ones(2 * N, dtype=bool)
    for wrong, named in ((always & (np.arange(2 * N) >= N), FeedFault.SOURCE), (always, None)):
        told = labelling(all_of_them, wrong, source, np.concatenate([answers(score)] * 2))
        assert judge_label_feed(pair, past, classes=CLASSES, labelling=told).fault is named


def test_probation_leaves_out_the_windows_in_which_labels_broke() -> None:
    """Two sound windows and then one of defaults: they neither condemn the champion nor cover for it."""
    rng = np.random.default_rng(7)
    world = true_labels(rng, 3 * N)
    score = scores(world, rng)
    told = np.where(np.arange(3 * N) >= 2 * N, "no", world).astype(object)
    kept, why = sound_rows(paired(told, score, score), before(rng), classes=CLASSES, ordered=True, window=N)
    assert len(kept) == 2 * N
    assert "nearly all new labels are the same" in why


def test_more_than_two_classes_and_numbers_are_judged_too() -> None:
    """A default among four classes, and one among numbers, are collapses."""
    rng = np.random.default_rng(8)
    names = np.array(["a", "b", "c", "d"], dtype=object)

    def answered(truth: Labels) -> Labels:
        return np.where(rng.random(len(truth)) < 0.85, truth, names[rng.integers(0, 4, len(truth))]).astype(object)

    old, world = names[rng.integers(0, 4, 800)], names[rng.integers(0, 4, N)]
    past = AnsweredLabels(truth=old, predicted=answered(old), score=np.full(800, 0.8))
    one, two = (paired(world, np.full(N, 0.8), np.full(N, 0.8)) for _ in range(2))
    four = tuple(names.tolist())
    for pair, told, named in ((one, world, None), (two, np.full(N, "a", dtype=object), FeedFault.COLLAPSED)):
        met = answered(world)
        changed = Paired(**{**pair.__dict__, "truth": told, "opponent_predicted": met, "challenger_predicted": met})
        assert judge_label_feed(changed, past, classes=four).fault is named
    numbers = rng.normal(10, 3, N)
    guess = numbers + rng.normal(0, 1, N)
    past = AnsweredLabels(truth=numbers, predicted=guess, score=np.full(N, np.nan))
    for truth, named in ((numbers, None), (np.zeros(N), FeedFault.COLLAPSED)):
        both = {"truth": truth, "opponent_predicted": guess, "challenger_predicted": guess, "classes": ()}
        assert judge_label_feed(Paired(**{**one.__dict__, **both}), past, classes=()).fault is named


def test_a_doubt_about_labels_holds_and_does_not_refuse() -> None:
    """A gate whose only failed test is GATE-FEED is passed; with another it is refused."""
    doubt = GateTest(code="GATE-FEED", passed=False, value=1.0, bound=0.6, said="one class")
    lost = GateTest(code="GATE-SIZE", passed=False, value=9.0, bound=5.0, said="too large")
    assert Gate((doubt,)).passed
    assert Gate((doubt,)).outcome == "passed"
    assert not Gate((doubt, lost)).passed
