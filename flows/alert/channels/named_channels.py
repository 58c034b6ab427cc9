"""The channels of the settings: the one that a recipient names, with its secrets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from trueup.flows.alert.channels.channel import Channel, DeliveryFailed
from trueup.flows.channel_settings import ChannelSettings, check_url, secrets_of_channel, signing_key
from trueup.flows.settings import Settings
from trueup.storage.addresses import CHANNEL
from trueup.storage.secrets import remember

KIND_NAMES = {"slack": "Slack", "teams": "Teams", "pagerduty": "PagerDuty", "webhook": "webhook"}


def named_channel(settings: Settings, recipient: str, clock: Callable[[], datetime]) -> Channel:
    """The channel that a recipient `channel:NAME` names.

    Raises:
        DeliveryFailed: the settings name no such channel (any more), or no secret lets anybody in to it.
    """
    name = recipient.removeprefix(CHANNEL)
    channel = settings.alerts.channels.get(name)
    if channel is None:
        raise DeliveryFailed(
            f"the settings have no table [alerts.channels.{name}]; add it, or take {recipient} out of the recipients",
            permanent=True,
        )
    who = f"channel '{name}' ({KIND_NAMES[channel.kind]})"
    url, key, key_before = _held(name, channel)
    remember(secrets_of_channel(channel.kind, url, key, key_before))
    missing = _lacking(name, channel, url, key, key_before)
    if missing:
        raise _unusable(f"{who} cannot be used: {missing}")
    if channel.kind == "pagerduty":
        from trueup.flows.alert.channels.pagerduty import PagerDutyChannel

        return PagerDutyChannel(who, key, clock=clock, url=url)
    if channel.kind == "webhook":
        from trueup.flows.alert.channels.webhook import WebhookChannel

        keys = tuple(signing_key(one) for one in (key, key_before) if one)
        return WebhookChannel(who, url, keys, clock=clock)
    if channel.kind == "teams":
        from trueup.flows.alert.channels.teams import TeamsChannel

        return TeamsChannel(who, url, clock=clock)
    from trueup.flows.alert.channels.slack import SlackChannel

    return SlackChannel(who, url, clock=clock)


def without_secret(name: str, channel: ChannelSettings) -> str:
    """What the settings lack before a channel can be used; "" for nothing, and where a block would hold it."""
    if channel.block:
        return ""
    return _lacking(name, channel, channel.url.get_secret_value(), channel.key.get_secret_value())


def _lacking(name: str, channel: ChannelSettings, url: str, key: str, key_before: str = "") -> str:
    where = f"save it in the Prefect block '{channel.block}'" if channel.block else "set {} or block"
    variable = f"TRUEUP_ALERTS__CHANNELS__{name.upper()}__"
    if not url and channel.kind != "pagerduty":
        return f"it has no url; {where.format(variable + 'URL')}"
    if not key and channel.kind in ("pagerduty", "webhook"):
        return f"it has no key; {where.format(variable + 'KEY')}"
    try:
        if url:
            check_url(channel.kind, url)
        for one in (key, key_before) if channel.kind == "webhook" else ():
            if one:
                signing_key(one)
    except ValueError as error:
        return str(error)
    return ""


def _held(name: str, channel: ChannelSettings) -> tuple[str, str, str]:
    """url, key and the key before of a channel, from its block where it has one; "" for what there is none of."""
    url, key, key_before = (s.get_secret_value() for s in (channel.url, channel.key, channel.key_before))
    if not channel.block:
        return url, key, key_before
    held = _loaded(name, channel)
    if channel.kind in ("slack", "teams"):
        return held.url.get_secret_value(), "", ""
    values = held.get()
    if not isinstance(values, dict):
        raise _unusable(f"the Prefect block '{channel.block}' of channel '{name}' holds no url and key as a table")
    return str(values.get("url") or url), str(values.get("key", "")), str(values.get("key_before", ""))


def _loaded(name: str, channel: ChannelSettings) -> Any:
    from httpx import HTTPError
    from prefect.blocks.notifications import MicrosoftTeamsWebhook, SlackWebhook
    from prefect.blocks.system import Secret

    kinds: dict[str, Any] = {"slack": SlackWebhook, "teams": MicrosoftTeamsWebhook}
    kind = kinds.get(channel.kind, Secret)
    try:
        return kind.load(channel.block, _sync=True)
    except (ValueError, RuntimeError, OSError, HTTPError) as error:
        raise _unusable(
            f"the Prefect block '{channel.block}' of channel '{name}' cannot be loaded as {kind.__name__} "
            f"({' '.join(str(error).split())[:200]}); save it in Prefect, or set the secrets as variables"
        ) from None


def _unusable(why: str) -> DeliveryFailed:
    return DeliveryFailed(why, server=True, counts=False)
