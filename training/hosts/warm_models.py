"""The models of other trainers that answer in this deployment: how each is asked, and the few that are kept warm."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.storage.errors import ModelUnusable
from trueup.storage.trainers.trainer_settings import Trainer
from trueup.training.hosts.model_folder import folder_digest
from trueup.training.hosts.model_host import HostLimits, ModelHost, interpreter

if TYPE_CHECKING:
    from trueup.training.hosts.foreign_model import ForeignModel

_KEPT = 4  # processes at once; of a fifth version the one asked longest ago is ended


@dataclass(frozen=True, kw_only=True)
class HostedVersion:
    """What is kept with a version to ask it by.

    digest: of the model's folder. python: as the settings named it. memory: bytes; 0: no limit. answer_s: seconds.
    classes: none for regression. numeric: the features that are numbers.
    """

    digest: str
    python: str
    memory: int
    answer_s: float
    env: tuple[str, ...]
    classes: tuple[str, ...]
    numeric: tuple[str, ...]

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_text(text: str) -> HostedVersion:
        """What `as_text` wrote.

        Raises:
            ModelUnusable: it was changed.
        """
        try:
            told = json.loads(text)
            return HostedVersion(**{**told, **{name: tuple(told[name]) for name in ("env", "classes", "numeric")}})
        except (ValueError, TypeError, KeyError) as error:
            raise ModelUnusable(
                f"MLflow's tag of how a trainer's model is asked was changed ({error}), so the model answers nothing. "
                "Restore the tracking store, or let another version answer: trueup models rollback --to VERSION"
            ) from error


class WarmModels:
    """Gives a version's model, and keeps the processes of the newest.

    Args:
        trainers: of the streams today, whose limits hold; for a stream without one those kept with the version.
        beside: the folder that a relative path of an interpreter begins at.
    """

    def __init__(self, trainers: Mapping[str, Trainer], beside: Path) -> None:
        self._trainers, self._beside = trainers, beside
        self._models: dict[tuple[str, int], ForeignModel] = {}
        self._lock = threading.Lock()

    def model(self, stream: str, version: int, folder: Path, told: HostedVersion) -> ForeignModel:
        """The model of a version, loaded.

        Raises:
            ModelUnusable: its files are others than registered, or it cannot be loaded where it was trained.
        """
        name, next_step = f"v{version} of '{stream}'", _next_step(stream)
        found = folder_digest(folder) if (folder / "MLmodel").exists() else ""
        if found != told.digest:
            why = "its files are not those that were registered" if found else "its files are gone"
            raise ModelUnusable(
                f"Version {version} of '{stream}' is registered but cannot be loaded ({why}), so it answers nothing "
                "and nothing is promoted over it. Restore its files, or let another version answer: trueup models "
                f"rollback --to VERSION --stream {stream} --why '...'"
            )
        with self._lock:
            model = self._models.pop((stream, version), None)
            if model is None:
                model = self._made(stream, name, folder, told, next_step)
            self._models[stream, version] = model
            for oldest in list(self._models)[:-_KEPT]:
                self._models.pop(oldest).host.close()
        model.host.start()
        return model

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            while self._models:
                self._models.popitem()[1].host.close()

    def _made(self, stream: str, name: str, folder: Path, told: HostedVersion, next_step: str) -> ForeignModel:
        from trueup.training.hosts.foreign_model import ForeignModel  # which imports pandas

        today = self._trainers.get(stream)
        limits = HostLimits(memory=told.memory, answer_s=told.answer_s, env=told.env)
        python = interpreter(told.python, self._beside)
        if today is not None and today.is_set:
            limits = limits_of(today)
            if shutil.which(python) is None:  # the deployment moved, and its settings name where the interpreter is now
                python = interpreter(today.python, self._beside)
        host = ModelHost(name, folder, told.digest, python, limits, next_step=next_step)
        return ForeignModel(host, told.classes, frozenset(told.numeric))


def limits_of(trainer: Trainer) -> HostLimits:
    """What a trainer's settings allow the process that answers for its models."""
    seconds = trainer.answer_span / timedelta(seconds=1)
    return HostLimits(memory=trainer.memory_bytes or 0, answer_s=seconds, env=trainer.env)


def _next_step(stream: str) -> str:
    return (
        f"Nothing was scored. Correct it (python, memory and answer_limit stand under [streams.{stream}.training."
        f"trainer]). In a champion's place another version can answer: trueup models rollback --to VERSION --stream "
        f"{stream} --why '...'"
    )
