"""Passwords that stand in a settings file, where they do not belong: each is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trueup.flows.channel_settings import secret_in_file
from trueup.storage.errors import ConfigError
from trueup.storage.secrets import passwords_in


def refuse_secrets(values: dict[str, Any], file: str) -> None:
    """Raise where the values of a file hold a password.

    Raises:
        ConfigError: one does; the message says which key it is, and where it belongs.
    """
    for key, todo in (*_of_mails(values), *_of_channels(values), *_of_sources(values)):
        raise ConfigError(
            f"{file}: {key} is in the file, where everybody who reads the settings can read it. Remove it, and {todo}; "
            "if the file was shared, change it. Nothing was done."
        )


def _of_mails(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    smtp = values.get("smtp")
    if isinstance(smtp, dict) and "password" in smtp:
        yield "smtp.password", _set_as("TRUEUP_SMTP__PASSWORD")


def _of_channels(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    alerts = values.get("alerts")
    if isinstance(alerts, dict) and (secret := secret_in_file(alerts.get("channels"))):
        variable = f"TRUEUP_ALERTS__CHANNELS__{secret.replace('.', '__').upper()}"
        yield f"alerts.channels.{secret}", _set_as(variable)


def _of_sources(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    streams = values.get("streams")
    for name, stream in streams.items() if isinstance(streams, dict) else ():
        for table in ("source", "feedback_source") if isinstance(stream, dict) else ():
            source = stream.get(table)
            if not isinstance(source, dict):
                continue
            variable = f"TRUEUP_STREAMS__{name.upper()}__{table.upper()}"
            if "password" in source:
                yield f"streams.{name}.{table}.password", _set_as(f"{variable}__PASSWORD")
            if passwords_in(str(source.get("sql", ""))):
                yield f"the password of streams.{name}.{table}.sql", _set_as(f"{variable}__PASSWORD")
            if passwords_in(str(source.get("files", ""))):
                yield f"the password of streams.{name}.{table}.files", f"set the whole URL as {variable}__FILES"


def _set_as(variable: str) -> str:
    return f"set it as {variable} or in a Prefect block"
