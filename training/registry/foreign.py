"""A trainer's model as a registered version: fetched, copied, known by its digest, and told where it comes from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from trueup.storage.errors import ModelUnusable, TrueupError
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso
from trueup.training.candidates.recipes import TRAINER
from trueup.training.candidates.run_params import title
from trueup.training.hosts.model_folder import copy_model
from trueup.training.hosts.warm_models import HostedVersion, limits_of
from trueup.training.registry.dataset_inputs import log_snapshot
from trueup.training.registry.registry import HOST_TAG, Registry, Version
from trueup.training.registry.run_tags import lineage_tags, tags_to_ask_by
from trueup.training.registry.tracking import NOTE, experiment_id, log_figures, log_files, name_model
from trueup.training.trainers.returned import ReturnedTraining

_LONGEST = 500  # characters of a parameter, and how many of them are kept
_SCHEMES = ("models:/", "runs:/")


def record_foreign(registry: Registry, stream: StreamSettings, returned: ReturnedTraining) -> Version:
    """Copies the model and registers it as the stream's newest version (no alias moves). Nothing of it is loaded here.

    Raises:
        ModelUnusable: there is no model, or not one that may be taken.
        TrueupError: MLflow fails; no version was registered.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    import mlflow

    with TemporaryDirectory(prefix="trueup-model-") as place:
        came_from, source = _source(registry, returned, Path(place, "fetched"))
        copy = Path(place, "model")
        digest = copy_model(source, copy)
        tags = foreign_tags(stream, returned, digest, came_from)
        name = f"{returned.as_of:%Y-%m-%d} {returned.occasion}"
        noted = {**tags, **({NOTE: returned.description} if returned.description else {})}
        try:
            experiment = experiment_id(registry, client, stream.name)
            with mlflow.start_run(experiment_id=experiment, run_name=name, tags=noted) as run:
                log_figures(client, run.info.run_id, _parameters(returned.result), [returned.metrics])
                log_snapshot(
                    client, run.info.run_id, stream.name, returned.snapshot, returned.snapshot_file, context="training"
                )
                log_files(returned.files)
                mlflow.log_artifacts(str(copy), artifact_path="model")
                name_model(registry, client, stream.name)
                made = client.create_model_version(
                    registry.model_name(stream.name), f"runs:/{run.info.run_id}/model", run.info.run_id, tags=tags,
                    description=returned.description or None,
                )  # fmt: skip
                client.update_run(run.info.run_id, name=f"{name} → v{made.version} {title(returned.recipe)}")
        except (MlflowException, OSError) as error:
            raise TrueupError(
                f"The model that the trainer of stream '{stream.name}' returned could not be written to the model "
                f"registry ({error}), so no version was registered and the champion stays. Check [tracking] and the "
                "free space, then try again."
            ) from error
    return registry.version(stream.name, int(made.version))


def foreign_tags(stream: StreamSettings, returned: ReturnedTraining, digest: str, came_from: str) -> dict[str, str]:
    """What such a version says of itself, with all that it is asked by."""
    limits, result = limits_of(returned.trainer), returned.result
    host = HostedVersion(
        digest=digest,
        python=returned.trainer.python,
        memory=limits.memory,
        answer_s=limits.answer_s,
        env=limits.env,
        classes=returned.classes,
        numeric=tuple(stream.numeric),
    )
    told = {
        "stream": stream.name,
        "cycle": returned.cycle,
        "as_of": iso(returned.as_of) or "",
        "cut_off": iso(returned.cut_off) or "",
        "snapshot": returned.snapshot,
        "commit": returned.commit,
        TRAINER: returned.trainer.name,
        "trainer.model": came_from,
        "trainer.run": str(result.get("external_run") or ""),
        "trainer.commit": str(result.get("commit") or ""),
        HOST_TAG: host.as_text(),
        **returned.lineage,
    }
    first = tags_to_ask_by(
        stream, who=returned.who, algorithm=returned.recipe.model, feature=returned.recipe.feature, stage="challenger"
    )
    return {**first, **lineage_tags(told, returned.recipe)}


def returned_file(registry: Registry, run_id: str, path: str) -> bytes:
    """A file that was kept beside a trainer's model, by its path among the artifacts of the version's run.

    Raises:
        OSError: it is not there.
        TrueupError: the registry fails.
    """
    from mlflow.exceptions import MlflowException

    client = registry.client()
    with TemporaryDirectory(prefix="trueup-file-") as place:
        try:
            return Path(client.download_artifacts(run_id, path, place)).read_bytes()
        except MlflowException as error:
            raise registry.failed(f"'{path}' of run {run_id}", error) from error


def _parameters(result: Mapping[str, Any]) -> dict[str, str]:
    told = result.get("parameters")
    pairs = list(told.items())[:_LONGEST] if isinstance(told, Mapping) else []
    return {str(name)[:200]: str(value)[:_LONGEST] for name, value in pairs}


def _source(registry: Registry, returned: ReturnedTraining, place: Path) -> tuple[str, Path]:
    """What a model was fetched from (empty: the job's folder), by its number, and the folder where it lies."""
    if returned.folder is not None:
        return "", returned.folder
    from mlflow.exceptions import MlflowException

    uri, server = str(returned.result.get("model_uri") or ""), str(returned.result.get("tracking_uri") or "")
    if not uri.startswith(_SCHEMES):
        raise ModelUnusable(
            f"The trainer '{returned.trainer.name}' returned no model: there is no folder model/, and result.json "
            f"names the model_uri '{uri}'. Let it write one of them; a URI begins with models:/ or runs:/."
        )
    known = {registry.uri} | ({os.environ.get("MLFLOW_TRACKING_URI")} if "MLFLOW_TRACKING_URI" in returned.trainer.env
                              else set())  # fmt: skip
    if server and server not in known:
        raise ModelUnusable(
            f"result.json of the trainer '{returned.trainer.name}' names the MLflow server {server}, which these "
            "settings do not name, so nothing was fetched from it: logins are sent to known servers only. Let it write "
            "the model into model/, or name MLFLOW_TRACKING_URI under env of the trainer and set it."
        )
    try:
        return _fetched(server or registry.uri, uri, place)
    except (MlflowException, OSError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise ModelUnusable(
            f"The model {uri} that the trainer '{returned.trainer.name}' returned cannot be fetched from "
            f"{server or registry.uri} ({error}). Let it name a model that is there, or write it into model/."
        ) from error


def _fetched(server: str, uri: str, place: Path) -> tuple[str, Path]:
    import mlflow

    found = mlflow.MlflowClient(tracking_uri=server, registry_uri=server)
    name, at, alias = uri.removeprefix("models:/").partition("@")
    if uri.startswith("models:/") and at:
        uri = f"models:/{name}/{found.get_model_version_by_alias(name, alias).version}"
    elif uri.startswith("models:/") and uri.endswith("/latest"):
        name = name.removesuffix("/latest")
        versions = found.search_model_versions(f"name = '{name}'")
        uri = f"models:/{name}/{max((int(one.version) for one in versions), default=0)}"
    place.mkdir()
    fetched = mlflow.artifacts.download_artifacts(uri, dst_path=str(place), tracking_uri=server, registry_uri=server)
    return uri, Path(fetched)
