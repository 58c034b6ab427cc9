"""A check in one or two sentences that anybody can read: what it means for users, then how the metric stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import AnswerQuality, Check, Signal, Verdict
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.reports.alerts.moved_words import moved_phrases
from trueup.reports.alerts.plain_figures import error, metric_in_words, share_pair
from trueup.reports.signal_words import metric_before
from trueup.storage.formatting import capitalised, metric_name

ESTIMATE = "PRF-EST"
_NAMED = 2  # changes beside the first


@dataclass(frozen=True)
class CheckVerdict:
    """The news of a check. tone: fine, warn, bad or still, as badges have it. headline: what was found, a sentence.

    more: what else a reader has to know, one sentence each.
    """

    tone: str
    headline: str
    more: tuple[str, ...]


def check_verdict(check: Check, *, is_regression: bool) -> CheckVerdict:
    """The check's news, the gravest first."""
    found = {signal.code: signal for signal in check.signals}
    metric = found.get(METRIC)
    if not check.signals or all(s.verdict is Verdict.INSUFFICIENT for s in check.signals):
        why = check.notes[0] if check.notes else "Every signal lacks data."
        return CheckVerdict("still", "Not judged yet: too little data.", (why,))
    if not check.breached:
        return CheckVerdict("fine", _nothing_found(metric), tuple(filter(None, [_metric_stands(metric)])))
    phrases = _phrases(check, is_regression=is_regression)
    fell = any(kind_of(s.code).cause is Cause.METRIC for s in check.breached)
    more = [_also(phrases[1:])] if phrases[1:] else []
    if metric is not None and metric.verdict is not Verdict.BREACHED:
        more.append(_metric_stands(metric))
    return CheckVerdict("bad" if fell else "warn", f"{capitalised(phrases[0])}.", tuple(more))


def done_in_words(cycle: Mapping[str, Any]) -> str:
    """What the cycle of a check did, by its document; empty where it did nothing."""
    decision = cycle.get("decision") or {}
    promotion, gate = cycle.get("promotion"), cycle.get("gate")
    if decision.get("action") == "retrain":
        grown = f" {decision['growth']}" if decision.get("growth") else ""
        if promotion:
            return (
                f"trueup (schedule) trained a challenger. It passed the gate and replaced v{promotion['from_version']} "
                f"as v{promotion['to_version']}.{grown}"
            )
        if gate and not gate.get("passed"):
            return f"trueup (schedule) trained a challenger. It did not pass the gate, so the champion stays.{grown}"
        return str((decision.get("reasons") or ["trueup (schedule) retrained."])[-1])
    if decision.get("action") == "alert":
        return "trueup (schedule) alerted; the champion stays."
    if decision.get("watched"):
        return f"No action yet: {', '.join(decision['watched'])} breached once and waits to be confirmed."
    return ""


def _also(phrases: Sequence[str]) -> str:
    rest = len(phrases) - _NAMED
    more = f"; and {rest} more, below" if rest > 0 else ""
    return f"Also: {'; '.join(phrases[:_NAMED])}{more}."


def _nothing_found(metric: Signal | None) -> str:
    if metric is not None and metric.verdict is Verdict.OK:
        return "No problem found: the model answers as well as expected."
    return "No change found in the data."


def _metric_stands(metric: Signal | None) -> str:
    """The metric against its reference, in a sentence; where it is not judged, why."""
    if metric is None:
        return ""
    if metric.verdict is Verdict.INSUFFICIENT or metric.value is None:
        return f"{capitalised(metric_name(metric.name))} is not judged yet. {metric.said}"
    before = metric_before(metric)
    against = "" if before is None else f", reference {metric_in_words(before)}"
    bound = "" if metric.threshold is None else f"; the bound is {metric_in_words(metric.threshold)}"
    return (
        f"{capitalised(metric_name(metric.name))} is {metric_in_words(metric.value)} on {metric.n_current:,} labelled "
        f"records{against}{bound}."
    )


def _phrases(check: Check, *, is_regression: bool) -> list[str]:
    """What breached, the gravest first, each thing once."""
    ordered = sorted(check.breached, key=lambda s: kind_of(s.code).gravity)
    drifted = [s for s in ordered if kind_of(s.code).cause is Cause.DRIFT]
    others = [s for s in ordered if s not in drifted]
    told: list[str] = []
    for signal in others:
        told.append(_fell(signal, check.answers, is_regression=is_regression))
    return list(dict.fromkeys([*told, *moved_phrases(drifted)]))


def _fell(signal: Signal, answers: AnswerQuality | None, *, is_regression: bool) -> str:
    now, before = (answers.now, answers.before) if answers else (None, None)
    if signal.code == METRIC and now is not None and before is not None and now > before:
        if is_regression:
            return f"predictions are off by {error(now)} on average, was {error(before)}"
        told = share_pair(now, before)
        return f"{told[0]} answers are wrong, was {told[1]}"
    if signal.code in (METRIC, ESTIMATE) and signal.value is not None:
        earlier = metric_before(signal)
        was = "" if earlier is None else f", was {metric_in_words(earlier)}"
        how = "estimated " if signal.code == ESTIMATE else ""
        name = metric_name(signal.name.removeprefix("estimated "))
        return f"{how}{name} fell to {metric_in_words(signal.value)}{was}"
    return kind_of(signal.code).phrase_of(signal.code)


def by_gravity(signals: Sequence[Signal]) -> list[Signal]:
    """The signals, the gravest first."""
    return sorted(signals, key=lambda s: (kind_of(s.code).gravity, s.code))
