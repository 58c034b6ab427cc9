"""The steps of a cycle. Each reads what the steps before left behind, and leaves its own output in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.compose import cycle_facts, outbox_item, with_check
from trueup.flows.alert.failures import open_incident, resolve_incident
from trueup.flows.alert.incidents import incident_for, incident_updates
from trueup.flows.check.champion import champion_of
from trueup.flows.check.comparison import compare_window
from trueup.flows.check.predictions import score_new
from trueup.flows.check.run import edge_of, measure_window
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.probation import probation_step
from trueup.flows.gate.evaluate import GateOutcome, read_gate_files
from trueup.flows.promote.approvals import approval_deadline
from trueup.flows.promote.commit import commit, gated_attempt, hold_reason, name_challenger
from trueup.flows.promote.external_releases import need_service_champion
from trueup.flows.promote.notifications import refusal_reason
from trueup.flows.train.lineage import asked_by_cycle, window_spans
from trueup.flows.train.run import Trained, train_version
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Action, Decision, History, PastAttempt, PastCheck
from trueup.reports.alert_facts import AlertFacts, AlertKind
from trueup.storage.cycles import CountedCheck
from trueup.storage.errors import ModelUnusable, NoChampion, NotTrainable, StaleEvidence
from trueup.storage.promotions import NOT_BY_TRUEUP, PromotionAttempt, PromotionKind, PromotionState


@dataclass(frozen=True)
class Step:
    """A step with how often and how long it may be tried where it runs as a Prefect task."""

    name: str
    run: Callable[[CycleContext], None]
    retries: int
    retry_seconds: float
    time_limit_s: float


def score_step(run: CycleContext) -> None:
    """Answer what lacks the champion's prediction."""
    try:
        champion = champion_of(run.app, run.stream)
    except NoChampion:
        run.done("score", {"champion": None, "scored": 0})
        return
    scored = score_new(run.app, run.stream, champion, run.cycle.as_of, run.lease)
    run.done(
        "score",
        {"champion": champion.version, "scored": scored},
        resolve_incident(run.app, run.stream, Cause.CHAMPION, run.cycle.as_of, run.cycle.id),
    )


def check_step(run: CycleContext) -> None:
    """Compare the newest window with what the champion was built and validated on."""
    version = run.left("score")["champion"]
    if version is None:
        run.done("check", None)
        return
    app, cycle = run.app, run.cycle
    champion = app.promotions.version(cycle.stream, version)
    assert champion is not None  # the score step found it; a resumed cycle speaks of it, whoever answers by now
    seen = compare_window(app, run.stream, champion, cycle.as_of)
    found = measure_window(app, run.stream, champion, seen, cycle_id=cycle.id, draw=run.ways.draw)
    document = found.as_json()

    def keep(connection: Connection) -> None:
        app.cycles.add_check(
            connection,
            stream=cycle.stream,
            cycle_id=cycle.id,
            as_of=cycle.as_of,
            version=version,
            last=edge_of(seen),
            document=document,
            now=app.now(),
        )

    run.done("check", {"check": document, "labels": seen.labels, "windows": window_spans(seen)}, keep)


def decide_step(run: CycleContext) -> None:
    """Conclude from the check and the history, and tell people what opened or resolved."""
    app, cycle = run.app, run.cycle
    left = run.left("check")
    if left is None:
        first = Decision(Action.RETRAIN, (), (), ("The stream has no champion yet, so its first one is trained.",))
        if run.paused:
            first = Decision(Action.NONE, (), (), (f"No first champion is trained: {run.paused}",))
        output = {**asdict(first), "paused": run.paused}
        run.done("decide", output, lambda c: app.cycles.add_decision(c, cycle, None, asdict(first)))
        return
    found = Check.from_json(left["check"])
    version = run.left("score")["champion"]
    history = history_of(run, version, left["labels"])
    decision = run.ways.decide(run.stream.policy, found, history, cycle.as_of)
    incidents = incident_updates(app, run.stream, cycle, found, decision, history)

    def keep(connection: Connection) -> None:
        app.cycles.add_decision(connection, cycle, found.report_id, asdict(decision))
        if not history.paused:
            incidents(connection)

    run.done("decide", {**asdict(decision), "paused": history.paused}, keep)


def history_of(run: CycleContext, version: int, labels: int) -> History:
    """What a decision at the cycle's time looks back on: counted checks of this champion, and attempts."""
    app, cycle = run.app, run.cycle
    counted = tuple(
        _past(past)
        for past in app.cycles.counted_checks(run.stream.name, limit=max(20, run.stream.policy.confirm))
        if past.version == version and past.as_of < cycle.as_of
    )
    last = app.cycles.last_check(run.stream.name, cycle.as_of)
    attempts = tuple(
        PastAttempt(p.as_of, frozenset(p.codes), p.labels, p.state is PromotionState.REFUSED)
        for p in app.promotions.history(run.stream.name)
        if p.cycle_id != cycle.id and p.kind not in (*NOT_BY_TRUEUP, PromotionKind.PROBATION) and p.as_of <= cycle.as_of
    )
    latest = _past(last) if last is not None and last.version == version else None
    return History(counted, attempts, labels, latest, run.paused)


def _past(past: CountedCheck) -> PastCheck:
    return PastCheck(past.as_of, {s.code: s.direction for s in Check.from_json(past.document).breached})


def train_step(run: CycleContext) -> None:
    """Train a challenger where the decision asks for one.

    What cannot be learnt from is a refusal; any other failure leaves the step undone, to be tried again.
    """
    if run.left("decide")["action"] != Action.RETRAIN or run.paused:
        run.done("train", None)
        return
    try:
        need_service_champion(run.app, run.stream, run.cycle.as_of)
        read_gate_files(run.app, run.stream)
        trained = train_version(
            run.app,
            run.lease,
            run.stream,
            run.cycle.as_of,
            cycle_id=run.cycle.id,
            asked=asked_by_cycle(run.cycle.id, run.left("check"), run.left("decide")),
            on_candidate=run.on_candidate,
            picture=run.ways.picture,
        )
    except (NotTrainable, ModelUnusable) as error:  # the one just made: no other model is asked for anything there
        run.done("train", {"failed": str(error), "tests": getattr(error, "tests", [])})
        return
    name_challenger(run.app, run.lease, run.stream, trained)
    run.done("train", trained.as_json())


def gate_step(run: CycleContext) -> None:
    """Judge the challenger, and write the attempt down before anything moves."""
    app, cycle, left = run.app, run.cycle, run.left("train")
    if left is None:
        run.done("gate", None)
        return
    decision = run.left("decide")
    codes = tuple(decision["confirmed"])
    if "failed" in left:
        trained, why = None, left["failed"]
        labels = run.left("check")["labels"] if run.left("check") else 0
        judged = GateOutcome({"passed": False, "tests": left.get("tests", [])}, run.left("score")["champion"], labels)
    else:
        asking = [said for said in decision["reasons"] if said.partition(":")[0] in codes]
        trained, why = Trained(**left), " ".join(asking or decision["reasons"])
        judged = run.ways.judge(app, run.stream, trained, cycle.as_of)
    paused = run.paused
    held = paused or hold_reason(app, run.stream)
    planned = gated_attempt(
        app, run.stream, cycle.as_of, judged, trained, why=why, held=held, codes=codes, cycle_id=cycle.id
    )
    output = {"judged": asdict(judged) if trained else None, "state": str(planned.state), "held": held}

    def keep(connection: Connection) -> None:
        app.promotions.add(connection, planned)
        if paused:
            return
        incident = incident_for(app, run.stream, codes)
        if planned.state is PromotionState.HELD:
            kind = AlertKind.JUDGED if run.stream.policy.promotion == "off" else AlertKind.APPROVAL
            facts = replace(_facts(run, kind, planned), why=held, until=approval_deadline(run.stream, planned))
            app.alerts.add(connection, outbox_item(app, run.stream, facts, incident))
        if planned.state is PromotionState.REFUSED and incident and not incident.refusal_told:
            facts = replace(_facts(run, AlertKind.REFUSED, planned), incident_id=incident.id)
            app.alerts.tell_refusal(connection, incident.id)
            app.alerts.add(connection, outbox_item(app, run.stream, facts, incident))
        if planned.state is PromotionState.REFUSED and planned.from_version is None:
            why = refusal_reason(planned)
            open_incident(app, run.stream, Cause.NO_CHAMPION, cycle.as_of, why, cycle.id)(connection)

    run.done("gate", output, keep)


def promote_step(run: CycleContext) -> None:
    """Move the alias to a challenger that passed, and tell people; what changed meanwhile promotes nothing."""
    app = run.app
    planned = app.promotions.of_cycle(run.cycle.id)
    if planned is None or planned.state not in (PromotionState.DECIDED, PromotionState.COMMITTED):
        run.done("promote", None)
        return
    output = {"from_version": planned.from_version, "to_version": planned.to_version}
    if planned.state is PromotionState.COMMITTED:
        # A person acted after a crash, and found the alias moved: that was written down and told of, and may be past.
        run.done("promote", output)
        return
    if run.paused:
        run.done("promote", None, lambda c: app.promotions.move(c, planned.id, PromotionState.HELD, app.now()))
        return
    incident = incident_for(app, run.stream, planned.codes)
    facts = _facts(run, AlertKind.PROMOTION, planned)
    facts = replace(facts, incident_id=incident.id) if incident else facts

    def keep(connection: Connection) -> None:
        app.alerts.add(connection, outbox_item(app, run.stream, facts, incident))
        run.cycle = app.cycles.record_step(connection, run.cycle, "promote", output)

    try:
        commit(app, run.lease, planned, keep)
    except StaleEvidence:
        run.done("promote", None)


def _facts(run: CycleContext, kind: AlertKind, planned: PromotionAttempt) -> AlertFacts:
    """What an alert about a challenger tells: the check that asked for it, and its gate."""
    from trueup.training.gate.result import GateTest

    facts = cycle_facts(run.app, run.stream, run.cycle, kind)
    if run.left("check"):
        decision = run.left("decide")
        said = Decision(
            Action(decision["action"]), tuple(decision["codes"]), tuple(decision["confirmed"]),
            tuple(decision["reasons"]), severity=decision["severity"],
        )
        facts = with_check(facts, Check.from_json(run.left("check")["check"]), said)
    return replace(
        facts,
        gate=tuple(GateTest(**test) for test in planned.gate["tests"]),
        from_version=planned.from_version,
        to_version=planned.to_version,
        run_id=run.left("train").get("run_id"),
        why=planned.why if planned.to_version is None else "",
    )


STEPS: tuple[Step, ...] = (
    Step("score", score_step, retries=2, retry_seconds=5, time_limit_s=600),
    Step("probation", probation_step, retries=2, retry_seconds=5, time_limit_s=600),
    Step("check", check_step, retries=2, retry_seconds=5, time_limit_s=900),
    Step("decide", decide_step, retries=2, retry_seconds=5, time_limit_s=120),
    Step("train", train_step, retries=1, retry_seconds=10, time_limit_s=7200),
    Step("gate", gate_step, retries=1, retry_seconds=10, time_limit_s=1800),
    Step("promote", promote_step, retries=3, retry_seconds=5, time_limit_s=120),
)
