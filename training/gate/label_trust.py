"""GATE-FEED: whether the labels that the challenger gains by are evidence, or a broken label feed."""

from __future__ import annotations

from trueup.training.evaluation.label_feed import judge_label_feed
from trueup.training.gate.context import GateContext
from trueup.training.gate.result import GateTest, inapplicable


def label_feed_guardrail(context: GateContext) -> GateTest:
    """GATE-FEED of the new rows. Where it fails, a challenger that passed all else is held for a person."""
    if context.labels_before is None:
        return inapplicable("GATE-FEED", "the champion has no earlier labels to compare with")
    found = judge_label_feed(
        context.paired,
        context.labels_before,
        classes=context.classes,
        ordered=not context.stream.series,
        labelling=context.labelling,
    )
    return GateTest(
        code="GATE-FEED", passed=found.fault is None, value=found.value, bound=found.bound, said=found.said
    )
