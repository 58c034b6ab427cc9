"""A model that runs elsewhere as a registered version: its place in MLflow, and what its answers are compared with."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from trueup.storage.errors import TrueupError
from trueup.storage.rows import Rows, fills_window, new_content, stack, unique_content
from trueup.storage.stream import StreamSettings
from trueup.training.models.fitting import ordered_classes, targets
from trueup.training.models.metrics import all_metrics
from trueup.training.models.out_of_time import BLOCKS, BLOCKS_OF_SERIES, OutOfTime
from trueup.training.models.recency import window_row_count
from trueup.training.registry.dataset_inputs import log_snapshot
from trueup.training.registry.registry import Registry, Version
from trueup.training.registry.run_tags import lineage_tags, tags_to_ask_by
from trueup.training.registry.tracking import experiment_id, name_model

SERVICE_TAG = "elsewhere"  # the tag of such a version, with the service's own name for it


def missing_for_reference(stream: StreamSettings, answered: Rows) -> str:
    """What a service's version still lacks to be a reference of its own; empty: nothing.

    Args:
        answered: all rows that it answered, in time order, with the labels that count.
    """
    policy = stream.policy
    labels = int(answered.labelled.sum())
    full, wanted = fills_window(policy, answered)
    if full and (labels >= policy.min_labels or len(answered) >= policy.reference):
        return ""
    return (
        f"it answered {len(answered)} records, {labels} of them with a label that counts; a window ({wanted}) with "
        f"{policy.min_labels} labels is needed, or {policy.reference} records where labels do not come"
    )


def model_reference(stream: StreamSettings, answered: Rows, rows: Rows) -> Rows:
    """Its newest answers to content that stands only once in the snapshot `rows`: what later ones are compared with."""
    return unique_content(answered, rows).newest(stream.policy.reference)


def quality_reference(stream: StreamSettings, answered: Rows, rows: Rows) -> OutOfTime:
    """Its labelled answers in the newest blocks of a window each, to content that had not come before the block.

    A service answers before the label is known, so they are out of time as they stand.
    """
    times = rows.meta["time"].to_numpy()
    found = []
    for start, stop in pairwise(_edges(stream, answered)):
        block = answered.take(slice(start, stop))
        before = rows.take(times < block.meta["time"].to_numpy()[0])
        found.append(new_content(block.take(block.labelled), before))
    found = [block for block in found if len(block)]
    numbers = np.repeat(np.arange(len(found)), [len(block) for block in found])
    return OutOfTime(stack(found, stream.columns), numbers.astype(np.int64))


def _edges(stream: StreamSettings, answered: Rows) -> list[int]:
    """Positions that bound whole windows back from the newest row; all rows where not even one fits."""
    backwards = np.arange(1, (BLOCKS_OF_SERIES if stream.series else BLOCKS) + 1)
    n = len(answered)
    if stream.policy.window_span is None:
        starts = n - backwards * window_row_count(stream, answered)
        starts = starts[starts >= 0]
    else:
        times = answered.meta["time"].to_numpy()
        begins = times[-1] - backwards * np.timedelta64(stream.policy.window_span)
        starts = np.searchsorted(times, begins[begins >= times[0]], side="right")
    return sorted({*(int(start) for start in starts), n} if len(starts) else {0, n})


def labelled_metrics(stream: StreamSettings, answered: Rows) -> dict[str, float]:
    """The metrics of labelled answers."""
    judged = answered.take(answered.labelled)
    truth = targets(stream, judged)
    predicted, chances = (judged.meta[column].to_numpy() for column in ("predicted", "score"))
    return all_metrics(stream.task, truth, predicted, chances, ordered_classes(stream, truth))


def register(
    registry: Registry,
    stream: StreamSettings,
    service: str,
    *,
    who: str,
    lineage: Mapping[str, str],
    metrics: Mapping[str, float],
    snapshot_file: str,
) -> Version:
    """Make a service's model the stream's newest version, without a file of its own; no alias moves.

    One that a killed process had registered and nobody took over gets today's tags.

    Args:
        service: how the service calls it.
        who: the account that acts.
        lineage: what it came of, the hash of its snapshot among it.
        snapshot_file: the snapshot's Parquet, path or URL.

    Raises:
        TrueupError: MLflow fails.
    """
    from mlflow.entities import Metric
    from mlflow.exceptions import MlflowException

    told = tags_to_ask_by(stream, who=who, algorithm=SERVICE_TAG, feature=SERVICE_TAG, stage="champion")
    told |= lineage_tags({**lineage, "stream": stream.name, SERVICE_TAG: service})
    left = registry.find_version_by_tag(stream.name, SERVICE_TAG, service)
    if left is not None:
        for key, value in told.items():
            registry.set_tag(stream.name, left.number, key, value)
        return registry.version(stream.name, left.number)
    client = registry.client()
    try:
        run = client.create_run(
            experiment_id(registry, client, stream.name), run_name=f"{SERVICE_TAG} {service}".strip(), tags=told
        )
        now = int(time.time() * 1000)
        known = [Metric(name, value, now, 0) for name, value in metrics.items() if math.isfinite(value)]
        client.log_batch(run.info.run_id, metrics=known)
        log_snapshot(client, run.info.run_id, stream.name, lineage["snapshot"], snapshot_file, context="reference")
        client.log_dict(run.info.run_id, told, "elsewhere/version.json")
        name_model(registry, client, stream.name)
        made = client.create_model_version(
            registry.model_name(stream.name), f"runs:/{run.info.run_id}/elsewhere", run.info.run_id, tags=told
        )
        client.set_terminated(run.info.run_id)
    except (MlflowException, OSError) as error:
        raise TrueupError(
            f"The service's version '{service}' of stream '{stream.name}' could not be registered ({error}), so the "
            "champion stays as it was. Check [tracking] and the free space, then try again."
        ) from error
    return registry.version(stream.name, int(made.version))
