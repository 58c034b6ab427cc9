"""The edge to MLflow: model versions, their aliases, and reading them back. Runs are written by `tracking`."""

from __future__ import annotations

import logging
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trueup.storage.errors import ModelUnusable, TrueupError
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.candidates.recipes import Recipe
from trueup.training.hosts.model_folder import size_of_folder
from trueup.training.hosts.warm_models import HostedVersion, WarmModels
from trueup.training.registry.artifact_paths import MODEL_FILE, need_within
from trueup.training.registry.local_store import open_local
from trueup.training.registry.local_tables import Registered, registered_in, versions_in
from trueup.training.registry.mlflow_variables import prepare_mlflow
from trueup.training.registry.run_tags import lineage_tag, recipe_in
from trueup.training.registry.server import MlflowServer
from trueup.training.registry.server_tables import versions_of_server
from trueup.training.registry.trusted_types import read_model

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
OWNER = ("trueup.deployment", "trueup.home")  # tags of a registered model
HOST_TAG = "host"  # the tag of a version of another trainer: how it is asked

_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, zipfile.BadZipFile)


@dataclass(frozen=True, kw_only=True)
class Version:
    """A registered model version, with its tags and aliases."""

    number: int
    run_id: str
    created_at: datetime
    tags: Mapping[str, str]
    aliases: tuple[str, ...]

    @property
    def recipe(self) -> Recipe:
        """How the version was made.

        Raises:
            ModelUnusable: it was not registered by trueup.
        """
        try:
            return recipe_in(self.tags)
        except (KeyError, ValueError) as error:
            raise ModelUnusable(
                f"Version {self.number} does not say how it was made ({error}), so it cannot be made again. "
                "Train a new one: trueup train"
            ) from error


class Registry:
    """Versions of the models of one deployment, one registered name per stream.

    Args:
        uri: of the MLflow server; empty: SQLite beside `artifact_root`.
        artifact_root: folder of the models, where MLflow itself runs on this machine.
        packages: of the team's own candidates, whose types a stored model may hold.
        former_roots: where `artifact_root` lay before the deployment moved.
        prefix: begins the names that a stream has in MLflow.
        owner: the deployment's id, and where its home folder lies.
        trainers: of the streams that have one. beside: the folder that the paths in their settings begin at.
    """

    def __init__(
        self, uri: str, artifact_root: Path, packages: tuple[str, ...] = (), former_roots: tuple[Path, ...] = (),
        *, prefix: str = "", owner: tuple[str, str] = ("", ""),
        trainers: Mapping[str, Trainer] | None = None, beside: Path = Path(),
    ) -> None:  # fmt: skip
        home = artifact_root.parent.resolve()
        self.artifact_root = home / artifact_root.name  # not resolved itself: it may be a link to a larger disk
        self._server = MlflowServer(uri) if uri.startswith(("http://", "https://")) else None
        self.uri = self._server.uri if self._server else uri or f"sqlite:///{home / 'mlflow.db'}"
        self.packages = packages
        self.former_roots = former_roots
        self.prefix = prefix
        self.owner = owner
        self._warm = WarmModels(trainers or {}, beside)
        self._ready = False

    @property
    def is_local(self) -> bool:
        """Whether models are written by this process, not by a server."""
        return self._server is None

    def model_name(self, stream: str) -> str:
        """The name of the stream's registered model."""
        return f"{self.prefix}{stream}"

    def experiment_name(self, stream: str) -> str:
        """The name of the stream's experiment."""
        return f"{self.prefix}trueup-{stream}"

    def need_server(self) -> None:
        """Ask the MLflow server, if there is one, whether it answers; MLflow itself is not imported for that.

        Raises:
            TrueupError: it does not.
        """
        prepare_mlflow()
        if self._server:
            self._server.need_answer()

    def client(self) -> Any:
        """An MLflow client, its store made where there is none yet.

        Raises:
            TrueupError: the store cannot be reached, or the server does not answer.
        """
        self.need_server()
        import mlflow
        from mlflow.exceptions import MlflowException

        # Its first start tells of its tables at a level of its own, on the stream where our failures are read.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        if self.is_local and not self._ready:
            try:
                self._start()
            except (MlflowException, OSError, sqlite3.Error) as error:
                raise TrueupError(
                    f"The model registry at {self.uri} cannot be used ({error}), so no model can be read or "
                    "registered. Check [tracking] uri, and whether its server runs."
                ) from error
            self._ready = True
        return mlflow.MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def owner_of(self, name: str) -> tuple[str, str]:
        """The deployment that made the registered model, as `owner`; empty where MLflow does not say."""
        _, tags = self._registered(name)
        return tags.get(OWNER[0], ""), tags.get(OWNER[1], "")

    def _start(self) -> None:
        open_local(self.uri, self.artifact_root, self.former_roots)

    def alias(self, name: str, alias: str) -> int | None:
        """The version that `alias` points to, or None: a failing registry raises, it is never "no champion"."""
        return self._registered(name)[0].get(alias)

    def _registered(self, name: str) -> Registered:
        """Aliases and tags of the registered model; both empty where there is none."""
        named = self.model_name(name)
        found = registered_in(self.uri, named)
        if found is None and self._server:
            self.need_server()
            found = self._server.registered(named)
        if found:
            return found
        from mlflow.exceptions import MlflowException

        try:
            model = self.client().get_registered_model(named)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}, {}
            raise self.failed(f"the aliases of '{name}'", error) from error
        return {alias: int(version) for alias, version in model.aliases.items()}, dict(model.tags)

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Points `alias` to `version`.

        Raises:
            TrueupError: there is no such version, or the registry fails.
        """
        from mlflow.exceptions import MlflowException

        try:
            self.client().set_registered_model_alias(self.model_name(name), alias, str(version))
        except MlflowException as error:
            raise self.failed(f"the alias '{alias}' of '{name}' to version {version}", error) from error

    def drop_alias(self, name: str, alias: str) -> None:
        """Takes `alias` away; one that points to nothing is left as it is.

        Raises:
            TrueupError: there is no model of this name, or the registry fails.
        """
        from mlflow.exceptions import MlflowException

        try:
            self.client().delete_registered_model_alias(self.model_name(name), alias)
        except MlflowException as error:
            raise self.failed(f"the alias '{alias}' of '{name}'", error) from error

    def set_tag(self, name: str, version: int, key: str, value: str) -> None:
        """Sets one tag of a version, such as `stage`."""
        from mlflow.exceptions import MlflowException

        try:
            self.client().set_model_version_tag(self.model_name(name), str(version), key, value)
        except MlflowException as error:
            raise self.failed(f"tag '{key}' of version {version} of '{name}'", error) from error

    def versions(self, name: str) -> tuple[Version, ...]:
        """All versions of `name`, newest first."""
        named = self.model_name(name)
        made, given, aliases = versions_in(self.uri, named) or versions_of_server(self.client(), named, self.failed)
        tags: dict[int, dict[str, str]] = {number: {} for number, _, _ in made}
        for number, key, value in given:
            tags.setdefault(number, {})[key] = value
        return tuple(
            Version(
                number=number,
                run_id=run_id or "",
                created_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
                tags=tags[number],
                aliases=tuple(sorted(alias for alias, at in aliases if at == number)),
            )
            for number, run_id, milliseconds in sorted(made, reverse=True)
        )

    def version(self, name: str, number: int) -> Version:
        """One version.

        Raises:
            ModelUnusable: the registry does not hold it.
        """
        for version in self.versions(name):
            if version.number == number:
                return version
        raise ModelUnusable(
            f"The registry holds no version {number} of '{name}', so it cannot answer. "
            f"See what there is: trueup models list --stream {name}"
        )

    def find_version_by_tag(self, name: str, key: str, value: str) -> Version | None:
        """The newest version whose lineage says so, such as the one a killed cycle had registered."""
        return next((version for version in self.versions(name) if lineage_tag(version.tags, key) == value), None)

    def load(self, name: str, version: int) -> Any:
        """The model of a version: as it was fitted, or as one of another trainer, which answers in its own process.

        Raises:
            ModelUnusable: it cannot be read, for whatever reason.
        """
        hosted = self._hosted(name, version)
        if hosted is not None:
            return self._read(name, version, lambda folder: self._warm.model(name, version, folder, hosted))
        return self._read(name, version, lambda folder: read_model(folder / MODEL_FILE, self.packages))

    def size(self, name: str, version: int) -> int:
        """Bytes of the file that the model of a version is stored in; of another trainer's of its whole folder.

        Raises:
            ModelUnusable: it is not there.
        """
        if self._hosted(name, version) is not None:
            return int(self._read(name, version, size_of_folder))
        return int(self._read(name, version, lambda folder: (folder / MODEL_FILE).stat().st_size))

    def _hosted(self, name: str, version: int) -> HostedVersion | None:
        """How a version of another trainer is asked; None: it is one of ours."""
        tags = next((known.tags for known in self.versions(name) if known.number == version), {})
        told = lineage_tag(tags, HOST_TAG)
        return None if told is None else HostedVersion.from_text(told)

    def _read(self, name: str, version: int, how: Callable[[Path], Any]) -> Any:
        client = self.client()
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            if self.is_local:
                place = client.get_model_version_download_uri(self.model_name(name), str(version))
                if place.startswith("models:/"):
                    place = client.get_logged_model(place.removeprefix("models:/")).artifact_location
                need_within(self.artifact_root, name, version, place)
            folder = Path(mlflow.artifacts.download_artifacts(f"models:/{self.model_name(name)}/{version}"))
            return how(folder)
        except (MlflowException, *_DAMAGED) as error:
            if self._server and self._server.lost(error):
                raise self.failed(f"reading version {version} of '{name}'", error) from error
            raise ModelUnusable(
                f"Version {version} of '{name}' is registered but cannot be loaded ({type(error).__name__}: {error}), "
                "so it answers nothing and nothing is promoted over it. Restore its files, or let another version "
                f"answer: trueup models rollback --to VERSION --stream {name} --why '...'"
            ) from error

    def close(self) -> None:
        """End the processes that answer for models of other trainers."""
        self._warm.close()

    def failed(self, what: str, error: Exception) -> TrueupError:
        """What is raised where MLflow fails on something."""
        unanswered = self._server.lost(error) if self._server else ""
        if unanswered:
            return TrueupError(f"{unanswered} The request was for {what}; nothing was changed.")
        return TrueupError(
            f"The model registry at {self.uri} failed on {what} ({error}); nothing was changed. Try again."
        )
