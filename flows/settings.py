"""Settings: trueup.toml, found upward from the working folder, and TRUEUP_… variables over it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import (
    Field,
    ValidationError,
    model_validator,
)

from trueup.feedback.schema_check import check_schema
from trueup.flows.alert_settings import AlertSettings
from trueup.flows.mail_settings import LinkSettings, SmtpSettings
from trueup.flows.place_settings import (
    EmbeddingSettings,
    ServeSettings,
    SiteSettings,
    StoreSettings,
    TrackingSettings,
)
from trueup.flows.settings_faults import (
    faults_of,
    is_json,
    place_of,
    refused_settings,
    settings_variables,
    shown_value,
)
from trueup.flows.settings_secrets import refuse_secrets
from trueup.reports.alerts.links import links_of_site
from trueup.storage.addresses import CHANNEL
from trueup.storage.errors import ConfigError
from trueup.storage.locations import (
    from_folder,
)
from trueup.storage.policy import Frozen
from trueup.storage.stream import StreamSettings

SETTINGS_FILE = "trueup.toml"


class Settings(Frozen):
    """One deployment: its streams and where its state is kept."""

    streams: dict[str, StreamSettings] = Field(default_factory=dict)
    store: StoreSettings = StoreSettings()
    tracking: TrackingSettings = TrackingSettings()
    smtp: SmtpSettings = SmtpSettings()
    links: LinkSettings = LinkSettings()
    alerts: AlertSettings = AlertSettings()
    serve: ServeSettings = ServeSettings()
    site: SiteSettings = SiteSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()

    @model_validator(mode="before")
    @classmethod
    def _name_streams(cls, values: dict[str, Any]) -> dict[str, Any]:
        streams = values.get("streams")
        if isinstance(streams, dict):
            named = {k: {**v, "name": k} if isinstance(v, dict) else v for k, v in streams.items()}
            return {**values, "streams": named}
        return values

    @model_validator(mode="after")
    def _channels_are_there(self) -> Settings:
        alerts = self.alerts
        named = (
            *(to for stream in self.streams.values() for to in stream.alerts.to),
            *(to for rule in alerts.rules for to in rule.to),
            *alerts.escalate_to,
        )
        unknown = [to for to in named if to.startswith(CHANNEL) and to.removeprefix(CHANNEL) not in alerts.channels]
        if unknown:
            known = ", ".join(f"'{CHANNEL}{name}'" for name in alerts.channels) or "none"
            raise ValueError(
                f"'{unknown[0]}' is told of alerts, but there is no table [alerts.channels."
                f"{unknown[0].removeprefix(CHANNEL)}] (channels: {known}); add it, or name another recipient"
            )
        return self

    @cached_property
    def page_links(self) -> dict[str, str]:
        """Templates of the addresses of pages, by kind: those of `[links]`; without one, those of the site's pages."""
        own = self.links.model_dump()
        site = links_of_site(self.site.url) if self.site.url else {}
        return {kind: own.get(kind) or site.get(kind, "") for kind in {**own, **site}}

    def stream(self, name: str) -> StreamSettings:
        """The stream of this name.

        Raises:
            ConfigError: there is none; the message names those that there are.
        """
        if name not in self.streams:
            known = ", ".join(sorted(self.streams)) or "none; `trueup init` writes a first one"
            raise ConfigError(f"No stream '{name}' is configured (configured: {known}). Nothing was done.")
        return self.streams[name]


@dataclass(frozen=True)
class Located:
    """Settings, the file they came from (None: there is none), and the home folder.

    Relative places in the settings begin at the file's folder already (at the working folder where there is no file).
    """

    settings: Settings
    file: Path | None
    home: Path


def locate(config: Path | None, home: Path | None, *, start: Path | None = None) -> Located:
    """Find and read the settings; the home folder lies beside the file unless it is named.

    Raises:
        ConfigError: the named file does not exist, is not TOML, or does not describe a deployment.
    """
    start = start or Path.cwd()
    named = config or (Path(os.environ["TRUEUP_CONFIG"]) if os.environ.get("TRUEUP_CONFIG") else None)
    if named is not None and not named.is_file():
        raise ConfigError(f"There is no settings file '{named}'. Write one with `trueup init`, or name another.")
    file = named or next((f for d in (start, *start.parents) if (f := d / SETTINGS_FILE).is_file()), None)
    folder = (file.parent if file else start).absolute()
    return Located(_from(folder, load_settings(file)), file, home_beside(folder / SETTINGS_FILE, home))


def home_beside(file: Path, home: Path | None) -> Path:
    """The home folder of settings in `file`, where it is not named."""
    home = home or (Path(os.environ["TRUEUP_HOME"]) if os.environ.get("TRUEUP_HOME") else None)
    return (home or file.parent / ".trueup").absolute()


def _from(folder: Path, settings: Settings) -> Settings:
    """The settings with every place that is kept begun at a folder, so that each command means the same."""
    store, tracking, smtp = settings.store, settings.tracking, settings.smtp
    store = store.model_copy(
        update={"url": from_folder(store.url, folder), "archive": from_folder(store.archive, folder)}
    )
    tracking = tracking.model_copy(update={"uri": from_folder(tracking.uri, folder)})
    smtp = smtp.model_copy(update={"ca": from_folder(smtp.ca, folder)})
    site = settings.site.model_copy(update={"to": from_folder(settings.site.to, folder)})
    streams = {name: _from_stream(folder, stream) for name, stream in settings.streams.items()}
    embeddings = EmbeddingSettings(weights=from_folder(settings.embeddings.weights, folder))
    begun = {
        "streams": streams, "store": store, "tracking": tracking, "smtp": smtp, "site": site, "embeddings": embeddings,
    }  # fmt: skip
    return settings.model_copy(update=begun)


def _from_stream(folder: Path, stream: StreamSettings) -> StreamSettings:
    """A stream with the databases of its sources begun at a folder."""
    named = {"source": stream.source, "feedback_source": stream.feedback_source}
    begun = {k: s.model_copy(update={"sql": from_folder(s.sql, folder)}) for k, s in named.items() if s.sql}
    return stream.model_copy(update=begun) if begun else stream


def load_settings(file: Path | None) -> Settings:
    """The settings of a file (None: defaults) with TRUEUP_… variables over them."""
    if file is None:
        return read_settings("", "")
    try:
        text = file.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except (UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{file.name} cannot be read as text: {error}. Nothing was done.") from None
    return read_settings(text, file.name)


def read_settings(text: str, name: str) -> Settings:
    """The settings that a TOML text of this name (empty: none) describes, with TRUEUP_… variables over it."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not readable as TOML: {error}. Nothing was done.") from None
    stray = [key for key in settings_variables() if not _is_set([key])]
    if stray:
        known = ", ".join(sorted(Settings.model_fields))
        raise ConfigError(f"the variable {stray[0]} sets nothing: the tables are {known}. Nothing was done.")
    refuse_secrets(values, name)
    try:
        settings = _with_variables(values) if _is_set(os.environ) else Settings(**values)
    except ValidationError as error:
        raise refused_settings(faults_of(error, name)) from None
    if unfit := dict((*_unfit_schemas(settings, name), *_unfit_rules(settings, name), *_unfit_spaces(settings, name))):
        raise refused_settings(unfit)
    return settings


def _unfit_schemas(settings: Settings, name: str) -> Iterator[tuple[str, str]]:
    """The streams whose rows no intake could read by their class rules or times: where, and why."""
    for stream in settings.streams.values():
        try:
            check_schema(stream)
        except ConfigError as error:
            yield place_of(("streams", stream.name), name), " ".join(str(error).split())


def _unfit_rules(settings: Settings, name: str) -> Iterator[tuple[str, str]]:
    """The rules of alerts that name a stream that there is not: where, and why."""
    known = ", ".join(sorted(settings.streams)) or "none"
    for place, rule in enumerate(settings.alerts.rules):
        for stream in rule.streams:
            if stream not in settings.streams:
                yield place_of(("alerts", "rules", place, "streams"), name), (
                    f"there is no stream '{stream}', so nobody would be alerted (configured: {known}); fix the "
                    "name, or leave `streams` out for all"
                )


def _unfit_spaces(settings: Settings, name: str) -> Iterator[tuple[str, str]]:
    """The spaces of candidates from which nothing could be drawn: where, and why."""
    for stream in settings.streams.values():
        if stream.training.spaces:
            from trueup.training.candidates.spaces import space_faults

            for where, why, value in space_faults(stream):
                place = place_of(("streams", stream.name, "training", "spaces", *where), name)
                yield place, f"{why} (it is {shown_value(value)})"


def _is_set(variables: Iterable[str]) -> bool:
    """Whether a variable says anything of the settings."""
    own = {f"TRUEUP_{field}".upper() for field in Settings.model_fields}
    return any(key.upper().partition("__")[0] in own for key in variables)


def _with_variables(values: dict[str, Any]) -> Settings:
    """The settings of a file's values with TRUEUP_… variables over them.

    Where none is set this is not called: reading variables takes longer to import than all other settings.
    """
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

    class WithVariables(Settings, BaseSettings):
        model_config = SettingsConfigDict(env_prefix="TRUEUP_", env_nested_delimiter="__", frozen=True, extra="forbid")

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (env_settings, init_settings)

    try:
        return WithVariables(**values)
    except SettingsError as error:
        unread = [key for key in settings_variables() if not is_json(os.environ[key])]
        raise ConfigError(
            f"{' or '.join(unread) or 'A TRUEUP_… variable'} cannot be read ({error}): lists and tables are written as "
            "JSON, as in [\"oncall@example.org\"]. Nothing was done."
        ) from None
