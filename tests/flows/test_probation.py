"""A new champion is compared with the one before it on what comes in; one that loses goes back by itself, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from tests.flows.test_commands import Shell
from tests.flows.test_going_back import aliases
from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, plain_mail, take_in, with_champion
from trueup.flows.admin.pause import set_paused
from trueup.flows.app import App, open_app
from trueup.flows.cycle.document import outcome, summary
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.promote.commit import hold_reason
from trueup.flows.promote.manual import acknowledge, promote_by_hand, resume_promotion, roll_back
from trueup.flows.promote.notifications import open_rollback
from trueup.storage.actors import PROBATION
from trueup.storage.errors import InputError
from trueup.storage.policy import Policy
from trueup.storage.promotions import PromotionState
from trueup.training.evaluation.paired import Paired
from trueup.training.evaluation.probation import (
    RISK,
    Looks,
    Outcome,
    chance_of_previous,
    conclude,
    rollback_bound,
)
from trueup.training.registry.registry import Registry

CHECKED = TRAINED + WEEK
AS_OF = TRAINED + 2 * WEEK

# ---- the rule ----


def test_the_looks_spend_no_more_than_the_level() -> None:
    """However many looks there are, the levels that they spend sum up to at most the stated one."""
    spent = sum(1 - rollback_bound(look) for look in range(1, 20_000))
    assert 0.999 * RISK < spent < RISK


def test_it_is_asked_again_only_on_half_as_many_rows_more() -> None:
    """Under fifty rows never, then on half more each time, and at the end on whatever is new."""
    assert not Looks().due(49, last=True)
    assert Looks().due(50, last=False)
    assert [rows for rows in (51, 74, 75) if Looks(1, 50).due(rows, last=False)] == [75]
    assert Looks(1, 50).due(51, last=True)
    assert not Looks(1, 50).due(50, last=True)


@pytest.mark.parametrize(
    ("chance", "last", "expected"),
    [
        (0.995, False, Outcome.ROLLED_BACK), (0.99, False, Outcome.WATCHING), (0.99, True, Outcome.PASSED),
        (0.5, False, Outcome.WATCHING), (0.005, False, Outcome.PASSED), (0.995, True, Outcome.ROLLED_BACK),
    ],
)  # fmt: skip
def test_a_look_goes_back_waits_or_ends_it(chance: float, last: bool, expected: Outcome) -> None:
    """Both ways the same bound holds; at the end no loss is a pass."""
    assert conclude(chance, rollback_bound(1), last=last) is expected


def _probations(rng: np.random.Generator, runs: int, lead: float) -> np.ndarray:
    """How made probations of 500 rows end by the rule, on accuracy, where 10 % of the rows disagree.

    For accuracy the chance is that of Beta(1 + b, 1 + c) (tests/training/test_gate.py), which is quick.
    """
    ends = []
    for _ in range(runs):
        drawn = rng.random(500)
        previous, champion = np.cumsum(drawn < 0.05 + lead / 2), np.cumsum(drawn >= 0.95 + lead / 2)
        step, looks, end = int(rng.integers(1, 150)), Looks(), Outcome.WATCHING
        rows = step
        while end is Outcome.WATCHING:
            rows, last = min(rows, 500), rows >= 500
            if looks.due(rows, last=last):
                looks = Looks(looks.made + 1, rows)
                chance = stats.beta.sf(0.5, 1 + previous[rows - 1], 1 + champion[rows - 1])
                end = conclude(chance, rollback_bound(looks.made), last=last)
            rows += step
        ends.append(end is Outcome.ROLLED_BACK)
    return np.array(ends)


def test_a_champion_no_worse_is_hardly_ever_sent_back() -> None:
    """Over whole probations of equal models, at any rhythm of cycles, the stated level holds."""
    assert _probations(np.random.default_rng(1), 3000, 0.0).mean() <= RISK


def test_a_champion_much_worse_is_sent_back() -> None:
    """Eight points lost are seen within the probation in most cases."""
    assert _probations(np.random.default_rng(2), 300, 0.08).mean() > 0.8


@pytest.mark.slow
def test_the_level_holds_for_macro_f1_of_rare_classes() -> None:
    """The chance on the real metric, one class in ten: equal models are not sent back more often than stated."""
    rng, sent_back = np.random.default_rng(3), 0
    for _ in range(60):
        yes = rng.random(120) < 0.1
        truth, other = (np.where(which, "yes", "no").astype(object) for which in (yes, ~yes))
        drawn = rng.random(120)
        for look, rows in enumerate((50, 80, 120), start=1):
            met = Paired(
                opponent="champion",
                truth=truth[:rows],
                opponent_predicted=np.where(drawn < 0.06, other, truth)[:rows],
                challenger_predicted=np.where(drawn > 0.94, other, truth)[:rows],
                opponent_score=np.full(rows, np.nan), challenger_score=np.full(rows, np.nan),
                unit=np.arange(rows), evaluation=np.zeros(rows, bool), classes=("no", "yes"),
            )  # fmt: skip
            if chance_of_previous("f1_macro", met, look) >= rollback_bound(look):
                sent_back += 1
                break
    assert sent_back <= 2


def _of_numbers(errors: np.ndarray) -> Paired:
    """What two versions answered of a truth of 0: the new one's errors in the first row, the previous one's below."""
    n = errors.shape[1]
    return Paired(
        opponent="champion",
        truth=np.zeros(n), opponent_predicted=errors[0], challenger_predicted=errors[1],
        opponent_score=np.full(n, np.nan), challenger_score=np.full(n, np.nan),
        unit=np.arange(n), evaluation=np.zeros(n, bool), classes=(),
    )  # fmt: skip


@pytest.mark.slow
def test_the_level_holds_where_errors_have_heavy_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of versions that are alike one in a hundred looks surer than .99, also where one error outweighs the others."""
    monkeypatch.setattr("trueup.training.evaluation.probation.TOSSES", 2_000)
    rng, times = np.random.default_rng(4), 2_000
    sure = [chance_of_previous("rmse", _of_numbers(rng.standard_t(3, (2, 60))), k) > 0.99 for k in range(times)]
    assert np.mean(sure) < 0.01 + 3 * (0.01 * 0.99 / times) ** 0.5


def test_versions_that_err_alike_are_told_apart_by_nothing() -> None:
    """The same answers give ½; and whatever speaks for one speaks, as much, against the other."""
    errors = np.random.default_rng(5).normal(size=(2, 80))
    assert chance_of_previous("rmse", _of_numbers(errors[[0, 0]]), 1) == 0.5
    one, other = (chance_of_previous("rmse", _of_numbers(both), 1) for both in (errors, errors[::-1]))
    assert one + other == pytest.approx(1, abs=0.02)
    assert one not in (0.5, other)


@pytest.mark.parametrize("wrong", [20, -1, "soon", "14"])
def test_a_probation_too_short_is_refused(wrong: object) -> None:
    """Too few rows, or no span; nothing and none are allowed."""
    if wrong == "14":
        with pytest.raises(ValidationError, match="50"):
            Policy(probation=wrong)
        return
    with pytest.raises(ValidationError):
        Policy(probation=wrong)
    assert Policy(probation=0).probation_span is None
    assert Policy(probation="").probation_span is None
    assert Policy(probation="14d").probation_span == timedelta(days=14)


# ---- on a deployment ----


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: v1 good, v2 useless and forced after a healthy week, and a week of records that came since."""
    folder = tmp_path_factory.mktemp("probation")
    app = with_champion(folder, more=ONE_CANDIDATE)
    take_in(app, folder, 2, TRAINED, WEEK, HEALTHY)
    app.close()
    settings = folder / "trueup.toml"
    good = settings.read_text()
    settings.write_text(good.replace("plain_candidate:plain", "plain_candidate:poor"))
    app = open_app(settings, folder / ".trueup")
    assert train_now(app, app.stream("reviews"), CHECKED)["promotion"] is None
    settings.write_text(good)
    promote_by_hand(app, app.stream("reviews"), 2, "to see what happens", force=True)
    take_in(app, folder, 3, CHECKED, WEEK, HEALTHY)
    app.close()
    return folder


def copied(folder: Path, into: Path) -> Iterator[App]:
    """A copy of a deployment. Its models keep their absolute place in the folder that it was made of."""
    shutil.copytree(folder, into / "copy")
    opened = open_app(into / "copy" / "trueup.toml", into / "copy" / ".trueup")
    yield opened
    opened.close()


@pytest.fixture
def app(prepared: Path, tmp_path: Path) -> Iterator[App]:
    yield from copied(prepared, tmp_path)


def cycle(app: App, as_of: datetime = AS_OF) -> dict[str, Any]:
    return run_cycle(app, app.stream("reviews"), as_of)


def with_policy(app: App, **policy: object) -> App:
    """The deployment under another policy."""
    stream = app.stream("reviews")
    changed = stream.model_copy(update={"policy": stream.policy.model_copy(update=policy)})
    settings = app.settings.model_copy(update={"streams": {"reviews": changed}})
    return replace(app, settings=settings)


def test_a_lost_probation_goes_back_by_itself(app: App) -> None:
    """Aliases, history, incident and mail say what it is, with figures; the cycle goes on about the one that stands."""
    done = cycle(app)
    stands = done["probation"]
    assert (stands["version"], stands["previous"], stands["look"], stands["outcome"]) == (2, 1, 1, "rolled_back")
    assert stands["chance"] >= stands["bound"] == pytest.approx(1 - RISK * 6 / np.pi**2)
    assert stands["rows"] >= 300
    assert aliases(app) | {"challenger": None} == {"champion": 1, "previous": 2, "challenger": None}
    assert done["champion"] == 1
    assert done["check"]["counted"]
    assert done["decision"]["reasons"][0].startswith("v2 lost its probation: macro-F1 ")
    assert outcome(done).startswith("v2 lost its probation, back to v1; ")
    event = next(p for p in app.promotions.history("reviews") if p.kind == "probation")
    assert (event.state, event.from_version, event.to_version) == (PromotionState.COMMITTED, 2, 1)
    assert event.who == PROBATION
    assert stands["said"] in event.why
    (mail,) = [a for a in done["alerts"] if a["kind"] == "rollback"]
    standing = open_rollback(app, app.stream("reviews"))
    assert standing
    text = plain_mail(app, next(a for a in app.outbox.newest() if a.id == mail["id"]))
    assert mail["subject"].startswith("[HIGH] reviews: ")
    assert "trueup put v1 back" in text
    shell = Shell(app.home.parent)
    assert shell("models verify -s reviews").document["ok"]
    shell("models resume -s reviews --why 'the feed is fixed'")
    kinds = [e["kind"] for e in shell("models history -s reviews").document["events"]]
    assert kinds == ["resume_promotion", "probation", "forced", "challenger", "first"]


@pytest.mark.slow
def test_after_it_nothing_is_promoted_until_it_is_acknowledged(app: App) -> None:
    """The rollback holds promotion as one by hand does, is not rolled back again, and what came of it needs force."""
    stream = app.stream("reviews")
    cycle(app)
    standing = open_rollback(app, stream)
    assert standing
    assert "trueup models resume" in hold_reason(app, stream)
    with pytest.raises(InputError, match="rolled back from v2 to v1 already"):
        roll_back(app, stream, None, "again")
    take_in(app, app.home.parent, 4, AS_OF, WEEK, BROKEN)
    later = cycle(app, AS_OF + WEEK)
    assert later["probation"] is None
    assert later["gate"]["passed"]
    assert later["promotion"] is None
    assert "after the rollback there is no automatic promotion" in later["decision"]["reasons"][-1]
    waiting = later["training"]["version"]
    with pytest.raises(InputError, match="champion before"):
        promote_by_hand(app, stream, 2, "again", force=False)
    acknowledge(app, standing.id)
    assert hold_reason(app, stream), "to have it is not to let it go on"
    resume_promotion(app, stream, "the feed is fixed")
    assert hold_reason(app, stream) == ""
    promote_by_hand(app, stream, waiting, "read it", force=False)
    assert aliases(app)["champion"] == waiting


@pytest.mark.slow
def test_one_probation_ends_once(app: App) -> None:
    """No worse than the one before it, it passes at its last look, is told once, and is not asked again."""
    stream = app.stream("reviews")
    promote_by_hand(app, stream, 1, "sorry", force=True)
    done = cycle(app)["probation"]
    assert (done["version"], done["previous"], done["outcome"], done["look"]) == (1, 2, "passed", 1)
    take_in(app, app.home.parent, 4, AS_OF, WEEK, HEALTHY)
    assert cycle(app, AS_OF + WEEK)["probation"] is None
    assert cycle(app, AS_OF + WEEK + timedelta(days=1))["probation"] is None


@pytest.mark.slow
def test_looks_are_remembered_from_cycle_to_cycle(app: App) -> None:
    """Few rows are waited for; then looks and their rows are kept: each is made on half more and held to more."""
    long = with_policy(app, probation=100_000)
    stream = long.stream("reviews")
    alike = train_now(long, stream, CHECKED)["version"]  # as v1, of the same recipe
    promote_by_hand(long, stream, 1, "to have it before", force=True)
    promote_by_hand(long, stream, alike, "the same again", force=True)
    found = [cycle(long, CHECKED + timedelta(hours=hours))["probation"] for hours in (12, 48, 54, 120)]
    assert [(f["version"], f["previous"], f["outcome"]) for f in found] == [(alike, 1, "watching")] * 4
    assert [f["look"] for f in found] == [0, 1, 1, 2]
    assert found[0]["rows"] < 50 <= found[1]["rows"] == found[1]["looked_at"] == found[2]["looked_at"]
    assert (found[1]["chance"], found[1]["bound"]) == (found[2]["chance"], found[2]["bound"])
    assert found[2]["rows"] > found[1]["rows"]
    assert found[3]["bound"] == rollback_bound(2)
    assert "labelled rows that neither" in summary(cycle(long, CHECKED + timedelta(hours=54)))


@pytest.mark.slow
def test_evidence_against_a_champion_that_lost_its_probation_is_stale(app: App) -> None:
    """What passed against the version that is gone is not promoted over the one that stands again; only by force."""
    stream = app.stream("reviews")
    (refused,) = [p for p in app.promotions.history("reviews") if p.kind == "challenger"]
    assert promote_by_hand(app, stream, 1, "set up", force=True).to_version == 1
    waits = with_policy(app, promotion="approve")
    third = train_now(waits, waits.stream("reviews"), CHECKED)["version"]
    promote_by_hand(app, stream, 2, "set up", force=True)
    with app.database.write() as connection:
        late = {"as_of": CHECKED + timedelta(minutes=1), "at": app.now(), "to_version": third, "from_version": 2}
        app.promotions.add(connection, replace(refused, id="", state=PromotionState.HELD, **late))
    assert cycle(app)["probation"]["outcome"] == "rolled_back"
    with pytest.raises(InputError, match="passed its gate against v2, and v1 is champion now"):
        promote_by_hand(app, stream, third, "it waited", force=False)
    assert promote_by_hand(app, stream, third, "it waited", force=True).from_version == 1


@pytest.mark.slow
def test_a_pause_holds_it(app: App) -> None:
    """A paused stream is not rolled back, and spends no look; resumed, it is."""
    stream = app.stream("reviews")
    set_paused(app, stream, "moving", paused=True)
    done = cycle(app, AS_OF - timedelta(days=1))
    assert (done["probation"]["outcome"], done["probation"]["look"]) == ("skipped", 0)
    assert aliases(app)["champion"] == 2
    set_paused(app, stream, "moved", paused=False)
    assert cycle(app)["probation"]["outcome"] == "rolled_back"


@pytest.mark.slow
@pytest.mark.parametrize("off", [0, ""])
def test_it_can_be_switched_off(app: App, off: object) -> None:
    """Without a probation the cycle is as it was."""
    calm = with_policy(app, probation=off)
    assert cycle(calm)["probation"] is None
    assert aliases(calm)["champion"] == 2


@pytest.mark.slow
def test_a_previous_version_that_cannot_be_loaded_breaks_no_cycle(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document says why, nothing moves, and the next cycle asks again."""
    from trueup.storage.errors import ModelUnusable

    true_load = Registry.load

    def load(registry: Registry, name: str, version: int) -> Any:
        if version == 1:
            raise ModelUnusable("its files are gone")
        return true_load(registry, name, version)

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "load", load)
        done = cycle(app, AS_OF - timedelta(days=1))
    assert done["probation"]["outcome"] == "skipped"
    assert "its files are gone" in done["probation"]["said"]
    assert aliases(app)["champion"] == 2
    assert cycle(app)["probation"]["outcome"] == "rolled_back"


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("method", "call", "after"),
    [
        ("training.registry.registry.Registry.set_alias", 2, True),
        *(
            pytest.param(*place, marks=pytest.mark.slow)
            for place in (
                ("storage.promotions.PromotionLog.add", 1, True), ("storage.promotions.PromotionLog.move", 1, False),
                ("training.registry.registry.Registry.set_alias", 1, True),
                ("storage.cycles.CycleLog.add_check", 1, False),
            )
        ),
    ],
)  # fmt: skip
def test_cut_short_anywhere_it_ends_the_same(
    app: App, method: str, call: int, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off at a step of the way back, the same cycle again finishes it: one event, one incident, one mail."""
    import importlib

    place, owner, name = method.rsplit(".", 2)
    target = getattr(importlib.import_module(f"trueup.{place}"), owner)
    true_method, calls = getattr(target, name), 0

    def cut_off(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise Killed
        result = true_method(*args, **kwargs)
        if calls == call:
            raise Killed
        return result

    with monkeypatch.context() as patched:
        patched.setattr(target, name, cut_off)
        with pytest.raises(Killed):
            cycle(app)
    done = cycle(app)
    assert (done["probation"]["outcome"], done["champion"]) == ("rolled_back", 1)
    found = aliases(app)
    assert (found["champion"], found["previous"]) == (1, 2)
    events = [p.state for p in app.promotions.history("reviews") if p.kind == "probation"]
    assert events == [PromotionState.COMMITTED]
    assert [a["kind"] for a in done["alerts"]].count("rollback") == 1
    assert [i.cause for i in app.incidents.open_ones("reviews")].count("rollback") == 1


@pytest.mark.slow
def test_a_person_who_acts_in_between_goes_first(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed cycle had decided is set aside where somebody promotes before it is finished."""
    with monkeypatch.context() as patched:
        patched.setattr(Registry, "set_alias", lambda *args: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            cycle(app)
    promote_by_hand(app, app.stream("reviews"), 1, "v2 is useless", force=True)
    done = cycle(app)
    assert done["probation"] is None
    states = {p.kind: p.state for p in app.promotions.history("reviews")}
    assert (states["probation"], aliases(app)["champion"]) == (PromotionState.ABANDONED, 1)


@pytest.mark.slow
def test_a_cycle_begun_before_there_was_a_probation_is_finished(app: App) -> None:
    """What an older trueup left after its check goes on as it began."""
    stream = app.stream("reviews")
    from trueup.flows.cycle.context import CycleContext
    from trueup.flows.cycle.steps import STEPS
    from trueup.storage.leases import hold

    with hold(app.database, "reviews") as lease:
        run = CycleContext(app, stream, lease, app.cycles.begin("reviews", AS_OF, app.now()), lambda trial: None)
        for step in STEPS:
            if step.name in ("score", "check"):
                step.run(run)
    done = cycle(app)
    assert (done["probation"], done["champion"], aliases(app)["champion"]) == (None, 2, 2)
