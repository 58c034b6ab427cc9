"""A run per champion and year in MLflow: how well it answered, each point at the time of the check that measured it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso
from trueup.training.registry.registry import Registry
from trueup.training.registry.run_tags import LINEAGE, lineage_tags, tags_to_ask_by
from trueup.training.registry.tracking import NOTE, experiment_id

_UNTIL = f"{LINEAGE}checks_until"  # tag of the experiment: the time of the newest check that stands in its runs
_RUN = "production"
_AT_ONCE = 1000  # metrics that MLflow takes in one request


@dataclass(frozen=True)
class MeasuredPoint:
    """What a counted check measured of a champion; the time that it speaks of."""

    version: int
    at: datetime
    metrics: Mapping[str, float]


def recorded_until(registry: Registry, stream: StreamSettings) -> datetime | None:
    """The time of the newest check that was recorded; None: none yet.

    Raises:
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = registry.client().get_experiment_by_name(registry.experiment_name(stream.name))
    except MlflowException as error:
        raise registry.failed(f"the runs of '{stream.name}' in production", error) from error
    said = found.tags.get(_UNTIL) if found else None
    return datetime.fromisoformat(said) if said else None


def record_points(
    registry: Registry, stream: StreamSettings, points: Sequence[MeasuredPoint], *, who: str, description: str
) -> None:
    """Write points into the runs of their champion and year; a point that stands there already is not written twice.

    Its step is the whole hours since the year began (UTC). A run is made with its first point.

    Args:
        who: the owner where the settings name none.
        description: of a run that is made, in Markdown.

    Raises:
        TrueupError: the registry fails; what was written stays, and writing it again changes nothing.
    """
    from mlflow.exceptions import MlflowException

    if not points:
        return
    client = registry.client()
    try:
        experiment = experiment_id(registry, client, stream.name)
        for version, year in dict.fromkeys((point.version, point.at.year) for point in points):
            mine = [point for point in points if (point.version, point.at.year) == (version, year)]
            run_id = _run(registry, client, experiment, stream, version, year, who, description)
            metrics = _metrics(mine, year)
            for first in range(0, len(metrics), _AT_ONCE):
                client.log_batch(run_id, metrics=metrics[first : first + _AT_ONCE])
        newest = max(point.at for point in points)
        client.set_experiment_tag(experiment, _UNTIL, iso(newest))
    except MlflowException as error:
        raise registry.failed(f"the runs of '{stream.name}' in production", error) from error


def _metrics(points: Sequence[MeasuredPoint], year: int) -> list[Any]:
    from mlflow.entities import Metric

    began = datetime(year, 1, 1, tzinfo=UTC)
    return [
        Metric(name, value, int(point.at.timestamp() * 1000), int((point.at - began).total_seconds() // 3600))
        for point in points
        for name, value in point.metrics.items()
    ]


def _run(
    registry: Registry,
    client: Any,
    experiment: str,
    stream: StreamSettings,
    version: int,
    year: int,
    who: str,
    description: str,
) -> str:
    """The id of the run of a champion and year, made where there is none."""
    named = f"v{version} {year}"
    found = client.search_runs([experiment], f"tags.`{LINEAGE}{_RUN}` = '{named}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    tags = next((one.tags for one in registry.versions(stream.name) if one.number == version), {})
    algorithm, feature = (tags.get(name, "") for name in ("algorithm", "feature_type"))
    first = tags_to_ask_by(stream, who=who, algorithm=algorithm, feature=feature, stage=_RUN)
    lineage = lineage_tags({"stream": stream.name, _RUN: named})
    name = f"{year} v{version} in production"
    made = client.create_run(experiment, run_name=name, tags={**first, **lineage, NOTE: description})
    client.set_terminated(made.info.run_id)
    return str(made.info.run_id)
