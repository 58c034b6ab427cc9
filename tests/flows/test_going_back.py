"""A person goes back or promotes: through the same commit path, with a reason, and nothing undoes it behind them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_commands import Answer, Shell
from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, plain_mail, take_in, with_champion
from tests.made_situations import opened, situation
from trueup.flows.app import App
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.steps import promote_step
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.promote.commit import finish_undone, hold_reason
from trueup.flows.promote.manual import promote_by_hand, resume_promotion, roll_back
from trueup.flows.promote.notifications import open_rollback
from trueup.monitoring.causes import Cause
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.mail_body import rendered
from trueup.storage.errors import InputError, ModelUnusable, NoChampion
from trueup.storage.leases import hold
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings
from trueup.training.registry.registry import Registry

ALIASES = ("champion", "previous", "challenger")


@dataclass(frozen=True)
class Deployment:
    """v1 in force after a rollback from v2; v3 (of a cycle) and v4 (of `train`) passed and were held meanwhile."""

    folder: Path
    app: App
    rolled: Answer
    cycle: dict[str, Any]
    train: dict[str, Any]
    after_rollback: dict[str, int | None]
    after_train: dict[str, int | None]

    @property
    def stream(self) -> StreamSettings:
        return self.app.stream("reviews")

    def aliases(self) -> dict[str, int | None]:
        return aliases(self.app)

    def with_champion(self, version: int) -> App:
        """The deployment with this champion, by whatever way, and with nothing that holds promotion."""
        if self.app.registry.alias("reviews", "champion") != version:
            promote_by_hand(self.app, self.stream, version, "set up", force=True)
        standing = open_rollback(self.app, self.stream)
        if standing:
            resume_promotion(self.app, self.stream, "set up")
        return self.app


def aliases(app: App) -> dict[str, int | None]:
    return {alias: app.registry.alias("reviews", alias) for alias in ALIASES}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("going_back")
    app = with_champion(folder, more=ONE_CANDIDATE)
    stream = app.stream("reviews")
    take_in(app, folder, 2, TRAINED, WEEK, BROKEN)
    assert train_now(app, stream, TRAINED + WEEK)["promotion"] == {"from_version": 1, "to_version": 2}
    assert aliases(app) == {"champion": 2, "previous": 1, "challenger": None}
    rolled = Shell(folder)("models rollback -s reviews --why 'answers are worse'")
    after_rollback = aliases(app)
    take_in(app, folder, 3, TRAINED + WEEK, WEEK, BROKEN)
    cycle = run_cycle(app, stream, TRAINED + 2 * WEEK)
    train = train_now(app, stream, TRAINED + 2 * WEEK)
    return Deployment(folder, app, rolled, cycle, train, after_rollback, aliases(app))


def test_a_rollback_moves_the_alias_and_says_who_and_why(deployment: Deployment) -> None:
    """One document in the contract's keys, one event, one incident and one mail that opens its thread."""
    done = deployment.rolled.document
    assert (done["from_version"], done["to_version"]) == (2, 1)
    assert deployment.after_rollback == {"champion": 1, "previous": 2, "challenger": None}
    events = Shell(deployment.folder)("models history -s reviews").document["events"]
    event = next(e for e in events if e["id"] == done["event_id"])
    assert (event["kind"], event["state"], event["why"]) == ("rollback", "committed", "answers are worse")
    assert event["who"] == deployment.app.who
    mail = next(a for a in deployment.app.outbox.newest() if a.kind == "rollback")
    incident = next(i for i in deployment.app.incidents.newest() if i.id == mail.incident_id)
    assert (incident.cause, mail.state) == ("rollback", "sent")
    text = plain_mail(deployment.app, mail)
    assert "trueup models resume --stream reviews" in text
    assert "answers are worse" in text


def test_after_a_rollback_nothing_is_promoted_by_itself(deployment: Deployment) -> None:
    """Challengers of cycles and of `train` pass their gate and wait; the reasons and a mail say for what."""
    cycle, train = deployment.cycle, deployment.train
    assert cycle["gate"]["passed"]
    assert train["gate"]["passed"]
    assert (cycle["training"]["version"], train["version"]) == (3, 4)
    assert (cycle["promotion"], train["promotion"]) == (None, None)
    assert "after the rollback there is no automatic promotion" in cycle["decision"]["reasons"][-1]
    assert "after the rollback there is no automatic promotion" in train["held"]
    assert [a["kind"] for a in cycle["alerts"]].count("approval") == 1
    assert deployment.after_train == {"champion": 1, "previous": 2, "challenger": 4}


def test_only_resuming_promotion_ends_a_rollback(deployment: Deployment) -> None:
    """To acknowledge it says who has it; resumed, it resolves with a mail in its thread, and the policy decides."""
    app, stream = deployment.with_champion(2), deployment.stream
    roll_back(app, stream, 1, "worse")
    standing = open_rollback(app, stream)
    assert standing
    found = Shell(deployment.folder)(f"alerts ack {standing.id}").document["incidents"][0]
    assert (found["acknowledged_by"], found["resolved_at"]) == (app.who, None)
    assert "trueup models resume" in hold_reason(app, stream)
    found = Shell(deployment.folder)("models resume -s reviews --why 'the feed is fixed'").document["incidents"][0]
    assert (found["resolved_by"], found["resolved_why"]) == (app.who, "the feed is fixed")
    assert hold_reason(app, stream) == ""
    assert "nothing to resume" in Shell(deployment.folder)("models resume -s reviews --why again", 2).err
    event = Shell(deployment.folder)("models history -s reviews").document["events"][0]
    assert (event["kind"], event["who"], event["why"]) == ("resume_promotion", app.who, "the feed is fixed")
    mails = [a for a in app.outbox.newest() if a.incident_id == standing.id]
    assert [m.kind for m in mails] == ["incident_resolved", "rollback"]
    assert mails[0].subject == f"[CLOSED] {standing.stem}"
    assert "resumed automatic promotion" in plain_mail(app, mails[0])


def test_what_passed_and_waits_needs_no_force(deployment: Deployment) -> None:
    """A held version goes in force with its gate as evidence, and is no challenger any more; once."""
    app, stream = deployment.with_champion(1), deployment.stream
    done = Shell(deployment.folder)("models promote --to 4 -s reviews --why 'figures are good'").document
    assert (done["from_version"], done["to_version"]) == (1, 4)
    assert deployment.aliases() == {"champion": 4, "previous": 1, "challenger": None}
    event = app.promotions.history("reviews")[0]
    assert (event.id, event.kind, event.state) == (done["event_id"], "approved", PromotionState.COMMITTED)
    assert event.gate["passed"]
    mail = next(mail for mail in app.outbox.newest() if mail.kind == "promotion")
    assert mail.state == "sent"
    assert "figures are good" in plain_mail(app, mail)
    roll_back(app, stream, None, "not good after all")
    with pytest.raises(InputError, match="former champion"):
        promote_by_hand(app, stream, 4, "again", force=False)


def test_evidence_against_another_champion_needs_force(deployment: Deployment) -> None:
    """A version that passed against v1 is not promoted over v2 unless forced, and then it says forced."""
    app, stream = deployment.with_champion(2), deployment.stream
    said = Shell(deployment.folder)("models promote --to 3 -s reviews --why better", status=2)
    assert "passed its gate against v1, and v2 is champion now" in said.err
    assert "--force" in said.err
    assert app.registry.alias("reviews", "champion") == 2
    done = promote_by_hand(app, stream, 3, "better", force=True)
    assert (done.kind, done.from_version, done.to_version) == ("forced", 2, 3)
    assert "by force" in plain_mail(app, app.outbox.newest()[0])


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("promote --to 9 --force --why x", "no version 9"),
        ("promote --to 2 --force --why x", "champion already"),
        ("promote --to 1 --force --why ' '", "--why is empty"),
        ("promote --to 1 --why x", "--force"),
        ("rollback --to 9 --why x", "no version 9"),
        ("rollback --to 2 --why x", "champion already"),
        ("rollback --why ''", "--why is empty"),
        ("rollback", "--why"),
        ("promote --why x", "--to"),
    ],
)
def test_wrong_use_moves_nothing(deployment: Deployment, words: str, named: str) -> None:
    """Status 2 with what was wrong; aliases, history and mails are as before."""
    app = deployment.with_champion(2)
    before = deployment.aliases(), app.promotions.history("reviews"), app.outbox.newest()
    assert named in Shell(deployment.folder)(f"models {words} -s reviews", status=2).err
    assert (deployment.aliases(), app.promotions.history("reviews"), app.outbox.newest()) == before


def test_a_rollback_asked_for_twice_does_not_undo_itself(deployment: Deployment) -> None:
    """`previous` is where the rollback came from: a repeated command must not lead back there."""
    app, stream = deployment.with_champion(1), deployment.stream
    deployment.with_champion(2)
    roll_back(app, stream, None, "worse")
    with pytest.raises(InputError, match="rolled back from v2 to v1 already"):
        roll_back(app, stream, None, "worse")
    assert app.registry.alias("reviews", "champion") == 1


def test_a_version_that_cannot_be_loaded_is_not_gone_back_to(deployment: Deployment, tmp_path: Path) -> None:
    """Status 1, and nothing has moved or been written down."""
    app = deployment.with_champion(2)
    before = deployment.aliases(), app.promotions.history("reviews")
    models = deployment.folder / ".trueup" / "mlflow"
    shutil.move(models, tmp_path / "aside")
    try:
        with pytest.raises(ModelUnusable):
            roll_back(app, deployment.stream, 1, "worse")
        Shell(deployment.folder)("models promote --to 1 --force -s reviews --why x", status=1)
    finally:
        shutil.rmtree(models, ignore_errors=True)
        shutil.move(tmp_path / "aside", models)
    assert (deployment.aliases(), app.promotions.history("reviews")) == before


def test_without_a_version_before_there_is_no_way_back(deployment: Deployment) -> None:
    """No champion, and none before it: status 2 with the way on."""
    app = deployment.with_champion(2)
    untrained = deployment.stream.model_copy(update={"name": "untrained"})
    with pytest.raises(NoChampion):
        roll_back(app, untrained, None, "worse")
    with pytest.raises(InputError, match="no version 1"):
        promote_by_hand(app, untrained, 1, "better", force=True)
    app.registry.drop_alias("reviews", "previous")
    with pytest.raises(InputError, match="no version before it"):
        roll_back(app, deployment.stream, None, "worse")


def test_what_was_never_champion_is_not_gone_back_to(deployment: Deployment) -> None:
    """A challenger that was never in force is promoted, forced if need be; a rollback is no way around the gate."""
    app = deployment.with_champion(2)
    record = app.promotions.version("reviews", 2)
    assert record
    with hold(app.database, "reviews") as lease:
        app.promotions.add_version(lease, replace(record, version=17))
    with pytest.raises(InputError, match="never champion"):
        roll_back(app, deployment.stream, 17, "worse")


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("call", [1, 2])
def test_a_rollback_cut_short_is_finished_and_told_of(
    deployment: Deployment, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off after `previous` or after `champion` was set, the next to hold the lease finishes it, mail and all."""
    app, stream = deployment.with_champion(2), deployment.stream
    true_method, calls = Registry.set_alias, 0

    def cut_off(*args: Any) -> None:
        nonlocal calls
        true_method(*args)
        calls += 1
        if calls == call:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "set_alias", cut_off)
        with pytest.raises(Killed):
            roll_back(app, stream, 1, f"cut off after call {call}")
    assert open_rollback(app, stream) is None
    with hold(app.database, "reviews") as lease:
        finish_undone(app, lease, stream)
        finish_undone(app, lease, stream)
    event = app.promotions.history("reviews")[0]
    assert (event.kind, event.state, event.why) == ("rollback", PromotionState.COMMITTED, f"cut off after call {call}")
    found = deployment.aliases()
    assert (found["champion"], found["previous"]) == (1, 2)
    standing = open_rollback(app, stream)
    assert standing
    assert [a.kind for a in app.outbox.newest() if a.incident_id == standing.id] == ["rollback"]


@pytest.mark.parametrize("moved", [False, True])
def test_a_cycle_cut_short_does_not_promote_over_a_person(deployment: Deployment, moved: bool) -> None:
    """What a killed cycle decided gives way; where its alias had moved, that is written down and not done again."""
    app, stream = deployment.with_champion(1), deployment.stream
    as_of = TRAINED + (4 if moved else 3) * WEEK
    cycle = app.cycles.begin("reviews", as_of, app.now())
    decided = PromotionAttempt(
        stream="reviews", cycle_id=cycle.id, kind=PromotionKind.CHALLENGER, state=PromotionState.DECIDED,
        from_version=1, to_version=2, as_of=as_of, at=app.now(), who="cycle", why="drift", codes=(), labels=0,
        gate={"passed": True, "tests": []},
    )  # fmt: skip
    with app.database.write() as connection:
        app.promotions.add(connection, decided)
    if moved:
        app.registry.set_alias("reviews", "champion", 2)
    with hold(app.database, "reviews") as lease:
        finish_undone(app, lease, stream)  # leaves what belongs to a cycle to the cycle
    mails = len(app.outbox.newest())
    if moved:
        roll_back(app, stream, 1, "worse")
    else:
        promote_by_hand(app, stream, 2, "better", force=True)
    left = app.promotions.of_cycle(cycle.id)
    assert left
    assert left.state is (PromotionState.COMMITTED if moved else PromotionState.ABANDONED)
    assert len(app.outbox.newest()) == mails + (2 if moved else 1)
    before = deployment.aliases()
    assert before["champion"] == (1 if moved else 2)
    with hold(app.database, "reviews") as lease:
        run = CycleContext(app, stream, lease, cycle, lambda trial: None)
        promote_step(run)
    assert run.cycle.steps["promote"] == ({"from_version": 1, "to_version": 2} if moved else None)
    assert deployment.aliases() == before


def test_dropping_an_alias_twice_is_dropping_it_once(deployment: Deployment) -> None:
    """An alias that points to nothing can be taken away."""
    registry = deployment.app.registry
    registry.set_alias("reviews", "challenger", 2)
    registry.drop_alias("reviews", "challenger")
    registry.drop_alias("reviews", "challenger")
    assert registry.alias("reviews", "challenger") is None


BY_HAND = AlertFacts(
    kind=AlertKind.PROMOTION,
    stream="reviews",
    as_of=datetime(2026, 3, 1, tzinfo=UTC),
    from_version=2,
    to_version=3,
    who="ann",
    why="<b>looks</b> good",
)


def test_mails_about_what_a_person_did_name_them_and_their_reason() -> None:
    """Who and why stand in both bodies, the reason as data; forced is called forced, and nobody else is named."""
    approved = rendered(letter_of(situation(BY_HAND, champion=3)))
    assert "ann promoted v3: <b>looks</b> good." in approved.text
    assert "&lt;b&gt;looks" in approved.html
    assert "ann promoted v3 by force" in rendered(letter_of(situation(replace(BY_HAND, forced=True), champion=3))).text
    gone_back = replace(BY_HAND, kind=AlertKind.ROLLBACK, from_version=3, to_version=2, incident_id="inc-1")
    standing = opened(Cause.ROLLBACK, codes=("ROLLBACK",))
    back = " ".join(rendered(letter_of(situation(gone_back, incidents=(standing,), champion=2))).text.split())
    for part in ("v3 was rolled back by ann: <b>looks</b> good.", "trueup models resume --stream reviews", standing.id):
        assert part in back
    assert "ann" not in letter_of(situation(replace(BY_HAND, who="", why=""), champion=3)).done


def test_a_champion_set_in_mlflow_is_written_down(deployment: Deployment) -> None:
    """`status` notes it at once, the next to hold the lease writes it into the history once, and it can be undone."""
    app, stream = deployment.with_champion(2), deployment.stream
    shell = Shell(deployment.folder)
    assert shell("status").document["streams"][0]["notes"] == []
    app.registry.set_alias("reviews", "champion", 1)
    (note,) = shell("status").document["streams"][0]["notes"]
    assert "v1 was made champion in MLflow, not by trueup, in place of v2" in note
    with hold(app.database, "reviews") as lease:
        finish_undone(app, lease, stream)
        finish_undone(app, lease, stream)
    events = shell("models history -s reviews").document["events"]
    assert [(e["kind"], e["from_version"], e["to_version"], e["who"]) for e in events if e["kind"] == "outside"] == [
        ("outside", 2, 1, "unknown")
    ]
    assert shell("status").document["streams"][0]["notes"] == [note]
    promote_by_hand(app, stream, 2, "it was a mistake", force=True)
    assert shell("status").document["streams"][0]["notes"] == []
