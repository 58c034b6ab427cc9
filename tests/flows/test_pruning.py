"""Pruning: what nothing needs goes with all its files, what the audit trail speaks of stays, a kill leaves no doubt."""

from __future__ import annotations

import os
import pkgutil
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_killed_cycle import in_a_process
from tests.flows.test_commands import Shell
from tests.made_deployments import HEALTHY, ONE_CANDIDATE, TRAINED, WEEK, about_to_break, take_in
from trueup.flows.app import App, open_app
from trueup.flows.audit.consistency import version_files
from trueup.flows.audit.prune import _mark, prune, prune_after_cycle
from trueup.flows.audit.verify import verify
from trueup.flows.check.champion import champion_of
from trueup.flows.check.run import single_check
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.promote.manual import promote_by_hand
from trueup.flows.serve.prefect_server import listening
from trueup.storage.errors import InputError
from trueup.storage.policy import Retention

pytestmark = pytest.mark.slow

KEEP_ONE = '\n[streams.reviews.retention]\nversions = 1\nreports = "30d"\n'
AS_OF = TRAINED + WEEK
REFUSED = (3, 4)


PLACES_IN_MLFLOW = (
    ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)  # fmt: skip


def copied(whole: Path, folder: Path) -> Path:
    """A copy of a deployment whose models lie in the copy: MLflow keeps whole paths."""
    shutil.copytree(whole, folder)
    with sqlite3.connect(folder / ".trueup" / "mlflow.db") as connection:
        for table, column in PLACES_IN_MLFLOW:
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(whole), str(folder)))
    connection.close()
    return folder


def opened(folder: Path) -> App:
    return open_app(folder / "trueup.toml", folder / ".trueup")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """v1 was champion, v2 is; v3, on the same rows as v2, and v4 and v5, on newer ones, were refused."""
    folder = tmp_path_factory.mktemp("pruned") / "whole"
    app = about_to_break(folder, more=ONE_CANDIDATE + KEEP_ONE)
    stream = app.stream("reviews")
    assert run_cycle(app, stream, AS_OF)["promotion"] == {"from_version": 1, "to_version": 2}
    assert train_now(app, stream, AS_OF + timedelta(minutes=1))["promotion"] is None
    for weeks in (1, 2):
        take_in(app, folder, 2 + weeks, AS_OF + (weeks - 1) * WEEK, WEEK, HEALTHY, rows=100)
        assert train_now(app, stream, AS_OF + weeks * WEEK)["promotion"] is None
    app.close()
    return folder


@pytest.fixture
def app(whole: Path, tmp_path: Path) -> Iterator[App]:
    found = opened(copied(whole, tmp_path / "deployment"))
    yield found
    found.close()


def files(app: App) -> set[str]:
    """All files of models and archive."""
    return {
        str(file.relative_to(app.home))
        for part in ("mlflow", "archive") for file in (app.home / part).rglob("*") if file.is_file()
    }  # fmt: skip


def stands(app: App) -> dict[str, Any]:
    """How the deployment stands, without what is read off the clock."""
    return {
        "files": files(app),
        "registered": [(v.number, v.aliases) for v in app.registry.versions("reviews")],
        "marked": [(p.kind, p.name, p.done_at is not None) for k in ("version", "report")
                   for p in app.prunings.of("reviews", k)],
        "attempts": [(p.id, p.state) for p in app.promotions.history("reviews")],
        "versions": [r.version for r in app.promotions.versions("reviews")],
        "problems": verify(app, app.stream("reviews")),
    }  # fmt: skip


# ---- versions ----


def test_refused_versions_go_with_all_their_files(app: App) -> None:
    """v3 and v4 go from MLflow and the archive, to the last model file; what the others need stays."""
    stream, before = app.stream("reviews"), files(app)
    runs = {r.version: r for r in app.promotions.versions("reviews")}
    sizes = {file: (app.home / file).stat().st_size for file in before}
    foretold = prune(app, stream, dry_run=True)
    assert files(app) == before
    assert app.prunings.of("reviews", "version") == []
    done = prune(app, stream)
    assert done == foretold | {"dry_run": False}
    assert {(one["kind"], one["name"]) for one in done["removed"]} == {("version", "3"), ("version", "4")}
    gone = before - files(app)
    assert done["bytes"] == sum(sizes[file] for file in gone)
    assert len([file for file in gone if file.endswith("model.skops")]) == len(REFUSED)
    assert not any(file.startswith("archive/records") for file in gone)
    named = {name for number in (1, 2, 5) for name in version_files(runs[number]).values()}
    assert named <= {file.removeprefix("archive/") for file in files(app)}, "v3 was made of the same snapshot as v2"
    models = app.home / "mlflow" / "reviews" / "models"
    assert len(list(models.iterdir())) == 3, "no empty folder stays"
    assert [v.number for v in app.registry.versions("reviews")] == [5, 2, 1]
    client = app.registry.client()
    assert client.get_run(runs[3].run_id).data.metrics, "the figures of a run stay"
    assert client.get_run(runs[3].run_id).data.tags["pruned"]
    assert prune(app, stream)["removed"] == []


def test_the_audit_trail_stays_whole(app: App) -> None:
    """History, verify and show speak of a pruned version as ever; it is not promoted and not made again."""
    stream, shell = app.stream("reviews"), Shell(app.home.parent)
    before = shell("models history -s reviews").document["events"]
    assert shell("prune -s reviews").document["bytes"] > 0
    assert shell("models history -s reviews").document["events"] == before
    assert shell("models verify -s reviews").document == {"ok": True, "problems": [], "erased": []}
    shown = shell("models show 3 -s reviews").document
    assert shown["pruned"]["who"] == app.who
    assert shown["events"][0]["gate"]["tests"]
    assert shell("models show 2 -s reviews").document["pruned"] is None
    with pytest.raises(InputError, match="v3 of 'reviews' was pruned"):
        promote_by_hand(app, stream, 3, "it was better", force=True)
    assert "was pruned" in shell("train -s reviews --reproduce 3", status=2).err


def test_a_number_is_never_given_twice(app: App) -> None:
    """The newest version stays, so that the next one gets a number of its own."""
    stream = app.stream("reviews")
    app.registry.drop_alias("reviews", "challenger")
    assert {one["name"] for one in prune(app, stream)["removed"]} == {"3", "4"}
    assert train_now(app, stream, AS_OF + 2 * WEEK + timedelta(minutes=1))["version"] == 6


def test_nothing_goes_where_nothing_is_set(app: App) -> None:
    """Without a policy no version and no report is removed, and the reason is told; the schedule does nothing."""
    bare = app.stream("reviews").model_copy(update={"retention": Retention()})
    before = stands(app)
    done = prune(app, bare)
    assert done["removed"] == []
    assert {one["why"] for one in done["kept"] if one["version"] in REFUSED} == {
        "nothing is pruned: retention.versions is not set"
    }
    prune_after_cycle(app, bare)
    assert stands(app) == before
    prune_after_cycle(app, app.stream("reviews"))
    assert [v for v, _ in stands(app)["registered"]] == [5, 2, 1]


def test_what_another_model_stands_on_stays(app: App) -> None:
    """A version that a team registered under another name as well keeps its files."""
    client, version = app.registry.client(), app.registry.version("reviews", 3)
    client.create_registered_model("shop")
    client.create_model_version("shop", client.get_model_version("reviews", "3").source, version.run_id)
    done = prune(app, app.stream("reviews"))
    assert {one["name"] for one in done["removed"]} == {"4"}
    assert {one["version"]: one["why"] for one in done["kept"]}[3] == "v1 of 'shop' stands on its files"


def test_an_alias_set_meanwhile_keeps_a_marked_version(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the mark and the removal somebody points an alias to it in MLflow: its mark is taken back."""

    def pointed(app: App, *args: Any) -> None:
        _mark(app, *args)
        app.registry.set_alias("reviews", "shadow", 3)

    monkeypatch.setattr("trueup.flows.audit.prune._mark", pointed)
    assert {one["name"] for one in prune(app, app.stream("reviews"))["removed"]} == {"4"}
    assert app.prunings.version("reviews", 3) is None
    assert app.registry.load("reviews", 3)
    assert verify(app, app.stream("reviews")) == ()


def test_models_that_a_crash_or_gc_left_go(app: App) -> None:
    """The model of a run that MLflow's clean-up purged, and one that a killed training stored; not a person's own."""
    client, runs = app.registry.client(), {v.number: v.run_id for v in app.registry.versions("reviews")}
    client.delete_model_version("reviews", "4")
    client.delete_run(runs[4])
    client._tracking_client.store._hard_delete_run(runs[4])
    client.delete_model_version("reviews", "3")
    client.set_terminated(runs[3], "KILLED")
    client.create_logged_model(client.get_experiment_by_name("trueup-reviews").experiment_id, name="own")
    before = files(app)
    bare = app.stream("reviews").model_copy(update={"retention": Retention()})
    foretold = prune(app, bare, dry_run=True)
    assert prune(app, bare) == foretold | {"dry_run": False}
    assert [one["kind"] for one in foretold["removed"]] == ["model", "model"]
    assert len([f for f in before - files(app) if f.endswith("model.skops")]) == len(REFUSED)
    assert prune(app, bare)["removed"] == []


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[str]:
    """A real MLflow server, which keeps artifacts behind its own address."""
    with listening(0) as place:
        port = place.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}", "--artifacts-destination", str(tmp_path / "kept"),
    ]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.slow
def test_a_server_is_asked_to_remove_the_files(mlflow_server: str, tmp_path: Path) -> None:
    """Over HTTP the model's files go from the server's own folder, and their size is known before."""
    wait_for(mlflow_server)
    folder = tmp_path / "deployment"
    app = about_to_break(folder, more=ONE_CANDIDATE + KEEP_ONE + f'\n[tracking]\nuri = "{mlflow_server}"\n')
    stream = app.stream("reviews")
    train_now(app, stream, AS_OF)
    for minutes in (1, 2):
        assert train_now(app, stream, AS_OF + timedelta(minutes=minutes))["promotion"] is None
    kept = tmp_path / "kept"
    before = len(list(kept.rglob("model.skops")))
    foretold = prune(app, stream, dry_run=True)
    done = prune(app, stream)
    assert done == foretold | {"dry_run": False}
    assert [(one["name"], one["left"]) for one in done["removed"]] == [("3", [])]
    assert done["bytes"] > 100_000
    assert len(list(kept.rglob("model.skops"))) == before - 1
    assert verify(app, stream) == ()
    app.close()


def wait_for(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/health", timeout=1).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not come up")


# ---- reports ----


def test_pages_of_quiet_checks_go(app: App) -> None:
    """After `reports`, the page of a check that nothing rests on goes; that of the one that asked for v2 stays."""
    stream, shell = app.stream("reviews"), Shell(app.home.parent)
    asked = app.cycles.reports("reviews")[-1]["id"]
    looked = single_check(app, stream, champion_of(app, stream), AS_OF + 2 * WEEK + timedelta(hours=1)).report_id
    assert {one["kind"] for one in prune(app, stream)["removed"]} == {"version"}, "it is no month old"
    later = replace(app, clock=lambda: datetime.now(UTC) + timedelta(days=31))
    before = files(app)
    done = prune(later, stream)
    assert {one["kind"] for one in done["removed"]} == {"report"}
    assert looked in {one["name"] for one in done["removed"]}
    assert asked not in {one["name"] for one in done["removed"]}
    gone = before - files(app)
    assert {file for file in gone if looked in file} == {
        f"archive/reports/reviews/{looked}.{kind}.gz" for kind in ("distributions.json", "json")
    }
    assert len(gone) == 2 * len(done["removed"])
    assert shell(f"reports show {looked}").document["reports"][0]["signals"]
    assert "it was pruned" in shell(f"reports export {looked} {app.home / 'out'}", status=2).err
    assert prune(later, stream)["removed"] == []


# ---- kills ----

KILLS = (
    ("trueup.training.registry.prune", "remove_version", 1, False),  # marked, nothing is gone
    ("trueup.training.registry.prune", "_empty", 1, False),  # MLflow has forgotten the version, its model lies there
    ("trueup.training.registry.prune", "_empty", 1, True),  # the model's files are gone, MLflow still lists it
    ("trueup.training.registry.prune", "_empty", 2, True),  # and the run's files
    ("trueup.storage.archive.Archive", "remove", 1, True),
    ("trueup.storage.archive.Archive", "remove", 2, True),
    ("trueup.storage.prunings.PruningLog", "finish", 1, False),  # all is gone, which nobody wrote down
    ("trueup.storage.prunings.PruningLog", "finish", 2, False),
)


def killed_in(folder: Path, where: str, name: str, call: int, after: bool) -> None:
    """Prune in this process, and die at the place without a chance to clean up."""
    owner = pkgutil.resolve_name(where)
    true, calls = getattr(owner, name), 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = true(*args, **kwargs)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)
    app = opened(folder)
    prune(app, app.stream("reviews"))


@pytest.fixture(scope="module")
def undisturbed(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    app = opened(copied(whole, tmp_path_factory.mktemp("undisturbed") / "deployment"))
    prune(app, app.stream("reviews"))
    end = stands(app)
    app.close()
    return end


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_a_killed_pruning_is_finished_by_the_next(
    whole: Path, tmp_path: Path, undisturbed: dict[str, Any], kill: tuple[str, str, int, bool]
) -> None:
    """SIGKILL at the place, then the same command: the same end; in between `verify` finds nothing wrong."""
    folder = copied(whole, tmp_path / "deployment")
    assert in_a_process(lambda: killed_in(folder, *kill)) == -signal.SIGKILL
    app = opened(folder)
    assert verify(app, app.stream("reviews")) == ()
    assert [v.number for v in app.registry.versions("reviews") if v.aliases] == [5, 2, 1]
    prune(app, app.stream("reviews"))
    assert stands(app) == undisturbed
    app.close()
