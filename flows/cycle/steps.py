"""The steps of a cycle. Each reads what the steps before left behind, and leaves its own output in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from sqlalchemy.engine import Connection

from trueup.flows.alert.failures import failed, works
from trueup.flows.alert.incidents import facts_of, incident_for, incident_writes, item, with_check
from trueup.flows.check.comparison import champion_of, look
from trueup.flows.check.run import edge_of, measure_look, score_new
from trueup.flows.cycle.context import Run
from trueup.flows.cycle.probation import probation
from trueup.flows.gate.evaluate import Judged
from trueup.flows.promote.approvals import until
from trueup.flows.promote.commit import attempt, commit, held_because, name_challenger
from trueup.flows.promote.external_releases import need_service_champion
from trueup.flows.promote.notifications import BY_HAND, PROBATION, refused_because
from trueup.flows.train.lineage import asked_by_cycle, windows
from trueup.flows.train.run import Trained, train_version
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Action, Cause, Decision, History, PastAttempt, PastCheck
from trueup.reports.alert_facts import AlertFacts, AlertKind
from trueup.storage.cycles import CountedCheck
from trueup.storage.errors import ModelUnusable, NoChampion, NotTrainable, StaleEvidence
from trueup.storage.promotions import Promotion, PromotionState


@dataclass(frozen=True)
class Step:
    """A step with how often and how long it may be tried where it runs as a Prefect task."""

    name: str
    run: Callable[[Run], None]
    retries: int
    retry_seconds: float
    time_limit_s: float


def score(run: Run) -> None:
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
        works(run.app, run.stream, Cause.CHAMPION, run.cycle.as_of, run.cycle.id),
    )


def check(run: Run) -> None:
    """Compare the newest window with what the champion was built and validated on."""
    version = run.left("score")["champion"]
    if version is None:
        run.done("check", None)
        return
    app, cycle = run.app, run.cycle
    champion = app.promotions.version(cycle.stream, version)
    assert champion is not None  # the score step found it; a resumed cycle speaks of it, whoever answers by now
    seen = look(app, run.stream, champion, cycle.as_of)
    found = measure_look(app, run.stream, champion, seen, cycle_id=cycle.id, draw=run.ways.draw)
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

    run.done("check", {"check": document, "labels": seen.labels, "windows": windows(seen)}, keep)


def decide_step(run: Run) -> None:
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
    incidents = incident_writes(app, run.stream, cycle, found, decision, history)

    def keep(connection: Connection) -> None:
        app.cycles.add_decision(connection, cycle, found.report_id, asdict(decision))
        if not history.paused:
            incidents(connection)

    run.done("decide", {**asdict(decision), "paused": history.paused}, keep)


def history_of(run: Run, version: int, labels: int) -> History:
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
        if p.cycle_id != cycle.id and p.kind not in (*BY_HAND, PROBATION) and p.as_of <= cycle.as_of
    )
    latest = _past(last) if last is not None and last.version == version else None
    return History(counted, attempts, labels, latest, run.paused)


def _past(past: CountedCheck) -> PastCheck:
    return PastCheck(past.as_of, {s.code: s.direction for s in Check.from_json(past.document).breached})


def train(run: Run) -> None:
    """Train a challenger where the decision asks for one.

    What cannot be learnt from is a refusal; any other failure leaves the step undone, to be tried again.
    """
    if run.left("decide")["action"] != Action.RETRAIN or run.paused:
        run.done("train", None)
        return
    try:
        need_service_champion(run.app, run.stream, run.cycle.as_of)
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


def gate(run: Run) -> None:
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
        judged = Judged({"passed": False, "tests": left.get("tests", [])}, run.left("score")["champion"], labels)
    else:
        asking = [said for said in decision["reasons"] if said.partition(":")[0] in codes]
        trained, why = Trained(**left), " ".join(asking or decision["reasons"])
        judged = run.ways.judge(app, run.stream, trained, cycle.as_of)
    paused = run.paused
    held = paused or held_because(app, run.stream)
    planned = attempt(
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
            facts = replace(_facts(run, kind, planned), why=held, until=until(run.stream, planned))
            app.alerts.add(connection, item(app, run.stream, facts, incident))
        if planned.state is PromotionState.REFUSED and incident and not incident.refusal_told:
            facts = replace(_facts(run, AlertKind.REFUSED, planned), incident_id=incident.id)
            app.alerts.tell_refusal(connection, incident.id)
            app.alerts.add(connection, item(app, run.stream, facts, incident))
        if planned.state is PromotionState.REFUSED and planned.from_version is None:
            failed(app, run.stream, Cause.NO_CHAMPION, cycle.as_of, refused_because(planned), cycle.id)(connection)

    run.done("gate", output, keep)


def promote(run: Run) -> None:
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
        app.alerts.add(connection, item(app, run.stream, facts, incident))
        run.cycle = app.cycles.record_step(connection, run.cycle, "promote", output)

    try:
        commit(app, run.lease, planned, keep)
    except StaleEvidence:
        run.done("promote", None)


def _facts(run: Run, kind: AlertKind, planned: Promotion) -> AlertFacts:
    """What an alert about a challenger tells: the check that asked for it, and its gate."""
    from trueup.training.gate.metric_tests import GateTest

    facts = facts_of(run.app, run.stream, run.cycle, kind)
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
    Step("score", score, retries=2, retry_seconds=5, time_limit_s=600),
    Step("probation", probation, retries=2, retry_seconds=5, time_limit_s=600),
    Step("check", check, retries=2, retry_seconds=5, time_limit_s=900),
    Step("decide", decide_step, retries=2, retry_seconds=5, time_limit_s=120),
    Step("train", train, retries=1, retry_seconds=10, time_limit_s=7200),
    Step("gate", gate, retries=1, retry_seconds=10, time_limit_s=1800),
    Step("promote", promote, retries=3, retry_seconds=5, time_limit_s=120),
)
