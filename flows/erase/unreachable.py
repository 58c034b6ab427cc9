"""Places that an erasure cannot reach, in words: a person has to see to them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from trueup.flows.app import App
from trueup.storage.locations import is_local
from trueup.storage.secrets import without_secrets
from trueup.storage.stream import StreamSettings


def out_of_reach(app: App, stream: StreamSettings, versions: Sequence[int]) -> Iterator[str]:
    """What may still hold the data: backups always, and what the settings name outside of this machine."""
    settings = app.settings
    yield "Backups of the home folder, the store and the archive, and what was exported: restore none from before."
    if lying := sorted(map(str, Path(tempfile.gettempdir()).glob("trueup-replay-*"))):
        yield f"A replay that is killed leaves rows in its folder. Where none runs, remove: {', '.join(lying)}."
    if stream.source.is_set or stream.feedback_source.is_set:
        yield "The stream's source still holds the rows; whenever they come again they are left out."
    if app.database.engine.dialect.name == "postgresql":
        yield (
            "PostgreSQL keeps deleted rows in its pages until VACUUM, and in its write-ahead log until that is "
            "recycled: run VACUUM, and mind archived log files and replicas."
        )
    if settings.tracking.uri:
        named = ", ".join(f"v{number}" for number in versions)
        yield (
            f"MLflow at {without_secrets(settings.tracking.uri)} keeps runs and models of {named or 'the stream'} as "
            "they were: their artifacts, tags and descriptions."
        )
    if os.environ.get("PREFECT_API_URL"):
        yield "The Prefect server keeps the logs and artifacts of its runs."
    if not is_local(settings.store.archive):
        yield "The archive's file system may keep former versions of its files, as buckets with versioning do."
    if settings.site.to and not _in_home(settings.site.to, app.home):
        yield (
            f"The site at {without_secrets(settings.site.to)} shows its pages of before until it is built again: "
            "trueup site build --afresh."
        )
    if settings.smtp.uses_server or settings.alerts.channels:
        yield "Messages that were delivered lie with their recipients."


def _in_home(place: str, home: Path) -> bool:
    return is_local(place) and Path(place).expanduser().resolve().is_relative_to(home.resolve())
