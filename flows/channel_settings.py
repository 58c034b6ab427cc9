"""Settings of the channels besides mail, and what of them is secret."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr, model_validator

from trueup.storage.policy import Frozen

CHANNEL_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"  # as variables can name it
KEY_PREFIX = "whsec_"
_SECRETS = ("url", "key", "key_before")
_URLS = {
    "slack": re.compile(r"https://hooks\.slack(-gov)?\.com/services/\w+/\w+/\w+/?"),
    "teams": re.compile(r"https://[\w.-]+(:\d+)?(/\w+)*/workflows/[\w-]+/triggers/manual/paths/invoke/?\?.*\bsig=.+"),
}
_MEANT = {
    "slack": "one of Slack's incoming webhooks (https://hooks.slack.com/services/…)",
    "teams": "one of a Teams workflow (https://….logic.azure.com/workflows/…/triggers/manual/paths/invoke?…&sig=…); "
    "Microsoft has retired the older connectors",
}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class ChannelSettings(Frozen):
    """One channel besides mail; alerts go to it as the recipient `channel:NAME`.

    block: name of a saved Prefect block that holds the secrets: `SlackWebhook`, `MicrosoftTeamsWebhook`, or for the
        other kinds `Secret` with {"url": …, "key": …, "key_before": …}.
    url: where messages are sent. A secret, but for PagerDuty, where it is the region's end point.
    key: PagerDuty's integration key; for a webhook the key that signs, `whsec_` and base64.
    key_before: the webhook's key until now, while it is exchanged: both sign.
    """

    kind: Literal["slack", "teams", "pagerduty", "webhook"]
    block: str = ""
    url: SecretStr = SecretStr("")
    key: SecretStr = SecretStr("")
    key_before: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _can_be_used(self) -> ChannelSettings:
        """Faults are told of the whole table, so that no value is shown."""
        address, keys = self.url.get_secret_value(), (self.key.get_secret_value(), self.key_before.get_secret_value())
        if self.block and (any(keys) or (address and self.kind != "pagerduty")):
            raise ValueError(
                "both a block and a url or key are set, so it is unclear which counts; leave one of them out"
            )
        if address:
            check_url(self.kind, address)
        if self.kind in _URLS and any(keys):
            raise ValueError(f"a channel of kind {self.kind} has no key; its url is the secret")
        if self.kind == "pagerduty" and keys[1]:
            raise ValueError("key_before is for webhooks, which are signed with both keys; PagerDuty takes one key")
        if self.kind == "webhook":
            for key in filter(None, keys):
                signing_key(key)
        return self

    @property
    def takes_acknowledgements(self) -> bool:
        """Whether it is told that somebody has an incident: what pages people, and what programs read."""
        return self.kind in ("pagerduty", "webhook")


def check_url(kind: str, url: str) -> None:
    """Whether a channel of this kind can be reached there.

    Raises:
        ValueError: it cannot; the reason does not hold the address.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("url is no address; begin it with https://")
    if kind in _URLS and not _URLS[kind].fullmatch(url):
        raise ValueError(f"url is not {_MEANT[kind]}")
    if kind == "pagerduty" and parts.scheme == "http" and host not in _THIS_MACHINE:
        raise ValueError("url begins with http://, so the key would cross the network readable by all; use https://")


def signing_key(key: str) -> bytes:
    """The bytes of a webhook's key.

    Raises:
        ValueError: it is none; the reason does not hold it.
    """
    try:
        found = base64.b64decode(key.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error:
        found = b""
    if not key.startswith(KEY_PREFIX) or not 24 <= len(found) <= 64:
        raise ValueError(
            f"a webhook's key is {KEY_PREFIX} and 24 to 64 random bytes in base64; `openssl rand -base64 32` makes them"
        )
    return found


def secrets_of_channel(kind: str, url: str, *keys: str) -> Iterator[str]:
    """What must stand in no log or list: keys, the whole address, and each part of it that lets somebody in."""
    for key in keys:
        yield from (key, key.removeprefix(KEY_PREFIX))
    if not url or kind == "pagerduty":
        return
    parts = urlsplit(url)
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    yield from (url, url.partition("://")[2])
    yield f"//{parts.hostname}{rest}"  # as it is logged where the port goes without saying
    if len(parts.path.strip("/").split("/")) > 1 or parts.query:
        yield rest
    segments = [segment for segment in parts.path.split("/") if segment]
    if kind == "slack":
        yield from ("/".join(segments[-3:]), *segments[-3:])
    for word in (*segments, *(value for _, value in parse_qsl(parts.query))):
        if len(word) >= 10 and re.search(r"\d", word) and word != "2016-06-01":
            yield word


def secret_in_file(channels: Any) -> str:
    """The first key of `[alerts.channels]` in a settings file that belongs into a variable: `ops.url`, or ""."""
    for name, channel in channels.items() if isinstance(channels, dict) else ():
        for key in _SECRETS if isinstance(channel, dict) else ():
            if key in channel and (key, channel.get("kind")) != ("url", "pagerduty"):
                return f"{name}.{key}"
    return ""
