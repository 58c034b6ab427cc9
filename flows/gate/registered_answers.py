"""Whether a version that is read back from the registry answers as the model that was fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trueup.flows.app import App
from trueup.storage import snapshots
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import StreamSettings

ReadBack = Callable[
    [App, StreamSettings, VersionRecord, Any], str
]  # why a version does not answer as it did; empty: it does


def difference_in_process(app: App, stream: StreamSettings, record: VersionRecord, model: Any) -> str:
    """Why a version read back from the registry is not the model that was fitted; empty where it is."""
    from trueup.training.gate.fresh_process import difference

    rows = snapshots.load_as_served(app.archive, record.reference, regression=stream.is_regression)
    return difference(stream, rows, model)


def difference_in_fresh_process(app: App, stream: StreamSettings, record: VersionRecord, model: Any) -> str:
    """As `difference_in_process`, of the version as a fresh process reads it back; `model` is not looked at."""
    from trueup.training.gate.fresh_process import Reading, read_back

    return read_back(
        Reading(
            stream=stream.model_dump(mode="json", exclude={"source", "feedback_source"}),  # the model needs neither
            version=record.version,
            reference=record.reference,
            archive=app.settings.store.archive,
            home=str(app.home.absolute()),
            uri=app.registry.uri,
            artifact_root=str(app.registry.artifact_root),
            packages=app.registry.packages,
            prefix=app.registry.prefix,
        )
    )
