"""Which versions can answer: what is said before a person changes the champion, and where one is lost."""

from __future__ import annotations

from trueup.flows.app import App
from trueup.flows.check.champion import begin_anew
from trueup.flows.check.predictions import predictor_of
from trueup.storage.errors import ModelUnusable
from trueup.storage.prunings import VERSION
from trueup.storage.stream import StreamSettings


def answerable(app: App, stream: StreamSettings) -> tuple[int, ...]:
    """The versions that MLflow and the store both hold and whose files are read in whole, newest first.

    Raises:
        TrueupError: the registry fails.
    """
    registered = {version.number for version in app.registry.versions(stream.name)}
    pruned = {int(pruning.name) for pruning in app.prunings.of(stream.name, VERSION)}
    found = []
    for record in app.promotions.versions(stream.name):
        if record.version not in registered - pruned:
            continue
        try:
            predictor_of(app, stream, record)
        except ModelUnusable:
            continue
        found.append(record.version)
    return tuple(sorted(found, reverse=True))


def need_answer(app: App, stream: StreamSettings, version: int) -> None:
    """Refuse a version that cannot answer, and name those that can.

    Raises:
        ModelUnusable: it cannot be loaded.
    """
    record = app.promotions.version(stream.name, version)
    assert record is not None  # the caller looked
    try:
        predictor_of(app, stream, record)
    except ModelUnusable as error:
        said = str(error.__cause__ or error)
        raise ModelUnusable(
            f"v{version} of '{stream.name}' cannot answer ({said}), so nothing was changed. "
            + _way_on(stream, [other for other in answerable(app, stream) if other != version])
        ) from error


def _way_on(stream: StreamSettings, versions: list[int]) -> str:
    """What to do where a version cannot answer; `versions`: those that can, newest first."""
    if not versions:
        return (
            "No other version can answer. Restore mlflow.db and mlflow/ of the home folder, or the MLflow server, from "
            f"the backup. {begin_anew(stream)}"
        )
    named = ", ".join(f"v{version}" for version in versions)
    return (
        f"Can answer: {named}. To let one: trueup models promote --to {versions[0]} --force --stream {stream.name} "
        "--why '...'"
    )
