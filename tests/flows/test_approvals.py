"""What passed its gate and waits for a person: the mail has the command and the date, and after that it expires."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_commands import Shell
from tests.flows.test_probation import copied, with_policy
from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, plain_mail, take_in, with_champion
from trueup.flows.admin.pause import set_paused
from trueup.flows.app import App, open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.promote.approvals import held_attempts
from trueup.flows.promote.manual import promote_by_hand
from trueup.reports.alerts.plain_figures import deadline
from trueup.storage.errors import InputError
from trueup.storage.promotions import PromotionState

AS_OF = TRAINED + WEEK


@dataclass(frozen=True)
class Held:
    """A deployment under `promotion = "approve"` whose v2 waits since a cycle."""

    folder: Path
    cycle: dict[str, Any]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Held:
    folder = tmp_path_factory.mktemp("approvals")
    app = with_champion(folder, more=ONE_CANDIDATE)
    take_in(app, folder, 2, TRAINED, WEEK, BROKEN)
    app.close()
    settings = folder / "trueup.toml"
    settings.write_text(settings.read_text().replace("confirm = 1", 'confirm = 1\npromotion = "approve"'))
    app = open_app(settings, folder / ".trueup")
    done = run_cycle(app, app.stream("reviews"), AS_OF)
    assert done["promotion"] is None
    take_in(app, folder, 3, AS_OF, WEEK, HEALTHY)
    app.close()
    return Held(folder, done)


@pytest.fixture
def app(prepared: Held, tmp_path: Path) -> Iterator[App]:
    yield from copied(prepared.folder, tmp_path)


def state(app: App) -> PromotionState:
    return next(p.state for p in app.promotions.history("reviews") if p.to_version == 2)


def test_the_mail_has_the_command_and_the_date(prepared: Held, app: App) -> None:
    """The command of the mail, pasted with a reason, promotes the version; the mail says until when it can."""
    (alert,) = [a for a in prepared.cycle["alerts"] if a["kind"] == "approval"]
    text = plain_mail(app, next(a for a in app.outbox.newest() if a.id == alert["id"]))
    assert f"Decide by {deadline(AS_OF + timedelta(days=7), 'UTC')}" in text
    command = re.search(r"trueup (models promote .*? --why \"…\")", text)
    assert command
    assert shlex.split(command[1]) == ["models", "promote", "--to", "2", "--stream", "reviews", "--why", "…"]
    done = Shell(app.home.parent)(command[1].replace("…", "figures are good")).document
    assert (done["from_version"], done["to_version"]) == (1, 2)
    assert held_attempts(app, app.stream("reviews")) == []


def test_what_nobody_approved_expires_once(app: App) -> None:
    """Nothing happens until the span is over; then the state, one mail, and a refusal. Force still works."""
    stream = app.stream("reviews")
    assert run_cycle(app, stream, AS_OF + timedelta(days=6))["alerts"] == []
    assert state(app) is PromotionState.HELD
    late = run_cycle(app, stream, AS_OF + timedelta(days=7, minutes=1))
    assert [a["kind"] for a in late["alerts"]].count("expired") == 1
    assert state(app) is PromotionState.EXPIRED
    text = plain_mail(app, next(a for a in app.outbox.newest() if a.kind == "expired"))
    assert "Dropped v2" in text
    with pytest.raises(InputError, match="so it expired; train one"):
        promote_by_hand(app, stream, 2, "good", force=False)
    again = run_cycle(app, stream, AS_OF + timedelta(days=7, hours=1))
    assert "expired" not in [a["kind"] for a in again["alerts"]]
    assert promote_by_hand(app, stream, 2, "good all the same", force=True).kind == "forced"


def test_too_old_is_too_old_before_a_cycle_said_so(app: App) -> None:
    """By the stream's own time the span is over: no cycle has to come between."""
    short = with_policy(app, approval="1h")
    run_cycle(with_policy(app, approval="52w"), app.stream("reviews"), AS_OF + timedelta(days=1))
    assert state(app) is PromotionState.HELD
    with pytest.raises(InputError, match="so it expired"):
        promote_by_hand(short, short.stream("reviews"), 2, "good", force=False)


@pytest.mark.slow
def test_what_was_approved_does_not_expire(app: App) -> None:
    """A version that a person promoted waits no more, though its first attempt stays in the history as it was."""
    stream = app.stream("reviews")
    promote_by_hand(app, stream, 2, "good", force=False)
    late = run_cycle(app, stream, AS_OF + WEEK)
    assert "expired" not in [a["kind"] for a in late["alerts"]]
    assert PromotionState.EXPIRED not in [p.state for p in app.promotions.history("reviews")]


def test_evidence_against_another_champion_expires_in_silence(app: App) -> None:
    """It could not have been promoted any more, so its end is no news."""
    stream = app.stream("reviews")
    (held,) = held_attempts(app, stream)
    other = replace(held, id="", cycle_id=None, from_version=9, as_of=held.as_of + timedelta(minutes=1), at=app.now())
    with app.database.write() as connection:
        app.promotions.add(connection, other)
    late = run_cycle(app, stream, AS_OF + timedelta(days=7, minutes=2))
    assert state(app) is PromotionState.EXPIRED
    assert "expired" not in [a["kind"] for a in late["alerts"]]


@pytest.mark.slow
def test_switched_off_a_challenger_is_judged_and_reported_only(app: App) -> None:
    """The mail has the figures and says that nothing is promoted; the document and the history have them too."""
    take_in(app, app.home.parent, 4, AS_OF + WEEK, WEEK, BROKEN)
    off = with_policy(app, promotion="off", retrain_on=("drift", "metric"))
    done = run_cycle(off, off.stream("reviews"), AS_OF + 2 * WEEK)
    assert done["gate"]["passed"]
    assert done["promotion"] is None
    assert app.registry.alias("reviews", "champion") == 1
    kinds = [a["kind"] for a in done["alerts"]]
    assert kinds.count("judged") == 1
    assert not {"approval", "expired"} & set(kinds)
    text = plain_mail(app, next(a for a in app.outbox.newest() if a.kind == "judged"))
    assert "promotion is off" in text
    assert "Tests of v" in text
    assert "models promote" not in text


@pytest.mark.slow
def test_a_paused_stream_lets_nothing_expire(app: App) -> None:
    """What waited through a pause expires with the first cycle after it."""
    stream = app.stream("reviews")
    set_paused(app, stream, "away", paused=True)
    run_cycle(app, stream, AS_OF + timedelta(days=8))
    assert state(app) is PromotionState.HELD
    set_paused(app, stream, "back", paused=False)
    run_cycle(app, stream, AS_OF + timedelta(days=9))
    assert state(app) is PromotionState.EXPIRED
