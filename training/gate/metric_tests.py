"""The gate's tests on the stream's metric: is the challenger better, and how surely?

GATE-LABELS      enough labelled rows that neither model was fitted on or chosen by
GATE-METRIC      the challenger is better on the stream's metric on them
GATE-BETTER      and so surely that it is no accident of these rows, however often challengers were judged before; under
                 the rule "not_worse" at least as likely as worse, beside GATE-LOSS and GATE-LINE (`not_worse`)
GATE-EVALUATION  the evaluation side alone does not speak against it
GATE-OLDER       nor do older rows, while their labels still hold

They share rows and evidence, so they are made together. A test that stands by itself is a guardrail (`guardrails`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from trueup.storage.formatting import confidence, figure, metric_name, percent
from trueup.storage.policy import GateRule
from trueup.training.evaluation.concept_shift import (
    LEAST_NEW_LABELS,
    SURE_OF_SHIFT,
    drop_metrics,
    informative_rows,
    p_above,
    p_champion_dropped,
    same_concept_rows,
)
from trueup.training.evaluation.gain import (
    HALF_LIFE,
    SURELY,
    WIDE,
    Evidence,
    evidence_of,
    gain_of,
    metric_pair,
    minimum_gain_in_words,
    point_gain,
)
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.not_worse import EVEN, Ancestor, begins_line, line_test, not_worse_test
from trueup.training.gate.result import CONTRADICTED, Gate, GateTest, inapplicable
from trueup.training.models.metrics import REGRESSION_METRICS

PROMOTION_LEVEL = 0.5  # spent on all looks at one champion together; docs/promotion.md shows what other levels would do
PATIENCE = 4  # looks, after which as much of it is left to spend as was spent
LABEL_GROWTH = 2.0  # of the labels, from one look to the next


def judge_challenger(
    metric: str,
    paired: Paired,
    seed: int,
    *,
    look: int = 1,
    older: Paired | None = None,
    rule: GateRule = "better",
    ancestor: Ancestor | None = None,
) -> Gate:
    """The challenger against the champion.

    Args:
        look: which look at new rows of this champion it is (`look_number`).
        older: the models' answers to rows up to the champion's cut-off, which neither was fitted on.
        rule: what the challenger must be. ancestor: of the champion's line, for "not_worse"; None: the champion.
    """
    if len(paired) < LEAST_NEW_LABELS:
        return _too_few(metric, paired)
    judged = same_concept_rows(metric, paired, seed)
    found = evidence_of(metric, judged, seed)
    bound = promotion_bound(look) if rule == "better" else EVEN
    gate = _judge(metric, paired, "the champion", bound, found, len(judged))
    if rule == "not_worse":
        step, over_line = 1, found.metric
        gate = gate.and_test(not_worse_test(metric, found.metric))
        if ancestor is not None:
            step, over_line = ancestor.step, gain_of(metric, ancestor.met, seed)
            gate = gate.and_test(line_test(metric, ancestor.version, over_line, step))
        gate = replace(gate, begins_line=begins_line(over_line, step))
    return gate.and_test(_evaluation(metric, judged, seed), _older(metric, paired, older, seed))


def judge_first(metric: str, paired: Paired, seed: int) -> Gate:
    """The first champion against always answering the same (`head_to_head.compare_with_constant`), on the metric alone.

    Who always answers the commonest of uneven classes makes few errors, and is no model.
    """
    if len(paired) < LEAST_NEW_LABELS:
        return _too_few(metric, paired)
    opponent = "the mean" if metric in REGRESSION_METRICS else "the majority class"
    found = Evidence({}, gain_of(metric, paired, seed))
    return _judge(metric, paired, opponent, promotion_bound(1), found, len(paired))


def look_number(before: Sequence[int], labels: int) -> int:
    """Which look at new rows of a champion it is, from 1: looks count as one until the labels have doubled.

    Looks at nearly the same rows tell nearly the same, and must not use up what new evidence may spend (epochs of
    geometric growth, as in stitched bounds; Howard, Ramdas, McAuliffe and Sekhon 2021, The Annals of Statistics
    49:1055).

    Args:
        before: the numbers of new labels at earlier looks at this champion. labels: by now.
    """
    first, *later = (*sorted(before), labels)
    looks, counted = 1, first
    for found in later:
        if found >= LABEL_GROWTH * counted:
            looks, counted = looks + 1, found
    return looks


def promotion_bound(look: int, level: float = PROMOTION_LEVEL) -> float:
    """The chance to be better that is needed at the k-th look at new rows of one champion.

    By the k-th look level · k / (k + c) is spent, with c = `PATIENCE`, and `level` over looks without end: so asking
    often does not win by luck (alpha spending; Lan and DeMets 1983, Biometrika 70:659).
    """
    return 1 - level * PATIENCE / ((look + PATIENCE - 1) * (look + PATIENCE))


def _judge(metric: str, paired: Paired, opponent: str, bound: float, found: Evidence, rows: int) -> Gate:
    """rows: of which the evidence is, the newest of `paired` or all."""
    needed = found.metric.labels_needed(bound)
    better = _better(metric, found, rows, opponent, bound)
    return Gate((_labels(metric, rows, len(paired), needed), _metric(metric, paired, opponent), better), needed)


def _too_few(metric: str, paired: Paired) -> Gate:
    return Gate((_labels(metric, len(paired), len(paired), None),))


def _labels(metric: str, found: int, of: int, needed: int | None) -> GateTest:
    enough = found >= LEAST_NEW_LABELS
    said = f"{found:,} evaluation labels new to both models"
    if found < of:
        said += f" (of {of:,}: those of the last {HALF_LIFE:g} windows, where the champion is significantly worse)"
    if not enough:
        said = f"{said}; {LEAST_NEW_LABELS} needed"
    elif needed is not None:
        said = f"{said}; {needed:,} needed to detect a gain of {minimum_gain_in_words(metric)} with 90 % power"
    return GateTest(code="GATE-LABELS", passed=enough, value=float(found), bound=float(LEAST_NEW_LABELS), said=said)


def _metric(metric: str, paired: Paired, opponent: str) -> GateTest:
    """GATE-METRIC: the point difference on the `informative_rows`, above 0 where the challenger is better."""
    old, new = metric_pair(metric, paired)
    if math.isnan(old) or math.isnan(new):
        said = f"{metric_name(metric)} is not defined on these {len(paired)} rows"
    else:
        said = f"{metric_name(metric)} {figure(new)}, {opponent} {figure(old)} on {len(paired):,} records new to both"
        said += _by_side(metric, paired)
    judged = informative_rows(metric, paired)
    if judged is not paired:
        old, new = metric_pair(metric, judged)
        said += f"; on the {len(judged):,} of the last {HALF_LIFE:g} windows, which decide: "
        said += f"{figure(new)}, {opponent} {figure(old)}"
    gain = point_gain(metric, judged)
    return GateTest(
        code="GATE-METRIC", passed=gain > 0, value=None if math.isnan(gain) else gain, bound=0.0, said=said
    )


def _by_side(metric: str, paired: Paired) -> str:
    """The same figures for each side of the split: one was never fitted on, the other is cross-fitted."""
    sides = (("evaluation side", paired.evaluation), ("training side, cross-validated,", ~paired.evaluation))
    if not all(side.any() for _, side in sides):
        return ""
    told = []
    for name, side in sides:
        old, new = metric_pair(metric, paired.take(side))
        told.append(f"{name} {figure(new)} against {figure(old)} on {side.sum():,}")
    return f" ({', '.join(told)})"


def _better(metric: str, found: Evidence, rows: int, opponent: str, bound: float) -> GateTest:
    """GATE-BETTER: the chance that the challenger is better."""
    chance = found.chance
    if math.isnan(chance):
        said = f"{metric_name(metric)} is not defined on these {rows} rows"
    else:
        said = (
            f"{confidence(chance)} sure that the challenger is better than {opponent}, {confidence(bound)} needed "
            f"({found.said})"
        )
    return GateTest(
        code="GATE-BETTER", passed=chance >= bound, value=None if math.isnan(chance) else chance, bound=bound, said=said
    )


def _evaluation(metric: str, paired: Paired, seed: int) -> GateTest:
    """GATE-EVALUATION: cross-fitting judges refits of the recipe; the evaluation side judges the version itself."""
    side = paired.take(paired.evaluation)
    if len(side) < LEAST_NEW_LABELS or math.isnan(chance := evidence_of(metric, side, seed).chance):
        return inapplicable("GATE-EVALUATION", f"{len(side)} rows of the evaluation side are too few to judge alone")
    said = (
        f"{confidence(chance)} sure that it is better on the {len(side)} rows of the evaluation side alone, "
        f"{percent(CONTRADICTED)} needed"
    )
    return GateTest(
        code="GATE-EVALUATION", passed=chance >= CONTRADICTED, value=chance, bound=CONTRADICTED, said=said
    )


def _older(metric: str, paired: Paired, older: Paired | None, seed: int) -> GateTest:
    """GATE-OLDER: on rows that the champion's history holds it does not surely lose more than it gains on the new.

    Where the champion itself does worse lately (on the new rows, of which the newest weigh most) than on the older, the
    older labels tell of another concept. So they do where it does better: then it was itself made for the new one; and
    where it is beaten widely on the new rows. The past is to veto small gains that are paid for with it, not the
    answer to a change.
    """
    if older is None or len(older) < LEAST_NEW_LABELS:
        found = 0 if older is None else len(older)
        return inapplicable("GATE-OLDER", f"{found} older evaluation rows with labels are too few to judge")
    new, past = gain_of(metric, paired, seed), gain_of(metric, older, seed + 1)
    if new.wide:
        return inapplicable(
            "GATE-OLDER",
            f"the concept changed (challenger {minimum_gain_in_words(metric, WIDE)} better or more, {percent(SURELY)} "
            "sure), so older labels no longer represent today",
        )
    chance = p_above(new.draws, -past.draws)
    for name in drop_metrics(metric, paired):
        worse = p_champion_dropped(name, paired, older, seed)
        if math.isnan(chance) or math.isnan(worse):
            return inapplicable(
                "GATE-OLDER", f"{metric_name(metric)} is not defined on {len(older)} older rows, or on the new ones"
            )
        if not 1 - SURE_OF_SHIFT < worse < SURE_OF_SHIFT:
            return inapplicable(
                "GATE-OLDER",
                f"the concept changed (champion's {metric_name(name)} {'worse' if worse > 0.5 else 'better'} on the "
                f"newest rows than on {len(older)} older ones, {confidence(max(worse, 1 - worse))} sure), so older "
                "labels no longer represent today",
            )
    said = (
        f"{confidence(chance)} sure that it loses less on {len(older)} older rows than it gains on the new ones, "
        f"{percent(CONTRADICTED)} needed"
    )
    return GateTest(code="GATE-OLDER", passed=chance >= CONTRADICTED, value=chance, bound=CONTRADICTED, said=said)
