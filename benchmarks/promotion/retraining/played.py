"""A policy of retraining played over a course of models, by trueup's own checks, decision, gate and probation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks.promotion.retraining.course_of_models import SEED, CourseOfModels
from benchmarks.promotion.worse import compare
from trueup.monitoring.check import Check, History, PastAttempt, PastCheck
from trueup.monitoring.policy import Action, decide, quality_held
from trueup.monitoring.signals.measure import measure
from trueup.monitoring.trouble import in_trouble
from trueup.storage.policy import GateRule
from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.label_feed import sound_rows
from trueup.training.evaluation.paired import Paired
from trueup.training.evaluation.probation import Looks, Outcome, chance_of_previous, conclude, pair, rollback_bound
from trueup.training.gate.context import GateContext, StoredModel
from trueup.training.gate.guardrails import guardrail_tests
from trueup.training.gate.metric_tests import judge_challenger, look_number
from trueup.training.gate.not_worse import Ancestor
from trueup.training.gate.result import HOLDING, Gate
from trueup.training.models.fitting import ordered_classes
from trueup.training.models.metrics import metric_value

THIRD = 3  # windows from one challenger to the next
HARMFUL = 0.01


@dataclass(frozen=True)
class Variant:
    """A policy of retraining.

    asks: when a challenger is trained; "policy": as `decide` says, by the stream's policy with `policy` changed.
    Without that no gate and no probation stand in its way. "hindsight": in as many windows as "third", in those that
    would have been best, which nobody can know: what is left to gain by choosing when to retrain.
    again: windows for which a refused one is judged again.
    guarded: proof is asked for while metric or labels are in trouble, and who waits is dropped then.
    line: the challenger must not be worse than the ancestor of the champion's line either.
    looks: "each": probation looks at each window; "grown": when its rows have grown by half.
    """

    name: str
    asks: Literal["never", "always", "third", "hindsight", "policy"] = "policy"
    policy: Mapping[str, Any] = field(default_factory=dict)
    rule: GateRule = "better"
    again: int = 0
    guarded: bool = False
    line: bool = False
    looks: Literal["grown", "each"] = "grown"


@dataclass
class _Standing:
    """Who answers after a window, and what is remembered."""

    champion: int = 0
    previous: int | None = None
    counted: list[PastCheck] = field(default_factory=list)
    attempts: list[PastAttempt] = field(default_factory=list)
    looked: Looks = field(default_factory=Looks)
    watched: bool = False
    waiting: int | None = None
    line: tuple[int, ...] = (0,)  # the beginning of the champion's line, and its steps since
    judged: dict[int, list[int]] = field(default_factory=dict)
    retrains: int = 0
    moves: list[dict[str, Any]] = field(default_factory=list)


def play(course: CourseOfModels, variant: Variant) -> dict[str, Any]:
    """The metric in each window of who answered it, how often was trained, and what became of each promotion."""
    stream = course.stream
    policy = stream.policy.model_copy(update=dict(variant.policy))
    stream = stream.model_copy(update={"policy": policy.for_series() if stream.series else policy})
    now = _Standing()
    metrics: list[float] = []
    scheduled = _scheduled(course, variant)
    for window in range(1, len(course.ends)):
        metrics.append(_metric(course, now.champion, window))
        if variant.asks == "policy":
            _by_policy(course, stream, variant, now, window)
        elif window in scheduled:
            now.retrains += 1
            _promote(now, window, window, begins=True)
    for move in now.moves:
        told = course.once(("afterwards", *move.values()), partial(_afterwards, course, dict(move)))
        move.update(told)
    return {"variant": variant.name, "metrics": metrics, "retrains": now.retrains, "moves": now.moves}


def _scheduled(course: CourseOfModels, variant: Variant) -> Collection[int]:
    """The windows at whose ends a policy retrains that looks at nothing."""
    windows = range(1, len(course.ends))
    thirds = windows[THIRD - 1 :: THIRD]
    if variant.asks == "hindsight":
        # none at the end of the last window: nothing follows it
        return max(combinations(windows[:-1], sum(w < windows[-1] for w in thirds)), key=partial(_mean_metric, course))
    return {"always": windows, "third": thirds}.get(variant.asks, ())


def _mean_metric(course: CourseOfModels, retrained: tuple[int, ...]) -> float:
    """Over all windows, where each is answered by the newest model that was trained before it."""
    windows = range(1, len(course.ends))
    return sum(_metric(course, max((at for at in retrained if at < w), default=0), w) for w in windows) / len(windows)


def _by_policy(course: CourseOfModels, stream: StreamSettings, variant: Variant, now: _Standing, window: int) -> None:
    _probation(course, variant, now, window)
    check = _check(course, stream, now.champion, window)
    as_of = course.at(window)
    labels = course.labels(now.champion, window)
    counted, attempts = tuple(now.counted), tuple(now.attempts)
    trained = int(course.known(now.champion).labelled.sum())
    history = History(counted, attempts, labels, counted[0] if counted else None, "", not stream.series, trained)
    decision = decide(stream.policy, check, history, as_of)
    trouble = bool(in_trouble(check, history)) and variant.guarded
    now.counted.insert(0, _past(stream, check, as_of))
    rule: GateRule = "better" if trouble else variant.rule
    if decision.action is Action.RETRAIN:
        now.retrains += 1
        gate = _gate(course, stream, variant, now, window, window, rule)
        _conclude(now, window, window, gate, frozenset(decision.confirmed), as_of, labels)
        now.waiting = window if variant.again and not gate.passed else None
    elif now.waiting is not None:
        if trouble or window > now.waiting + variant.again:
            now.waiting = None
            return
        gate = _gate(course, stream, variant, now, now.waiting, window, rule)
        if gate.passed:
            _promote(now, now.waiting, window, begins=gate.begins_line)


def _check(course: CourseOfModels, stream: StreamSettings, champion: int, window: int) -> Check:
    def measured() -> Check:
        compared = course.comparison(champion, window)
        times = compared.current.meta["time"]
        judged = compared.quality_current.meta["time"]
        return Check(
            report_id=f"{champion}-{window}", counted=True, signals=measure(stream, compared)[0],
            first_time=_iso(times.iloc[0]) if len(times) else None,
            judged_from=_iso(judged.iloc[0]) if len(judged) else None,
        )  # fmt: skip

    return course.once(("check", champion, window), measured)


def _iso(time: pd.Timestamp) -> str:
    return f"{time.isoformat()}+00:00"


def _past(stream: StreamSettings, check: Check, as_of: datetime) -> PastCheck:
    first = datetime.fromisoformat(check.first_time) if check.first_time else None
    return PastCheck(as_of, {s.code: s.direction for s in check.breached}, first, quality_held(stream.policy, check))


def _gate(
    course: CourseOfModels, stream: StreamSettings, variant: Variant, now: _Standing, challenger: int, window: int,
    rule: GateRule,
) -> Gate:  # fmt: skip
    """The gate at a window's end; of a challenger that waited, on the rows since it was trained.

    Whoever would be held for a person is refused: nobody is there to say that the labels are right.
    """
    first, champion = challenger == window, now.champion
    met = course.contest(champion, challenger) if first else course.met_later(champion, challenger, window)
    before = now.judged.setdefault(champion, [])
    look, root, step = look_number(before, len(met)), now.line[0] if variant.line else champion, len(now.line)
    before.append(len(met))

    def judged() -> Gate:
        gate = judge_challenger(
            stream.metric, met, SEED, look=look, older=course.older(champion, challenger), rule=rule,
            ancestor=Ancestor(root, course.against(root, met), step) if root != champion else None,
        )  # fmt: skip
        if not gate.passed:
            return gate
        model = course.trained(challenger)
        context = GateContext(
            stream=stream, seed=SEED, paired=met, challenger=StoredModel(model.fitted.model, 1), champion=None,
            reference=model.reference.features.iloc[:0], labels_before=course.labels_before(champion),
        )  # fmt: skip
        tests = [replace(test, code="HELD") if test.code in HOLDING else test for test in guardrail_tests(context)]
        return gate.and_test(*tests)

    return course.once(("gate", champion, challenger, window, rule, look, root, step), judged)


def _conclude(
    now: _Standing, challenger: int, window: int, gate: Gate, codes: frozenset[str], as_of: datetime, labels: int
) -> None:
    if gate.passed:
        _promote(now, challenger, window, begins=gate.begins_line)
        now.attempts = [PastAttempt(a.as_of, a.codes, a.labels, a.refused, False) for a in now.attempts]
    now.attempts.insert(0, PastAttempt(as_of, codes, labels, not gate.passed, not gate.passed))


def _promote(now: _Standing, challenger: int, window: int, *, begins: bool) -> None:
    now.moves.append({"old": now.champion, "new": challenger, "window": window, "back": None})
    now.line = (challenger,) if begins else (*now.line, challenger)
    now.previous, now.champion = now.champion, challenger
    now.counted, now.looked, now.watched, now.waiting = [], Looks(), True, None


def _probation(course: CourseOfModels, variant: Variant, now: _Standing, window: int) -> None:
    """A look, where one is due; the champion goes back where it lost, and promotion is resumed at once."""
    stream, champion, previous = course.stream, now.champion, now.previous
    if not now.watched or previous is None:
        return
    met = _on_probation(course, champion, previous, window)
    length = stream.policy.probation if isinstance(stream.policy.probation, int) else 500
    last = len(met) >= length
    due = now.looked.due(len(met), last=last)
    if variant.looks == "each":
        due = len(met) >= 50 and len(met) > now.looked.rows
    if not due:
        now.watched = now.watched and not last
        return
    def asked() -> tuple[float, int]:
        sound, _ = sound_rows(
            met, course.labels_before(champion), classes=tuple(stream.label.classes), ordered=not stream.series,
            window=stream.policy.window_records,
        )  # fmt: skip
        enough = len(sound) >= 50
        return chance_of_previous(stream.metric, sound, SEED) if enough else float("nan"), len(sound)

    chance, rows = course.once(("probation", champion, previous, window), asked)
    if np.isnan(chance):
        now.watched = not last
        return
    outcome = conclude(chance, rollback_bound(now.looked.made + 1), last=last)
    now.looked = Looks(now.looked.made + 1, rows)
    now.watched = outcome is Outcome.WATCHING
    if outcome is Outcome.ROLLED_BACK:
        now.moves[-1]["back"] = window
        now.champion, now.previous, now.line = previous, None, now.line[:-1] or (previous,)
        now.counted, now.waiting = [], None


def _on_probation(course: CourseOfModels, champion: int, previous: int, window: int) -> Paired:
    which = course.new_to(max(champion, previous), window)
    return pair(course.stream, course.answered(champion, which, window), course.answered(previous, which, window))


def _metric(course: CourseOfModels, model: int, window: int) -> float:
    """The champion's metric on a window's labelled rows; of an error the sign is turned."""
    return course.once(("metric", model, window), partial(_measured, course, model, window))


def _measured(course: CourseOfModels, model: int, window: int) -> float:
    which = np.arange(course.ends[window - 1], course.ends[window])
    rows = course.rows.take(which)
    truth, labelled = rows.meta["label"].to_numpy(), rows.labelled
    found = course.trained(model)
    known = course.rows.meta["label"].to_numpy()[course.rows.labelled]
    value = metric_value(
        course.stream.metric, truth[labelled].astype(float if course.stream.is_regression else object),
        found.predicted[which][labelled], found.score[which][labelled], ordered_classes(course.stream, known),
    )  # fmt: skip
    return -value if course.stream.lower_is_better else value


def _afterwards(course: CourseOfModels, move: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the new model is significantly worse than the one it replaced on all rows after its promotion."""
    last = len(course.ends) - 1
    which = course.new_to(move["window"], last)
    which = which[which >= course.ends[move["window"]]]
    if len(which) < 50:
        return {"rows": len(which)}
    rows = course.rows.take(which)
    unit = rows.meta["time"].dt.floor("D").to_numpy() if course.stream.series else rows.meta["group"].to_numpy()
    answers = [course.trained(model).predicted[which] for model in (move["old"], move["new"])]
    told = compare(course.stream.metric, rows.meta["label"].to_numpy(), answers[0], answers[1], unit, seed=SEED)
    return {"rows": len(which), "gain": told.gain, "p_worse": told.p_worse, "harmful": told.p_worse <= HARMFUL}

