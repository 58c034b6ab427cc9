"""The steps of a cycle. Each reads what the steps before left behind, and leaves its own output in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from trueup.flows.alert.failures import resolve_incident
from trueup.flows.alert.incidents import incident_for, incident_updates
from trueup.flows.alert.label_feed_incident import (
    resolve_by_check,
)
from trueup.flows.alert.moved_baselines import close_harmless
from trueup.flows.alert.notices import add_notice
from trueup.flows.check.champion import champion_of
from trueup.flows.check.comparison import compare_window
from trueup.flows.check.labels import mature_labels
from trueup.flows.check.predictions import score_new
from trueup.flows.check.run import edge_of, measure_window
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.gate_notices import attempt_told, tell_of_gate
from trueup.flows.cycle.judging_again import judged_again, stream_in_force
from trueup.flows.cycle.looking_back import history_of
from trueup.flows.cycle.outputs import (
    CheckOutput,
    DecideOutput,
    GateOutput,
    PromoteOutput,
    ScoreOutput,
    TrainOutput,
)
from trueup.flows.cycle.probation import probation_step
from trueup.flows.cycle.pull_step import pull_step, with_age_of_data
from trueup.flows.cycle.trainer_step import ask_step, collect_step, model_told, open_request, unusable_model
from trueup.flows.gate.evaluate import GateOutcome, read_gate_files, with_unit_doubt
from trueup.flows.promote.commit import commit, gated_attempt, hold_reason, name_challenger
from trueup.flows.promote.external_releases import need_service_champion
from trueup.flows.promote.reference_only import refuse_to_train
from trueup.flows.sources.opening import feeds_of
from trueup.flows.train.lineage import window_spans
from trueup.flows.train.run import train_version
from trueup.monitoring.causes import Cause
from trueup.monitoring.policy import Action, Decision
from trueup.reports.alerts.facts import AlertKind
from trueup.storage.actors import SCHEDULE
from trueup.storage.errors import ModelUnusable, NoChampion, NotTrainable, StaleEvidence
from trueup.storage.promotions import PromotionState
from trueup.storage.stream import StreamSettings
from trueup.storage.trainers.training_requests import TrainerRequest


@dataclass(frozen=True)
class Step:
    """A step with how often and how long it may be tried where it runs as a Prefect task."""

    name: str
    run: Callable[[CycleContext], None]
    retries: int
    retry_seconds: float
    time_limit_s: float


def score_step(context: CycleContext) -> None:
    """Answer what lacks the champion's prediction."""
    app, stream, cycle = context.app, context.stream, context.cycle
    try:
        champion = champion_of(app, stream)
    except NoChampion:
        context.finish_step("score", ScoreOutput(champion=None, scored=0))
        return
    scored = score_new(app, stream, champion, cycle.as_of, context.lease)
    resolve = resolve_incident(app, stream, Cause.CHAMPION, cycle.as_of, cycle.id)
    with context.step("score", ScoreOutput(champion=champion.version, scored=scored)) as connection:
        resolve(connection)


def check_step(context: CycleContext) -> None:
    """Compare the newest window with what the champion was built and validated on."""
    app, cycle, version = context.app, context.cycle, context.champion
    if version is None:
        context.finish_step("check", None)
        return
    champion = app.promotions.version(cycle.stream, version)
    assert champion is not None  # the score step found it; a resumed cycle speaks of it, whoever answers by now
    compared = compare_window(app, context.stream, champion, cycle.as_of)
    found = measure_window(
        app, context.stream, champion, compared, cycle_id=cycle.id, draw=context.strategies.draw
    )
    found = with_age_of_data(context, found)
    labels = mature_labels(app, context.stream, after=champion.cut_off, as_of=cycle.as_of)
    output = CheckOutput(check=found, labels=labels, windows=window_spans(compared))
    with context.step("check", output) as connection:
        app.cycles.add_check(
            connection,
            stream=cycle.stream,
            cycle_id=cycle.id,
            as_of=cycle.as_of,
            version=version,
            last=edge_of(compared),
            document=found.as_json(),
            now=app.now(),
        )


def decide_step(context: CycleContext) -> None:
    """Conclude from the check and the history, and tell people what opened or resolved."""
    app, cycle = context.app, context.cycle
    checked = context.output_of(CheckOutput)
    if checked is None:
        output = _first_decision(context.paused, open_request(context))
        with context.step("decide", output) as connection:
            app.cycles.add_decision(connection, cycle, None, asdict(output.decision))
        return
    found = checked.check
    assert context.champion is not None  # without one there is no check
    history = history_of(context, context.champion, checked.labels)
    policy = context.stream.policy.for_series() if context.stream.series else context.stream.policy
    if not context.stream.predicts:
        policy = policy.model_copy(update={"retrain_on": ()})
    decision = context.strategies.decide(policy, found, history, cycle.as_of)
    update_incidents = incident_updates(app, context.stream, cycle, found, decision, history)
    labels_sound = resolve_by_check(app, context.stream, cycle, found)
    harmless_is_over = close_harmless(app, context.stream, cycle, found, decision.harmless)
    with context.step("decide", DecideOutput(decision=decision, paused=history.paused)) as connection:
        app.cycles.add_decision(connection, cycle, found.report_id, asdict(decision))
        if not history.paused:
            update_incidents(connection)
            labels_sound(connection)
            harmless_is_over(connection)


def _first_decision(paused: str, request: TrainerRequest | None) -> DecideOutput:
    """What is concluded without a champion to check: its training, where nobody paused the stream or trains it."""
    action, reason = Action.RETRAIN, "The stream has no champion yet, so its first one is trained."
    if paused:
        action, reason = Action.NONE, f"No training of a first champion: {paused}"
    elif request:
        action, reason = Action.NONE, "The stream has no champion yet: its first one is in training."
    return DecideOutput(decision=Decision(action, (), (), (reason,)), paused=paused)


def train_step(context: CycleContext) -> None:
    """Train a challenger where the decision asks for one.

    What cannot be learnt from is a refusal; any other failure leaves the step undone, to be tried again.
    """
    app, stream, cycle = context.app, context.stream, context.cycle
    decision = context.decided.decision
    request = None if context.paused else open_request(context)
    if request is not None:
        collect_step(context, request)
        return
    if decision.action is not Action.RETRAIN or context.paused:
        context.finish_step("train", None)
        return
    try:
        refuse_to_train(app, stream, cycle.as_of)
        need_service_champion(app, stream, cycle.as_of)
        read_gate_files(app, stream)
        output = ask_step(context) if stream.training.trainer.is_set else TrainOutput()
        if not stream.training.candidates:
            context.finish_step("train", output)
            return
        trained = train_version(
            app,
            context.lease,
            stream,
            cycle.as_of,
            cycle_id=cycle.id,
            asked=context.asked,
            on_candidate=context.on_candidate,
            artifacts=context.strategies.artifacts,
        )
    except (NotTrainable, ModelUnusable) as error:  # the one just made: no other model is asked for anything there
        context.finish_step("train", TrainOutput(failed=str(error), tests=getattr(error, "tests", ())))
        return
    name_challenger(app, context.lease, stream, trained)
    context.finish_step("train", replace(output, trained=trained))


def gate_step(context: CycleContext) -> None:
    """Judge the challenger, and write the attempt down before anything moves."""
    app, stream, cycle, left = context.app, context.stream, context.cycle, context.output_of(TrainOutput)
    if left is None:
        _judge_who_waits(context)
        return
    if not left.ended:
        context.finish_step("gate", None)
        return
    judged, why, stricter = _judged(context, left)
    paused = context.paused
    held = paused or hold_reason(app, stream, judged.doubts)
    codes = tuple(left.asked["codes"]) if left.asked else context.decided.decision.confirmed
    planned = gated_attempt(
        app, stream, cycle.as_of, judged, left.trained, why=why, held=held, who=SCHEDULE, codes=codes,
        cycle_id=cycle.id,
    )
    output = GateOutput(judged=judged if left.trained else None, state=planned.state, held=held, stricter=stricter)
    unusable = unusable_model(left, judged)
    tell_of_model = model_told(context, left, unusable)
    with context.step("gate", output) as connection:
        app.promotions.add(connection, planned)
        tell_of_model(connection)
        if not paused and not unusable and (left.trained or not left.trainer):
            tell_of_gate(context, connection, planned, held)


def _judge_who_waits(context: CycleContext) -> None:
    """Judge the challenger again that was refused before, where one waits, and write that down as any attempt."""
    found = judged_again(context)
    if found is None:
        context.finish_step("gate", None)
        return
    judged, planned = found
    held = hold_reason(context.app, context.stream, judged.doubts) if planned.state is PromotionState.HELD else ""
    output = GateOutput(
        judged=judged if judged.gate["tests"] else None, state=planned.state, held=held, again=planned.to_version
    )
    with context.step("gate", output) as connection:
        context.app.promotions.add(connection, planned)
        if planned.state is PromotionState.HELD:
            tell_of_gate(context, connection, planned, held)


def _judged(context: CycleContext, left: TrainOutput) -> tuple[GateOutcome, str, str]:
    """What the gate finds of a training, why it was asked for, and why by a stricter rule than the settings say.

    One that failed is refused with its own reason.
    """
    if left.trained is None:
        checked = context.output_of(CheckOutput)
        gate = {"passed": False, "tests": list(left.tests)}
        return GateOutcome(gate, context.champion, checked.labels if checked else 0), left.failed, ""
    asked = left.asked or context.asked
    asking = [said for said in asked["reasons"] if said.partition(":")[0] in asked["codes"]]
    stream, stricter = stream_in_force(context)
    judged = context.strategies.judge(context.app, stream, left.trained, context.cycle.as_of)
    checked = context.output_of(CheckOutput)
    judged = with_unit_doubt(judged, checked.check if checked else None)
    if unusable_model(left, judged) and checked:
        judged = replace(judged, labels=checked.labels)  # from there they must grow before it is asked again
    return judged, asked.get("growth") or " ".join(asking or asked["reasons"]), stricter


def promote_step(context: CycleContext) -> None:
    """Move the alias to a challenger that passed, and tell people; what changed meanwhile promotes nothing."""
    app, stream = context.app, context.stream
    planned = app.promotions.of_cycle(context.cycle.id)
    if planned is None or planned.state not in (PromotionState.DECIDED, PromotionState.COMMITTED):
        context.finish_step("promote", None)
        return
    output = PromoteOutput(from_version=planned.from_version, to_version=planned.to_version)
    if planned.state is PromotionState.COMMITTED:
        # A person acted after a crash, and found the alias moved: that was written down and told of, and may be past.
        context.finish_step("promote", output)
        return
    if context.paused:
        with context.step("promote", None) as connection:
            app.promotions.move(connection, planned.id, PromotionState.HELD, app.now())
        return
    incident = incident_for(app, stream, planned.codes)
    facts = attempt_told(context, AlertKind.PROMOTION, planned)
    try:
        with commit(app, context.lease, planned) as connection:
            add_notice(app, connection, stream, facts, incident)
            context.keep_output(connection, output)
    except StaleEvidence:
        context.finish_step("promote", None)


STEPS: tuple[Step, ...] = (
    Step("pull", pull_step, retries=1, retry_seconds=10, time_limit_s=7200),
    Step("score", score_step, retries=2, retry_seconds=5, time_limit_s=600),
    Step("probation", probation_step, retries=2, retry_seconds=5, time_limit_s=600),
    Step("check", check_step, retries=2, retry_seconds=5, time_limit_s=900),
    Step("decide", decide_step, retries=2, retry_seconds=5, time_limit_s=120),
    Step("train", train_step, retries=1, retry_seconds=10, time_limit_s=7200),
    Step("gate", gate_step, retries=1, retry_seconds=10, time_limit_s=1800),
    Step("promote", promote_step, retries=3, retry_seconds=5, time_limit_s=120),
)


def steps_of(stream: StreamSettings) -> tuple[Step, ...]:
    """The steps of a stream's cycle: where nothing comes in by itself, nothing is pulled."""
    return STEPS if feeds_of(stream) else STEPS[1:]
