"""The composition root: opens what a deployment consists of, and hands it to those who act."""

from __future__ import annotations

import gc
import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.flows.environment import prepare
from trueup.flows.settings import Located, Settings, locate
from trueup.reports.stored import ReportFiles
from trueup.storage.alerts import AlertStore
from trueup.storage.baselines import BaselineLog
from trueup.storage.cycles import CycleLog
from trueup.storage.database import Database, open_database
from trueup.storage.errors import ConfigError
from trueup.storage.pauses import PauseLog
from trueup.storage.promotions import PromotionLog
from trueup.storage.prunings import PruningLog
from trueup.storage.record_counts import RecordCounts
from trueup.storage.silences import SilenceLog
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:  # what brings Arrow or pandas along is imported where it is opened
    from trueup.storage.archive import Archive
    from trueup.storage.predictions import PredictionLog
    from trueup.storage.reading import RecordReader
    from trueup.storage.records import RecordStore
    from trueup.training.registry.registry import Registry

_NEW_OBJECTS = 20_000  # after which Python looks for garbage; after its 700, that is a tenth of a check's time


@dataclass(frozen=True)
class App:
    """One open deployment; everything slow is opened at first use."""

    settings: Settings
    config: Path | None
    home: Path
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def stream(self, name: str) -> StreamSettings:
        return self.settings.stream(name)

    def now(self) -> datetime:
        return self.clock()

    def beside(self, name: str) -> Path:
        """A file that the settings name: a relative one lies beside trueup.toml."""
        return (self.config.parent if self.config else Path.cwd()) / name

    @cached_property
    def database(self) -> Database:
        self.home.mkdir(parents=True, exist_ok=True)
        return open_database(self.settings.store.url, self.home)

    @cached_property
    def archive(self) -> Archive:
        from trueup.storage.archive import Archive

        return Archive(self.settings.store.archive, self.home)

    @cached_property
    def store(self) -> RecordStore:
        from trueup.storage.records import RecordStore

        return RecordStore(self.database, self.archive)

    @cached_property
    def reader(self) -> RecordReader:
        from trueup.storage.reading import RecordReader

        return RecordReader(self.database, self.archive)

    @cached_property
    def predictions(self) -> PredictionLog:
        from trueup.storage.predictions import PredictionLog

        return PredictionLog(self.database)

    @cached_property
    def counts(self) -> RecordCounts:
        return RecordCounts(self.database)

    @cached_property
    def cycles(self) -> CycleLog:
        return CycleLog(self.database)

    @cached_property
    def promotions(self) -> PromotionLog:
        return PromotionLog(self.database)

    @cached_property
    def prunings(self) -> PruningLog:
        return PruningLog(self.database)

    @cached_property
    def alerts(self) -> AlertStore:
        return AlertStore(self.database)

    @cached_property
    def pauses(self) -> PauseLog:
        return PauseLog(self.database)

    @cached_property
    def silences(self) -> SilenceLog:
        return SilenceLog(self.database)

    @cached_property
    def baselines(self) -> BaselineLog:
        return BaselineLog(self.database)

    @cached_property
    def report_files(self) -> ReportFiles:
        return ReportFiles(self.archive)

    @cached_property
    def registry(self) -> Registry:
        from trueup.training.registry.registry import Registry

        own = {
            name.partition(":")[0].partition(".")[0]
            for stream in self.settings.streams.values()
            for name in stream.training.candidates
            if ":" in name
        }
        return Registry(self.settings.tracking.uri, self.home / "mlflow", tuple(sorted(own)))

    @property
    def who(self) -> str:
        """The account that acts, for the audit trail."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "unknown"

    def close(self) -> None:
        if "database" in self.__dict__:
            self.database.close()


def open_app(config: Path | None = None, home: Path | None = None, *, start: Path | None = None) -> App:
    """The deployment that the settings describe; its home folder is made at need.

    Raises:
        ConfigError: the settings cannot be read.
    """
    return assemble(locate(config, home, start=start))


def assemble(located: Located) -> App:
    gc.set_threshold(_NEW_OBJECTS)
    try:
        if located.settings.streams:  # where nothing is configured, nothing is left behind
            located.home.mkdir(parents=True, exist_ok=True)
            prepare(located.home)
    except OSError as error:
        raise ConfigError(
            f"The home folder '{located.home}' cannot be made ({error.strerror}), so nothing can be kept. "
            "Name another with --home or TRUEUP_HOME."
        ) from error
    beside = str(located.file.parent.absolute()) if located.file else None
    if beside and beside not in sys.path:
        sys.path.append(beside)  # a team's own candidates lie beside its settings
    return App(located.settings, located.file, located.home)
