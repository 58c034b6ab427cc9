"""How a champion did in production stands in MLflow, a run a year, at the time of each check and each only once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.made_rows import make_stream
from trueup.training.registry.production_runs import MeasuredPoint, record_points, recorded_until
from trueup.training.registry.registry import Registry

AT = [datetime(2023, 12, 31, 23, 30, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 9, tzinfo=UTC)]
POINTS = [MeasuredPoint(1, at, {"f1_macro": 0.8 + k / 10}) for k, at in enumerate(AT)]
STREAM = make_stream()


def runs(registry: Registry) -> dict[str, list[tuple[datetime, int, float]]]:
    """By name of the run its points: time, step, value."""
    client = registry.client()
    experiment = client.get_experiment_by_name(registry.experiment_name(STREAM.name))
    return {
        run.info.run_name: [
            (datetime.fromtimestamp(point.timestamp / 1000, UTC), point.step, point.value)
            for point in client.get_metric_history(run.info.run_id, "f1_macro")
        ]
        for run in client.search_runs([experiment.experiment_id])
    }


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry("", tmp_path / "models")


def record(registry: Registry, points: list[MeasuredPoint]) -> None:
    record_points(registry, STREAM, points, who="ada", description="what it shows")


def test_a_year_is_a_run_and_a_check_is_a_point_at_its_time(registry: Registry) -> None:
    """The step is the hour of the year; another champion has a run of its own."""
    record(registry, [*POINTS, MeasuredPoint(2, AT[2], {"f1_macro": 0.5})])
    assert runs(registry) == {
        "2023 v1 in production": [(AT[0], 8759, 0.8)],
        "2024 v1 in production": [(AT[1], 24, 0.9), (AT[2], 192, 1.0)],
        "2024 v2 in production": [(AT[2], 192, 0.5)],
    }
    assert recorded_until(registry, STREAM) == AT[2]


def test_what_is_written_again_after_a_kill_stands_once(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before the time of the last check was noted, the same points and those since are written."""
    from mlflow import MlflowClient

    assert recorded_until(registry, STREAM) is None
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_experiment_tag", lambda *_: None)
        record(registry, POINTS[:2])
    assert recorded_until(registry, STREAM) is None
    record(registry, POINTS)
    record(registry, POINTS[1:])
    assert [value for _, _, value in runs(registry)["2024 v1 in production"]] == [0.9, 1.0]
    assert len(runs(registry)) == 2


def test_the_run_says_what_it_is(registry: Registry) -> None:
    """Who owns it, its stage, and in words what its points are; it is not left running."""
    record(registry, POINTS[:1])
    client = registry.client()
    experiment = client.get_experiment_by_name(registry.experiment_name(STREAM.name))
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["stage"] == "production"
    assert run.data.tags["owner"] == "ada"
    assert run.data.tags["mlflow.note.content"] == "what it shows"
    assert run.data.tags["trueup.production"] == "v1 2023"
