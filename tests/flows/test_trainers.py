"""A team's own training job is asked once, watched apart from the cycle, collected by a later one, and told of."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_deployments import BROKEN, TRAINED, WEEK, deployed, plain_mail, take_in
from tests.made_trainers import EXAMPLES, FIRST, SECOND, open_one, saying, trained_by, wait, with_trainer
from trueup.flows.app import App
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_by_trainer import train_by_trainer
from trueup.flows.demo.reviews import HEALTHY
from trueup.flows.promote.manual import roll_back
from trueup.flows.replay.run import replay
from trueup.flows.train import asking
from trueup.flows.train.asking import job_folder
from trueup.monitoring.causes import Cause
from trueup.storage.errors import InputError, NotTrainable
from trueup.storage.promotions import PromotionState
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.storage.trainers.training_requests import RequestState, TrainerRequests
from trueup.training.trainers.ending import JobEnd, end_of
from trueup.training.trainers.program import Ended, start_program


@pytest.fixture
def apps() -> Iterator[list[App]]:
    opened: list[App] = []
    yield opened
    for app in opened:
        app.close()


# ---- how a job ends ----


@given(status=st.integers(-15, 255), attempt=st.integers(1, 3), retries=st.integers(0, 3))
def test_an_exit_status_means_one_thing(status: int, attempt: int, retries: int) -> None:
    """0 is a model, 3 nothing to propose, 75 another try while there are any, and everything else has failed."""
    trainer = Trainer(command=("train.sh",), retries=retries)
    expected = {0: JobEnd.MODEL, 3: JobEnd.NOTHING}.get(status, JobEnd.FAILED)
    if status == 75 and attempt <= retries:
        expected = JobEnd.AGAIN
    end, said = end_of(trainer, Ended(status, "", None), attempt)
    assert end is expected
    assert said.startswith("train.sh ")


def ended(folder: Path, trainer: Trainer, limit_s: float = 60) -> Ended:
    from trueup.training.trainers.program import program_ended

    (folder / "job").mkdir(parents=True)
    start_program(folder, trainer, limit_s, folder, os.environ)
    start_program(folder, trainer, limit_s, folder, os.environ)  # whoever comes second leaves it to the first
    until = time.monotonic() + 60
    while (found := program_ended(folder)) is None:
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


def test_a_program_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """Time and memory end a program that does not listen, and what it had started apart from itself as well."""
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); import time; time.sleep(600)"
    child = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {deaf!r}], start_new_session=True); {deaf}"
    )
    trainer = Trainer(command=tuple(saying(child)), grace="1s", memory="200MB")
    assert ended(tmp_path / "late", trainer, 1.0).why == "limit"
    assert not [p for p in psutil.process_iter(["cmdline"]) if deaf in " ".join(p.info["cmdline"] or ())]
    hoard = Trainer(
        command=tuple(saying("held = bytearray(400_000_000); import time; time.sleep(600)")), memory="200MB"
    )
    assert ended(tmp_path / "hoard", hoard).why == "memory"
    assert end_of(hoard, Ended(None, "memory", None), 1)[1].endswith("needed more than 200MB of memory and was ended.")
    assert ended(tmp_path / "none", Trainer(command=("no-such-program",))).why == "not started"


def test_a_program_sees_only_what_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its variables are an allow-list, its home and scratch folders are its own, and it runs once."""
    monkeypatch.setenv("TEAM_TOKEN", "for the trainer")
    monkeypatch.setenv("SMTP_PASSWORD", "not for it")
    code = "import os, json; open(os.environ['TRUEUP_JOB'] + '/seen', 'a').write(json.dumps(dict(os.environ)))"
    assert ended(tmp_path, Trainer(command=tuple(saying(code)), env=("TEAM_TOKEN",))).status == 0
    seen = json.loads((tmp_path / "job" / "seen").read_text())
    assert seen["TEAM_TOKEN"] == "for the trainer"
    assert "SMTP_PASSWORD" not in seen
    assert Path(seen["HOME"]) == tmp_path / "home"
    assert Path(seen["TMPDIR"]) == tmp_path / "scratch"


# ---- the loop ----


BY_EXAMPLE = trained_by([sys.executable, str(EXAMPLES / "train.py")])


def train_first(app: App) -> None:
    """Let the example trainer make the first champion."""
    stream = app.stream("reviews")
    first = run_cycle(app, stream, FIRST)
    assert first["trainer"]["state"] == "asked"
    assert first["training"] is None
    given = json.loads((job_folder(app, open_one(app)) / "job" / "job.json").read_text())
    assert given["classes"] == ["negative", "positive"]
    assert given["features"] == [{"name": "text", "type": "text"}]
    wait(app)
    second = run_cycle(app, stream, SECOND)
    assert second["trainer"]["state"] == "taken", second["trainer"]
    assert second["promotion"] == {"from_version": None, "to_version": 1}, second["gate"]
    assert not list(job_folder(app, TrainerRequests(app.database).history("reviews")[0]).glob("job"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_trainers_model_becomes_champion(tmp_path: Path, apps: list[App]) -> None:
    """The example is asked by one cycle and collected by the next; what it was given is gone by then."""
    app = with_trainer(tmp_path, BY_EXAMPLE)
    apps.append(app)
    train_first(app)
    record = app.promotions.version("reviews", 1)
    assert record is not None
    assert record.document["lineage"]["trainer"]["name"] == "train.py"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_job_that_reads_its_own_data_is_judged_on_what_comes_later(tmp_path: Path, apps: list[App]) -> None:
    """Its model waits for labels of later records, and only those judge it."""
    app = deployed(tmp_path, more=trained_by([sys.executable, str(EXAMPLES / "train.py")], judged_by="later"))
    apps.append(app)
    stream = app.stream("reviews")
    run_cycle(app, stream, FIRST)
    wait(app)
    waits = run_cycle(app, stream, SECOND)
    assert waits["trainer"]["state"] == "open"
    assert "0 labels so far, 100 needed" in waits["trainer"]["said"]
    take_in(app, tmp_path, 2, TRAINED, WEEK, HEALTHY)
    done = run_cycle(app, stream, TRAINED + WEEK)
    assert done["promotion"] == {"from_version": None, "to_version": 1}, done


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_trainer_trains_from_drift_to_rollback(tmp_path: Path, apps: list[App]) -> None:
    """Drift asks it for a challenger, which is promoted, is on probation, and goes back by hand."""
    app = deployed(tmp_path, more=BY_EXAMPLE)
    apps.append(app)
    train_first(app)
    stream = app.stream("reviews")
    take_in(app, tmp_path, 2, TRAINED, WEEK, replace(BROKEN, vocabulary_shift=1.0), 1200)
    third = run_cycle(app, stream, TRAINED + WEEK)
    assert third["decision"]["action"] == "retrain", third["decision"]
    assert third["trainer"]["state"] == "asked"
    wait(app)
    fourth = run_cycle(app, stream, TRAINED + WEEK + timedelta(hours=1))
    assert fourth["promotion"] == {"from_version": 1, "to_version": 2}, fourth["gate"]
    assert fourth["probation"] is None or fourth["probation"]["version"] == 2
    record = app.promotions.version("reviews", 2)
    assert record is not None
    assert record.document["lineage"]["trainer"]["rows"] > 1000
    fifth = run_cycle(app, stream, TRAINED + WEEK + timedelta(hours=2))
    assert fifth["probation"]["version"] == 2
    roll_back(app, stream, None, "it was worse")
    assert app.registry.alias("reviews", "champion") == 1


def test_a_job_that_proposes_nothing_is_kept_and_nobody_is_woken(tmp_path: Path, apps: list[App]) -> None:
    """Exit status 3: the attempt stands in the history, no alert goes out, and the next cycle may ask again."""
    app = with_trainer(tmp_path, trained_by(saying("raise SystemExit(3)")))
    apps.append(app)
    run_cycle(app, app.stream("reviews"), FIRST)
    wait(app)
    done = run_cycle(app, app.stream("reviews"), SECOND)
    assert done["trainer"]["state"] == "nothing"
    assert done["alerts"] == []
    kept = app.promotions.history("reviews")[0]
    assert kept.state is PromotionState.REFUSED
    assert "nothing to propose" in kept.why


def test_a_job_that_fails_is_told_with_its_last_words(tmp_path: Path, apps: list[App]) -> None:
    """Another exit status: an incident with the program's last line, masked; and it is asked once, not each cycle."""
    failing = "import sys; sys.stderr.write('no table for jo@example.org\\n'); sys.exit(1)"
    app = with_trainer(tmp_path, trained_by(saying(failing)))
    apps.append(app)
    run_cycle(app, app.stream("reviews"), FIRST)
    wait(app)
    done = run_cycle(app, app.stream("reviews"), SECOND)
    assert done["trainer"]["state"] == "failed"
    assert "failed (exit status 1). Its last words: no table for [address]" in done["trainer"]["said"]
    assert [alert["kind"] for alert in done["alerts"]] == ["failure"]
    assert [i.cause for i in app.incidents.open_ones("reviews")] == [Cause.TRAINER]
    mail = plain_mail(app, app.outbox.of_cycle(done["cycle_id"])[0])
    assert "failed (exit status 1)" in mail
    assert "jo@example.org" not in mail


def test_another_try_is_another_key(tmp_path: Path, apps: list[App]) -> None:
    """Exit status 75 is tried again as often as `retries` says, each try in a folder of its own, then it has failed."""
    app = with_trainer(tmp_path, trained_by(saying("raise SystemExit(75)"), retries=1))
    apps.append(app)
    states = []
    for hour in range(3):
        states.append(run_cycle(app, app.stream("reviews"), FIRST + timedelta(hours=hour))["trainer"]["state"])
        wait(app)
    assert states == ["asked", "again", "failed"]
    tries = TrainerRequests(app.database).history("reviews")
    assert [(t.attempt, t.state) for t in tries] == [(2, RequestState.FAILED), (1, RequestState.AGAIN)]
    assert len({t.run for t in tries}) == 1


def test_a_crash_before_the_start_loses_nothing(
    tmp_path: Path, apps: list[App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the request and its start, the cycle goes on and the job runs once, under the same key."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    app = with_trainer(tmp_path, trained_by(saying("raise SystemExit(3)")))
    apps.append(app)
    with monkeypatch.context() as patch:
        patch.setattr(asking, "begin_job", killed)
        with pytest.raises(KeyboardInterrupt):
            run_cycle(app, app.stream("reviews"), FIRST)
    key = open_one(app).key
    assert run_cycle(app, app.stream("reviews"), FIRST)["trainer"]["state"] == "asked"
    assert open_one(app).key == key
    wait(app)
    assert run_cycle(app, app.stream("reviews"), SECOND)["trainer"]["state"] == "nothing"
    assert len(TrainerRequests(app.database).history("reviews")) == 1


def test_a_job_whose_watchdog_was_killed_is_ended_and_tried_again(tmp_path: Path, apps: list[App]) -> None:
    """Nobody watches it any more, so it is ended, and what it may still write is never taken."""
    app = with_trainer(tmp_path, trained_by(saying("import time; time.sleep(600)"), grace="1s"))
    apps.append(app)
    run_cycle(app, app.stream("reviews"), FIRST)
    watch = job_folder(app, open_one(app)) / "watch.json"
    until = time.monotonic() + 30
    while not (watch.exists() and "program" in json.loads(watch.read_text())):
        assert time.monotonic() < until
        time.sleep(0.05)
    pids = json.loads(watch.read_text())
    os.kill(pids["watchdog"]["pid"], signal.SIGKILL)
    wait(app)
    assert run_cycle(app, app.stream("reviews"), SECOND)["trainer"]["state"] == "again"
    program = pids["program"]["pid"]
    assert not psutil.pid_exists(program) or psutil.Process(program).status() == psutil.STATUS_ZOMBIE
    later = open_one(app).deadline + timedelta(hours=1)
    late = replace(app, clock=lambda: later)
    assert run_cycle(late, app.stream("reviews"), SECOND + timedelta(hours=1))["trainer"]["state"] == "failed"


def test_a_replay_starts_no_job(tmp_path: Path, apps: list[App]) -> None:
    """Past data are never given to a program: a stream that only a trainer trains is refused."""
    app = with_trainer(tmp_path, trained_by(saying("raise SystemExit(3)")))
    apps.append(app)
    with pytest.raises(InputError, match="is trained by python alone, which a replay does not start"):
        replay(app, app.stream("reviews"), str(tmp_path / "1.csv"))


def test_train_waits_and_says_what_came_of_it(tmp_path: Path, apps: list[App]) -> None:
    """`trueup train` asks, waits without the lease and tells the reason; the attempt is kept."""
    app = with_trainer(tmp_path, trained_by(saying("raise SystemExit(2)")))
    apps.append(app)
    told: list[str] = []
    with pytest.raises(NotTrainable, match=r"could not use what it was given \(exit status 2\)"):
        train_by_trainer(
            app,
            app.stream("reviews"),
            FIRST,
            on_progress=lambda p: told.append(p.said),
            pause=lambda s: time.sleep(0.05),
        )
    assert TrainerRequests(app.database).open_one("reviews") is None
    assert app.promotions.history("reviews")[0].state is PromotionState.REFUSED
