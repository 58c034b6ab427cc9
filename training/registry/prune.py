"""Removing a version from MLflow with all that was stored for it, also what `mlflow gc` leaves behind.

Deleting a run in MLflow only hides it, and `mlflow gc` empties the run's own folder: the model, which MLflow 3 keeps
beside the runs, stays. Runs themselves are kept here: their figures are small, and the history speaks of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trueup.training.registry.artifact_paths import is_within, local_path
from trueup.training.registry.registry import Registry
from trueup.training.registry.run_tags import lineage_tag

PRUNED = "pruned"  # the tag of a run whose files are gone


@dataclass(frozen=True)
class Freed:
    """How many bytes went, and the places that could not be emptied, each with why."""

    bytes: int = 0
    left: tuple[str, ...] = ()

    def __add__(self, other: Freed) -> Freed:
        return Freed(self.bytes + other.bytes, self.left + other.left)


def used_elsewhere(registry: Registry, stream: str, version: int, run_id: str) -> str:
    """Which other registered version stands on the files of this version's run; empty where none does.

    Raises:
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    try:
        found = client.search_model_versions(f"run_id = '{run_id}'")
    except MlflowException as error:
        raise registry.failed(f"the versions of run {run_id}", error) from error
    others = [v for v in found if (v.name, int(v.version)) != (registry.model_name(stream), version)]
    return f"v{others[0].version} of '{others[0].name}'" if others else ""


def size_of_version(registry: Registry, stream: str, run_id: str) -> int:
    """How many bytes `remove_version` would free, as far as they can be seen from here.

    Raises:
        TrueupError: the registry fails.
    """
    return sum(_size(registry, place) for place, _ in _places(registry, stream, run_id))


def remove_version(registry: Registry, stream: str, version: int, run_id: str, *, on: str) -> Freed:
    """Take a version out of the registry, then its model and its run's files; `on`: the time that the run's tag names.

    Done again it goes on where it stopped: each step finds what is left.

    Raises:
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    freed = Freed()
    try:
        _unless_gone(lambda: client.delete_model_version(registry.model_name(stream), str(version)))
        for place, model_id in _places(registry, stream, run_id):
            freed += _empty(registry, place)
            if model_id:
                client.delete_logged_model(model_id)
        _unless_gone(lambda: client.set_tag(run_id, PRUNED, on))
    except MlflowException as error:
        raise registry.failed(f"version {version} of '{stream}', which is being removed", error) from error
    return freed


@dataclass(frozen=True)
class Leftover:
    """A stored model that no version stands on: a crash or `mlflow gc` left it."""

    model_id: str
    place: str
    bytes: int


def leftovers(registry: Registry, stream: str) -> tuple[Leftover, ...]:
    """Models that no version of any name stands on, and whose run was cut off or is gone from MLflow for good.

    Raises:
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    found = []
    try:
        experiment = client.get_experiment_by_name(registry.experiment_name(stream))
        token, models = None, list[Any]()
        while experiment is not None:
            page = client.search_logged_models([experiment.experiment_id], page_token=token)
            models, token = [*models, *page], page.token
            if not token:
                break
        for model in models:
            if not model.source_run_id:
                continue  # a person's own
            run = _unless_gone(lambda run_id=model.source_run_id: client.get_run(run_id))
            cut_off = run is not None and run.info.status in ("KILLED", "FAILED")
            ours = run is None or (cut_off and lineage_tag(run.data.tags, "cycle"))
            if ours and not client.search_model_versions(f"run_id = '{model.source_run_id}'"):
                place = model.artifact_location
                found.append(Leftover(model.model_id, place, _size(registry, place)))
    except MlflowException as error:
        raise registry.failed(f"the models of '{stream}' that no version stands on", error) from error
    return tuple(found)


def remove_leftover(registry: Registry, leftover: Leftover) -> Freed:
    """Remove such a model.

    Raises:
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    freed = _empty(registry, leftover.place)
    try:
        _unless_gone(lambda: registry.client().delete_logged_model(leftover.model_id))
    except MlflowException as error:
        raise registry.failed(f"model {leftover.model_id}, which is being removed", error) from error
    return freed


def _places(registry: Registry, stream: str, run_id: str) -> Iterator[tuple[str, str]]:
    """Where files of a run lie, with the id of the logged model that they are, if they are one."""
    from mlflow.exceptions import MlflowException

    client = registry.client()
    try:
        experiment = client.get_experiment_by_name(registry.experiment_name(stream))
        if experiment is not None:
            for model in client.search_logged_models([experiment.experiment_id], f"source_run_id = '{run_id}'"):
                yield model.artifact_location, model.model_id
        run = _unless_gone(lambda: client.get_run(run_id))
    except MlflowException as error:
        raise registry.failed(f"the files of run {run_id}", error) from error
    if run is not None:
        yield run.info.artifact_uri, ""


def _unless_gone(call: Any) -> Any:
    """The call's result, or None where MLflow does not hold what it is about: it was removed before."""
    from mlflow.exceptions import MlflowException

    try:
        return call()
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _out_of_reach(registry: Registry, place: str) -> bool:
    """Whether the place is on the disk of a server, which only the server's keeper can empty."""
    return not registry.is_local and local_path(place) is not None


def _empty(registry: Registry, place: str) -> Freed:
    """Remove all files of a place; what cannot be removed is told, and stops nothing."""
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    if _out_of_reach(registry, place):
        return Freed(0, (f"{place}: it lies on the disk of the MLflow server",))
    folder = local_path(place)
    if folder is not None and not is_within(registry.artifact_root, folder):
        said = f"it lies outside of this deployment's models ({registry.artifact_root}), where nothing is removed"
        return Freed(0, (f"{place}: {said}",))
    try:
        files = get_artifact_repository(place)
        size = _listed(files, None)
        if size:
            files.delete_artifacts()
    except (MlflowException, OSError, ImportError, NotImplementedError) as error:
        return Freed(0, (f"{place}: {error}",))
    if folder is not None:
        _drop_empty(folder)
    return Freed(size)


def _drop_empty(folder: Path) -> None:
    """Remove a model's or a run's own folder, which holds `artifacts` alone."""
    for empty in (folder, folder.parent):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()


def _size(registry: Registry, place: str) -> int:
    from mlflow.exceptions import MlflowException
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    folder = local_path(place)
    if _out_of_reach(registry, place) or (folder is not None and not is_within(registry.artifact_root, folder)):
        return 0
    try:
        return _listed(get_artifact_repository(place), None)
    except (MlflowException, OSError, ImportError, NotImplementedError):
        return 0  # told when it is to be removed


def _listed(files: Any, folder: str | None) -> int:
    """Bytes of all files below a folder of an artifact repository."""
    return sum(
        _listed(files, found.path) if found.is_dir else int(found.file_size or 0)
        for found in files.list_artifacts(folder)
    )
