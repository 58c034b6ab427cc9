"""The gate's step where nothing was trained: a challenger that was refused before is judged again on newer rows."""

from __future__ import annotations

from dataclasses import replace

from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.looking_back import history_of
from trueup.flows.cycle.outputs import CheckOutput
from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.gate.rule_in_force import under_rule_in_force
from trueup.flows.gate.waiting import waiting_challenger
from trueup.flows.promote.commit import gated_attempt, hold_reason
from trueup.storage.actors import SCHEDULE
from trueup.storage.promotions import PromotionAttempt, PromotionKind
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute


def stream_in_force(context: CycleContext) -> tuple[StreamSettings, str]:
    """The cycle's stream under the gate's rule that holds now, and why that is stricter; empty: it is not."""
    checked = context.output_of(CheckOutput)
    if checked is None or context.champion is None:
        return context.stream, ""
    history = history_of(context, context.champion, checked.labels)
    return under_rule_in_force(context.stream, checked.check, history)


def judged_again(context: CycleContext) -> tuple[GateOutcome, PromotionAttempt] | None:
    """What the gate finds of the challenger that waits, and the attempt to write down; None where none is judged now.

    Only a counted check judges again, and only under the rule "not_worse". While the metric or the labels are in
    trouble the challenger is dropped, which the attempt says and its empty gate makes final.
    """
    app, stream, checked, champion = context.app, context.stream, context.output_of(CheckOutput), context.champion
    if stream.gate.rule != "not_worse" or champion is None or checked is None or not checked.check.counted:
        return None
    if context.paused:
        return None
    history = [p for p in app.promotions.history(stream.name) if p.cycle_id != context.cycle.id]
    waits = waiting_challenger(history, champion)
    if waits is None:
        return None
    assert waits.to_version is not None
    _, trouble = stream_in_force(context)
    since = f"v{waits.to_version} was refused at {to_minute(waits.as_of)}"
    if trouble:
        judged = GateOutcome({"passed": False, "tests": []}, champion, checked.labels)
        return judged, _attempt(context, judged, waits, f"{since} and is not judged again. {trouble}")
    judged = context.strategies.judge_again(app, stream, waits.to_version, context.cycle.as_of)
    return judged, _attempt(context, judged, waits, f"{since}, and judged again on the rows since, without training.")


def _attempt(context: CycleContext, judged: GateOutcome, waits: PromotionAttempt, why: str) -> PromotionAttempt:
    held = hold_reason(context.app, context.stream, judged.doubts)
    planned = gated_attempt(
        context.app, context.stream, context.cycle.as_of, judged, None, why=why, held=held, who=SCHEDULE,
        codes=waits.codes, cycle_id=context.cycle.id,
    )  # fmt: skip
    return replace(planned, kind=PromotionKind.AGAIN, to_version=waits.to_version)
