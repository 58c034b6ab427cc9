"""Do the newest labels tell of the records, or of a broken label feed?

A feed that breaks (a default value, a failed join, labels moved by a row) looks like a change of concept: the champion
does worse, and a challenger that learnt the broken labels does better on them. What tells the two apart: noise leaves
the old champion, merely recalibrated, as good a ranker as the challenger; a real change makes the challenger rank
better, or turns the champion's ranking round. docs/promotion.md has the figures, and where the line lies.

COLLAPSED    the commonest label took over, and a class that the champion still answers has hardly any label
SHIFTED      labels fit the neighbouring record better than their own
SOURCE       the champion's errors hang on where a label came from
SELECTED     whether a record is labelled hangs on its predicted class, as it did not before
UNLEARNABLE  neither model tells the labels from the inputs as the champion did, and the challenger ranks no better
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from trueup.storage.formatting import percent
from trueup.training.evaluation.label_skill import LabelSkill, agreement, skill_of
from trueup.training.evaluation.labelling import POINTS_APART, Labelling, selection_doubt, source_doubt
from trueup.training.evaluation.paired import Paired

LEAST_JUDGED = 100  # newest labels, fewer of which tell nothing of a feed
_FEW = 10  # labels of a class: hardly any
TAKEN_OVER = 0.03  # rise of the commonest label's share
STILL_ANSWERED = 2  # times as often as it is labelled the champion answers a class that was lost
KEPT = 0.75  # of what the champion explained before, below which labels are called unlearnable
RANKS_BETTER = 0.02  # of the area under the ROC curve
_SURE = 3.0  # standard errors from one half
BEYOND_NOISE = 2.0  # standard errors of both figures, by which labels have to be less learnable
LAGS = (-3, -2, -1, 1, 2, 3)
SHIFT_AGREES = 0.2
SHIFT_ERRORS = 5.0  # standard errors


class FeedFault(StrEnum):
    """What is the matter with a label feed."""

    COLLAPSED = "collapsed"
    SHIFTED = "shifted"
    SOURCE = "source"
    SELECTED = "selected"
    UNLEARNABLE = "unlearnable"


@dataclass(frozen=True, kw_only=True)
class AnsweredLabels:
    """n labels with a model's answers and scores, out of sample: how its labels were before.

    truth, predicted: classes (object, text) or numbers (float64). score: as `Paired` has it.
    """

    truth: np.ndarray
    predicted: np.ndarray
    score: np.ndarray

    def __len__(self) -> int:
        return len(self.truth)


@dataclass(frozen=True, kw_only=True)
class FeedVerdict:
    """fault: None where the labels may be believed. value, bound: the figure that decided, where there is one."""

    fault: FeedFault | None
    value: float | None
    bound: float | None
    said: str


def judge_label_feed(
    paired: Paired,
    before: AnsweredLabels,
    *,
    classes: tuple[str, ...],
    ordered: bool = True,
    labelling: Labelling | None = None,
) -> FeedVerdict:
    """Whether the newest labels are evidence about a model.

    Args:
        paired: champion (the opponent) and challenger on new rows; those of the last window are judged, at least 100.
        before: the champion on labels that are known to have been right.
        classes: in the order in which a score is about the last; of regression none.
        ordered: whether neighbouring records are independent, so that labels that fit a neighbour are moved ones.
        labelling: None where every record is labelled, by one source.
    """
    recent = newest_rows(paired)
    if min(len(recent), len(before)) < LEAST_JUDGED:
        said = f"{len(recent)} new labels and {len(before)} earlier ones; {LEAST_JUDGED} of each needed"
        return FeedVerdict(fault=None, value=None, bound=None, said=f"Not applied: {said}")
    found = _collapsed(recent, before)
    found = found or (_shifted(recent) if ordered else None)
    if labelling is not None:
        found = found or _doubted(labelling, by_class=bool(classes))
    return found or _learnable(recent, before, classes)


def newest_rows(paired: Paired) -> Paired:
    """The rows of the last window in time order, or the newest `LEAST_JUDGED` where it holds fewer."""
    if paired.age is None:
        return paired
    in_time = np.argsort(-paired.age, kind="stable")
    ages = paired.age[in_time]
    taken = in_time[(ages < 1) | (np.arange(len(ages)) >= len(ages) - LEAST_JUDGED)]
    return paired.take(taken)


def sound_rows(
    paired: Paired, before: AnsweredLabels, *, classes: tuple[str, ...], ordered: bool, window: int | None
) -> tuple[Paired, str]:
    """The rows whose labels are evidence, and why others are left out ("": all are kept).

    Window by window, back from the newest row, by the rule of the gate: labels that broke for a while must not condemn
    a champion, neither then nor later.

    Args:
        paired: rows in time order, the champion as the opponent. classes: as declared; else those met.
        window: rows of one; None: all at once.
    """
    known = classes or tuple(sorted({str(v) for side in (before.truth, paired.truth) for v in side}))
    size, n, kept, why = max(window or len(paired), LEAST_JUDGED), len(paired), np.ones(len(paired), dtype=bool), ""
    for end in range(n, 0, -size):
        part = np.zeros(n, dtype=bool)
        part[max(0, end - size) : end] = True
        found = judge_label_feed(
            paired.take(part), before, classes=known if paired.classes else (), ordered=ordered
        )
        if found.fault is not None:
            kept &= ~part
            why = why or found.said
    return (paired if kept.all() else paired.take(kept)), why


def _collapsed(recent: Paired, before: AnsweredLabels) -> FeedVerdict | None:
    names, counts = np.unique(recent.truth, return_counts=True)
    earlier_names, earlier = np.unique(before.truth, return_counts=True)
    n, most = len(recent), int(counts.argmax())
    now, then = counts[most] / n, earlier.max() / len(before)
    if now <= then + TAKEN_OVER:
        return None
    labelled = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if recent.classes:
        lost = [
            (name, int((recent.opponent_predicted == name).sum()), labelled.get(name, 0))
            for name, count in zip(earlier_names.tolist(), earlier.tolist(), strict=True)
            if labelled.get(name, 0) < _FEW and count / len(before) - labelled.get(name, 0) / n > TAKEN_OVER
        ]
        lost = [one for one in lost if one[1] >= max(_FEW, STILL_ANSWERED * one[2])]
        if not lost:
            return None
        name, answered, left = max(lost, key=lambda one: one[1])
        but = f"the champion still predicts '{name}' for {answered} of them, and {left} have that label"
    elif n - counts[most] < _FEW:
        but = "the champion's predictions vary as before"
    else:
        return None
    said = (
        f"nearly all new labels are the same: '{names[most]}' {percent(now)} of {n} (commonest label before: "
        f"{percent(then)}); {but}. Typical of a default value or a failed join"
    )
    return _fault(FeedFault.COLLAPSED, float(now), float(then + TAKEN_OVER), said)


def _shifted(recent: Paired) -> FeedVerdict | None:
    n, own = len(recent), agreement(recent.opponent_predicted, recent.truth)
    moved = {lag: _agreement_at(recent, lag) for lag in LAGS}
    lag = max(moved, key=lambda one: moved[one])
    # labels that turned round agree with no record; below nothing, what is left at a neighbour is chance
    bound = max(max(own, 0.0) + SHIFT_ERRORS / math.sqrt(n), SHIFT_AGREES)
    if not moved[lag] > bound:
        return None
    rows = f"{abs(lag)} record{'s' if abs(lag) > 1 else ''} {'before' if lag > 0 else 'after'}"
    said = (
        f"the labels fit the record {rows} better than their own: agreement with the champion {moved[lag]:.2f} there, "
        f"{own:.2f} here (kappa, {n} records). Typical of a join that is off by a row"
    )
    return _fault(FeedFault.SHIFTED, moved[lag], bound, said)


def _agreement_at(recent: Paired, lag: int) -> float:
    """Of the champion's answers with the labels that came `lag` records later."""
    answers, labels = recent.opponent_predicted, recent.truth
    return agreement(answers[:-lag], labels[lag:]) if lag > 0 else agreement(answers[-lag:], labels[:lag])


def _doubted(labelling: Labelling, *, by_class: bool) -> FeedVerdict | None:
    source = source_doubt(labelling)
    if source is not None:
        return _fault(FeedFault.SOURCE, source[0], POINTS_APART, source[1])
    selection = selection_doubt(labelling) if by_class else None
    return None if selection is None else _fault(FeedFault.SELECTED, selection[0], POINTS_APART, selection[1])


def _learnable(recent: Paired, before: AnsweredLabels, classes: tuple[str, ...]) -> FeedVerdict:
    was = skill_of(before.truth, before.predicted, before.score, classes, turned=True)
    champion = skill_of(recent.truth, recent.opponent_predicted, recent.opponent_score, classes, turned=True)
    challenger = skill_of(recent.truth, recent.challenger_predicted, recent.challenger_score, classes, turned=False)
    if was is None or champion is None or challenger is None:
        said = "Not applied: too few labels of one of the classes"
        return FeedVerdict(fault=None, value=None, bound=None, said=said)
    best = max(champion, challenger, key=lambda one: one.explained)
    noise = BEYOND_NOISE * math.hypot(best.explained_error, was.explained_error)
    bound = min(KEPT * was.explained, was.explained - noise)
    now, then = percent(max(0.0, best.explained)), percent(was.explained)
    told = f"the inputs explain {now} of the new labels' uncertainty, before {then}"
    ranked = f"(ROC AUC {challenger.ranking:.2f}, champion {champion.ranking:.2f})"
    ok = FeedVerdict(fault=None, value=best.explained, bound=bound, said=told)
    if champion.ranking < 0.5 - _SURE * champion.ranking_error:
        said = f"the labels are inverted: where the champion was right it is wrong now {ranked}. Check the label feed"
        return replace(ok, said=said)
    if best.explained >= bound:
        return ok
    if _ranks_better(challenger, champion):
        return replace(ok, said=f"{told}; the challenger ranks them better than the champion {ranked}, so the change "
        "is real")
    said = (
        f"the new labels can no longer be predicted from the inputs: {told} (at least {percent(max(0.0, bound))} "
        f"needed), and the challenger ranks them no better than the champion {ranked}. Typical of wrong labels, and "
        "of the middle of a slow change"
    )
    return _fault(FeedFault.UNLEARNABLE, best.explained, bound, said)


def _ranks_better(challenger: LabelSkill, champion: LabelSkill) -> bool:
    gained = challenger.ranking - champion.ranking >= RANKS_BETTER
    return gained and challenger.ranking > 0.5 + _SURE * challenger.ranking_error


def _fault(fault: FeedFault, value: float, bound: float, said: str) -> FeedVerdict:
    return FeedVerdict(fault=fault, value=value, bound=bound, said=said)
