"""The composition root: opens what a deployment consists of, and hands it to those who act."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trueup.flows.channel_settings import secrets_of_channel
from trueup.flows.environment import log_in_to_mlflow, name_weights, prepare
from trueup.flows.garbage import collect_rarely
from trueup.flows.settings import Located, Settings, locate
from trueup.storage.actors import account
from trueup.storage.database import Database, open_database
from trueup.storage.deployments import claim
from trueup.storage.errors import ConfigError
from trueup.storage.identity import Settled, settle
from trueup.storage.secrets import keep_out_of_logs, passwords_in, remember
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:  # each part is imported where it is opened: a command pays for what it uses
    from trueup.reports.stored import ReportFiles
    from trueup.storage.alert_lists import AlertLists
    from trueup.storage.archive import Archive
    from trueup.storage.baselines import BaselineLog
    from trueup.storage.check_lists import CheckLists
    from trueup.storage.cycles import CycleLog
    from trueup.storage.incidents import IncidentLog
    from trueup.storage.outbox import Outbox
    from trueup.storage.pauses import PauseLog
    from trueup.storage.predictions import PredictionLog
    from trueup.storage.promotions import PromotionLog
    from trueup.storage.prunings import PruningLog
    from trueup.storage.reading import RecordReader
    from trueup.storage.record_counts import RecordCounts
    from trueup.storage.records.appending import RecordStore
    from trueup.storage.silences import SilenceLog
    from trueup.storage.told_again import ToldAgain
    from trueup.training.registry.registry import Registry

log = logging.getLogger("trueup")

_SECRET_VARIABLES = (
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip


@dataclass(frozen=True)
class App:
    """One open deployment; everything slow is opened at first use."""

    settings: Settings
    config: Path | None
    home: Path
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    settled: Settled | None = None  # which deployment it is; None: nobody else could be it

    def stream(self, name: str) -> StreamSettings:
        return self.settings.stream(name)

    def now(self) -> datetime:
        return self.clock()

    def beside(self, name: str) -> Path:
        """A file that the settings name: a relative one lies beside trueup.toml."""
        return (self.config.parent.absolute() if self.config else Path.cwd()) / name

    @cached_property
    def database(self) -> Database:
        self.home.mkdir(parents=True, exist_ok=True)
        opened = open_database(self.settings.store.url, self.home)
        opened.ask = self._claim
        return opened

    @cached_property
    def archive(self) -> Archive:
        from trueup.storage.archive import Archive

        return Archive(self.settings.store.archive, self.home, self._claim)

    @cached_property
    def store(self) -> RecordStore:
        from trueup.storage.records.appending import RecordStore

        return RecordStore(self.database, self.archive, self.home)

    @cached_property
    def reader(self) -> RecordReader:
        from trueup.feedback.labels import resolve
        from trueup.storage.reading import RecordReader

        return RecordReader(self.database, self.archive, resolve)

    @cached_property
    def predictions(self) -> PredictionLog:
        from trueup.storage.predictions import PredictionLog

        return PredictionLog(self.database, self.archive)

    @cached_property
    def counts(self) -> RecordCounts:
        from trueup.storage.record_counts import RecordCounts

        return RecordCounts(self.database)

    @cached_property
    def cycles(self) -> CycleLog:
        from trueup.storage.cycles import CycleLog

        return CycleLog(self.database)

    @cached_property
    def alert_lists(self) -> AlertLists:
        from trueup.storage.alert_lists import AlertLists

        return AlertLists(self.database)

    @cached_property
    def checks(self) -> CheckLists:
        from trueup.storage.check_lists import CheckLists

        return CheckLists(self.database)

    @cached_property
    def promotions(self) -> PromotionLog:
        from trueup.storage.promotions import PromotionLog

        return PromotionLog(self.database)

    @cached_property
    def prunings(self) -> PruningLog:
        from trueup.storage.prunings import PruningLog

        return PruningLog(self.database)

    @cached_property
    def incidents(self) -> IncidentLog:
        from trueup.storage.incidents import IncidentLog

        return IncidentLog(self.database)

    @cached_property
    def outbox(self) -> Outbox:
        from trueup.storage.outbox import Outbox

        return Outbox(self.database)

    @cached_property
    def pauses(self) -> PauseLog:
        from trueup.storage.pauses import PauseLog

        return PauseLog(self.database)

    @cached_property
    def silences(self) -> SilenceLog:
        from trueup.storage.silences import SilenceLog

        return SilenceLog(self.database)

    @cached_property
    def told_again(self) -> ToldAgain:
        from trueup.storage.told_again import ToldAgain

        return ToldAgain(self.database)

    @cached_property
    def baselines(self) -> BaselineLog:
        from trueup.storage.baselines import BaselineLog

        return BaselineLog(self.database)

    @cached_property
    def report_files(self) -> ReportFiles:
        from trueup.reports.stored import ReportFiles

        return ReportFiles(self.archive)

    @property
    def shares(self) -> dict[str, str]:
        """What lies outside its home folder, without logins: a copy of the home shares it."""
        return shared_places(Located(self.settings, self.config, self.home))

    @cached_property
    def registry(self) -> Registry:
        from trueup.training.registry.registry import Registry

        named = (name for stream in self.settings.streams.values() for name in stream.training.candidates)
        own = {name.partition(":")[0].partition(".")[0] for name in named if ":" in name}
        if self.settings.tracking.block:
            log_in_to_mlflow(self.settings.tracking.block)
        tracking, identity = self.settings.tracking, self.settled.identity if self.settled else None
        roots = tuple(Path(home, "mlflow") for home in (identity.moved_from if identity else ()))
        owner = (identity.id, f"{identity.host}:{identity.path}") if identity else ("", "")
        return Registry(
            tracking.uri, self.home / "mlflow", tuple(sorted(own)), roots, prefix=tracking.prefix, owner=owner,
            trainers={n: one.training.trainer for n, one in self.settings.streams.items()}, beside=self.beside(""),
        )  # fmt: skip

    def _claim(self) -> None:
        """Before anything is written: once it went well it is not asked again."""
        if self.settled is not None and "_claimed" not in self.__dict__:
            claim(self.database, self.settled, self.home, self.now())
            self.__dict__["_claimed"] = True

    @property
    def who(self) -> str:
        """The person who acts, by their account; what a cycle does is `actors.SCHEDULE`'s."""
        return account()

    def close(self) -> None:
        for part in ("registry", "database"):  # only what was opened
            if part in self.__dict__:
                self.__dict__[part].close()


def open_app(config: Path | None = None, home: Path | None = None, *, start: Path | None = None) -> App:
    """The deployment that the settings describe; its home folder is made at need.

    Raises:
        ConfigError: the settings cannot be read.
    """
    return assemble(locate(config, home, start=start))


def assemble(located: Located) -> App:
    collect_rarely()
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
    remember(_secrets(located.settings), apart_from=("trueup", *located.settings.streams))
    keep_out_of_logs()
    name_weights(located.settings.embeddings.weights)
    return App(located.settings, located.file, located.home, settled=_settled(located))


def _secrets(settings: Settings) -> Iterator[str]:
    """The passwords that the settings hold, and the variables that MLflow, PostgreSQL and object stores read."""
    for address in (settings.store.url, settings.store.archive, settings.tracking.uri, settings.site.to):
        yield from passwords_in(address)
    yield settings.smtp.password.get_secret_value()
    for source in [s for stream in settings.streams.values() for s in (stream.source, stream.feedback_source)]:
        yield from (*passwords_in(source.sql), *passwords_in(source.files), source.password.get_secret_value())
    for channel in settings.alerts.channels.values():
        held = (channel.url, channel.key, channel.key_before)
        yield from secrets_of_channel(channel.kind, *(secret.get_secret_value() for secret in held))
    yield from (os.environ.get(name, "") for name in _SECRET_VARIABLES)


def _settled(located: Located) -> Settled | None:
    if not located.settings.streams:
        return None
    try:
        found = settle(located.home, shared_places(located), datetime.now(UTC))
    except OSError as error:
        log.warning("the home folder cannot be written (%s), so nothing is kept of what is done", error.strerror)
        return None
    if found.told:
        log.warning("%s", found.told)
    return found


def shared_places(located: Located) -> dict[str, str]:
    """What of the deployment lies outside its home folder, without logins; a copy of the home shares it."""
    settings, home = located.settings, located.home.resolve()
    named = {
        "store": settings.store.url or str(home / "trueup.db"),
        "archive": settings.store.archive or str(home / "archive"),
        "registry": settings.tracking.uri or str(home / "mlflow.db"),
        "models": str(home / "mlflow") if not settings.tracking.uri.startswith("http") else "",
    }
    found = {name: _place(place) for name, place in named.items()}
    return {name: place for name, place in found.items() if place and not Path(place).is_relative_to(home)}


def _place(named: str) -> str:
    """An address without its login, or a path with all links followed."""
    parts = urlsplit(named)
    if parts.scheme not in ("", "file", "sqlite"):
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    path = named.partition("?")[0].removeprefix("sqlite:///") if parts.scheme != "file" else parts.path
    return str(Path(path).expanduser().resolve()) if path else ""
