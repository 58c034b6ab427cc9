"""A cycle killed at any place and run again comes to the same end as one that was left alone."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break
from trueup.flows.app import open_app

AS_OF = TRAINED + WEEK


def in_a_process(work: Callable[[], None]) -> int:
    """Run `work` in a forked process of its own; its exit status, negative for the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child must end here, whatever happened, and say it
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(folder: Path) -> None:
    from trueup.flows.cycle.run import run_cycle

    app = open_app(folder / "trueup.toml", folder / ".trueup")
    run_cycle(app, app.stream("reviews"), AS_OF)
    app.close()


@dataclass(frozen=True)
class Place:
    """Where the process is killed: in the call number `call` of a method, before or after it did its work."""

    module: str
    owner: str
    method: str
    call: int
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} call {self.call} of {self.owner}.{self.method}"


PLACES = (
    Place("storage.predictions", "PredictionLog", "add", 1, True),  # scored, the step not yet written down
    Place("reports.stored", "ReportFiles", "store", 1, True),  # the report stands, the check does not
    Place("storage.promotions", "PromotionLog", "add_version", 1, False),  # MLflow has the version, the store not
    Place("training.registry.registry", "Registry", "set_alias", 1, True),  # `challenger` is set, not yet written down
    Place("training.registry.registry", "Registry", "set_alias", 2, True),  # `previous` is set, `champion` not yet
    Place("training.registry.registry", "Registry", "set_alias", 3, True),  # the alias moved, the store does not know
    Place("training.registry.registry", "Registry", "drop_alias", 1, True),  # the champion is no challenger, the same
    Place("storage.cycles", "CycleLog", "finish", 1, False),  # all is done but the document
    Place("storage.check_lists", "CheckLists", "signals", 1, True),  # the cycle ended, MLflow does not show its check
)
# What `make test` tries of them: the alias moved, and the store does not know.
SAMPLE = tuple(p for p in PLACES if (p.method, p.call) == ("set_alias", 3))


def killed_at(place: Place, folder: Path) -> None:
    """Run the cycle in this process and die, without a chance to clean up, at the place."""
    import importlib

    owner = getattr(importlib.import_module(f"trueup.{place.module}"), place.owner)
    true_method = getattr(owner, place.method)
    calls = 0

    def method(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == place.call and not place.after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = true_method(*args, **kwargs)
        if calls == place.call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, place.method, method)
    run(folder)


def end_of(folder: Path) -> dict[str, Any]:
    """How a deployment stands, without what is drawn at random (ids) or read off the clock."""
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream("reviews")
    cycle = app.cycles.find("reviews", AS_OF)
    assert cycle is not None
    document = dict(cycle.document or {})
    check, training = document["check"], document["training"]
    found = {
        "state": cycle.state,
        "signals": [(s["code"], s["value"], s["p_value"], s["verdict"]) for s in check["signals"]],
        "counted": check["counted"],
        "decision": document["decision"],
        "training": (training["version"], training["snapshot"], [c["metrics"] for c in training["candidates"]]),
        "gate": [t for t in document["gate"]["tests"] if t["code"] != "GATE-LATENCY"],
        "promotion": document["promotion"],
        "aliases": {a: app.registry.alias("reviews", a) for a in ("champion", "previous", "challenger")},
        "versions": [v.number for v in app.registry.versions("reviews")],
        "promotions": [(p.kind, str(p.state), p.from_version, p.to_version) for p in app.promotions.history("reviews")],
        "incidents": sorted((i.cause, i.codes, i.resolved_at) for i in app.incidents.newest("reviews")),
        "alerts": sorted((a.kind, a.subject, a.state) for a in app.outbox.newest("reviews")),
        "mails": len(list((app.home / "mail").rglob("*.*"))),
        "checks": len(app.cycles.reports("reviews")),
        "predictions": list(
            app.reader.read(stream, after=TRAINED, as_of=AS_OF, version=1).meta["predicted"]
        ),
        "unfinished": app.cycles.unfinished("reviews"),
        "running": _running(app),
        "production": _production(app),
    }
    app.close()
    return found


def _production(app: Any) -> list[tuple[str, int, float]]:
    """The points of the runs of champions: name, time, value."""
    client = app.registry.client()
    experiments = [e.experiment_id for e in client.search_experiments()]
    return sorted(
        (run.info.run_name, point.timestamp, point.value)
        for run in client.search_runs(experiments, "tags.stage = 'production'")
        for point in client.get_metric_history(run.info.run_id, "production/f1_macro")
    )


def _running(app: Any) -> int:
    client = app.registry.client()
    experiments = [e.experiment_id for e in client.search_experiments()]
    return len(client.search_runs(experiments, "attributes.status = 'RUNNING'"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A deployment about to break, a copy of it to start from, and its end when nothing disturbs the cycle."""
    import evidently  # noqa: F401 - imported once here, so that no forked process has to
    import mlflow  # noqa: F401
    import sklearn  # noqa: F401

    from trueup.flows import cycle  # noqa: F401

    base = tmp_path_factory.mktemp("killed")
    folder, copy = base / "deployment", base / "copy"
    assert in_a_process(lambda: about_to_break(folder, more=ONE_CANDIDATE).close()) == 0
    shutil.copytree(folder, copy)
    assert in_a_process(lambda: run(folder)) == 0
    undisturbed = base / "end.json"
    assert in_a_process(lambda: undisturbed.write_text(repr(end_of(folder)))) == 0
    end = undisturbed.read_text()
    whole = "'champion': 2, 'previous': 1, 'challenger': None"
    assert whole in end, "the cycle must go the whole way, or little is tried"
    return folder, copy, end


@pytest.mark.parametrize(
    "place", [pytest.param(place, id=str(place), marks=() if place in SAMPLE else pytest.mark.slow) for place in PLACES]
)
def test_a_killed_cycle_ends_as_if_nothing_had_happened(
    prepared: tuple[Path, Path, str], place: Place, tmp_path: Path
) -> None:
    """SIGKILL at the place, then the same command: same verdicts, versions, aliases, incidents, mails, predictions."""
    folder, copy, expected = prepared
    shutil.rmtree(folder)  # models know their place by its absolute path, so each case is played at the same one
    shutil.copytree(copy, folder)
    assert in_a_process(lambda: killed_at(place, folder)) == -signal.SIGKILL
    assert in_a_process(lambda: run(folder)) == 0
    found = tmp_path / "end"
    assert in_a_process(lambda: found.write_text(repr(end_of(folder))) and None) == 0
    assert found.read_text() == expected
