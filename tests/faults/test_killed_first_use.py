"""A first use that is killed at any of its durable calls, and begun again, comes to the same end."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.faults.test_killed_cycle import in_a_process
from tests.made_deployments import ONE_CANDIDATE, TRAINED, deployed
from trueup.flows.app import open_app
from trueup.flows.audit.verify import verify
from trueup.flows.cycle.train_on_demand import train_now
from trueup.training.registry.registry import Registry

MAKE_STORE = Registry._start  # as it is, before tests put a copy in its place
DURABLE = ("replace", "rename", "fsync")  # of os; and each commit of a database


def first_use(folder: Path) -> None:
    """Settings, records, and the first champion, in a home that is new."""
    app = deployed(folder, more=ONE_CANDIDATE)
    stream = app.stream("reviews")
    if app.registry.alias("reviews", "champion") is None:
        train_now(app, stream, TRAINED)
    app.close()


def stops(folder: Path, at: int, told: Path | None = None) -> None:
    """First use in this process, which is killed before its durable call number `at`; `told` gets how many it made."""
    calls = 0

    def counted(true_call: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            count()
            return true_call(*args, **kwargs)

        return call

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)

    Registry._start = MAKE_STORE  # type: ignore[method-assign]
    for name in DURABLE:
        setattr(os, name, counted(getattr(os, name)))
    sa.event.listen(sa.engine.Engine, "commit", count)
    first_use(folder)
    if told is not None:
        told.write_text(str(calls))


def end_of(folder: Path) -> dict[str, Any]:
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream("reviews")
    first = app.promotions.history("reviews")[-1]  # asked for again, a training that was all but done makes one more
    found = {
        "records": app.counts.records(stream),
        "champion": app.registry.alias("reviews", "champion"),
        "first": (first.kind, str(first.state), first.to_version),
        "wrong": verify(app, stream),
    }
    app.close()
    return found


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_killed_at_any_durable_call_of_first_use_it_begins_again(tmp_path: Path) -> None:
    """Store, archive, MLflow's database, its first version and its alias: whatever half was left is made anew."""
    import evidently  # noqa: F401 - imported once here, so that no forked process has to
    import mlflow  # noqa: F401
    import sklearn  # noqa: F401

    counted, expected, found = (tmp_path / name for name in ("calls", "expected", "found"))
    assert in_a_process(lambda: stops(tmp_path / "whole", 0, counted)) == 0
    assert in_a_process(lambda: expected.write_text(repr(end_of(tmp_path / "whole"))) and None) == 0
    assert "'champion': 1" in expected.read_text()
    assert "'wrong': ()" in expected.read_text()
    for at in range(1, int(counted.read_text()) + 1):
        folder = tmp_path / f"killed{at}"
        assert in_a_process(lambda at=at, folder=folder: stops(folder, at)) == -signal.SIGKILL, at  # type: ignore[misc]
        assert in_a_process(lambda folder=folder: stops(folder, 0)) == 0, at  # type: ignore[misc]
        assert in_a_process(lambda folder=folder: found.write_text(repr(end_of(folder))) and None) == 0, at  # type: ignore[misc]
        assert found.read_text() == expected.read_text(), at
        shutil.rmtree(folder)
