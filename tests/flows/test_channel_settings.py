"""Channels in the settings: what they need, where their secrets are, and which recipients name them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import trueup
from trueup.flows.alert.channels.channel import Channel, DeliveryFailed
from trueup.flows.alert.channels.named_channels import named_channel
from trueup.flows.app import open_app
from trueup.flows.settings import Settings, locate
from trueup.storage import secrets
from trueup.storage.errors import ConfigError

REVIEWS = '[streams.reviews]\ntime = "at"\ntext = ["content"]\n[streams.reviews.alerts]\nto = ["channel:ops"]\n'
SLACK_URL = "https://hooks.slack.com/services/T0AAA111/B0BBB222/cccc3333"
TEAMS_URL = "https://x.logic.azure.com:443/workflows/a1b2c3/triggers/manual/paths/invoke?sv=1.0&sig=SIG-42"
WEBHOOK_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VARIABLE = "TRUEUP_ALERTS__CHANNELS__OPS__"


def _settings(folder: Path, channel: str, streams: str = REVIEWS) -> Settings:
    (folder / "trueup.toml").write_text(f"{streams}[alerts.channels.ops]\n{channel}\n")
    return locate(None, None, start=folder).settings


def _channel(settings: Settings) -> Channel:
    return named_channel(settings, "channel:ops", lambda: datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("channel", "variables"),
    [
        ('kind = "slack"', {"URL": SLACK_URL}),
        ('kind = "teams"', {"URL": TEAMS_URL}),
        ('kind = "pagerduty"', {"KEY": "0123456789abcdef"}),
        ('kind = "pagerduty"\nurl = "https://events.eu.pagerduty.com/v2/enqueue"', {"KEY": "0123456789abcdef"}),
        ('kind = "webhook"', {"URL": "https://x.org/hook", "KEY": WEBHOOK_KEY, "KEY_BEFORE": WEBHOOK_KEY}),
    ],
)
def test_secrets_are_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channel: str, variables: dict[str, str]
) -> None:
    """The table in the file says the kind, the variables the rest; nothing of it is shown."""
    for key, value in variables.items():
        monkeypatch.setenv(VARIABLE + key, value)
    settings = _settings(tmp_path, channel)
    assert _channel(settings).send
    assert not [value for value in variables.values() if value in repr(settings)]


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [("slack", "url", SLACK_URL), ("pagerduty", "key", "p4ger-key"), ("webhook", "key_before", WEBHOOK_KEY)],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, kind: str, key: str, value: str) -> None:
    """As the mail server's password is."""
    with pytest.raises(ConfigError, match=f"{VARIABLE}{key.upper()}") as refused:
        _settings(tmp_path, f'kind = "{kind}"\n{key} = "{value}"')
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "variables", "said"),
    [
        ("slack", {"URL": "https://example.org/T0KEN1234567"}, "not one of Slack's incoming webhooks"),
        ("teams", {"URL": "https://x.webhook.office.com/webhookb2/T0KEN1234567"}, "retired the older connectors"),
        ("teams", {"URL": TEAMS_URL, "KEY": "T0KEN1234567"}, "a channel of kind teams has no key"),
        ("pagerduty", {"URL": "http://x.org/T0KEN1234567"}, "the key would cross the network"),
        ("webhook", {"URL": "T0KEN1234567"}, "begin it with https://"),
        ("webhook", {"KEY": "T0KEN1234567"}, "openssl rand -base64 32"),
        ("webhook", {"KEY": WEBHOOK_KEY, "BLOCK": "T0KEN1234567"}, "leave one of them out"),
    ],
)
def test_what_cannot_be_used_is_refused_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, variables: dict[str, str], said: str
) -> None:
    """When the settings are read, by every command, and without the value, which may be a secret for all that."""
    for key, value in variables.items():
        monkeypatch.setenv(VARIABLE + key, value)
    with pytest.raises(ConfigError, match=said) as refused:
        _settings(tmp_path, f'kind = "{kind}"')
    assert "T0KEN1234567" not in str(refused.value)


@pytest.mark.parametrize(
    "naming",
    [
        '[streams.reviews.alerts]\nto = ["channel:ops"]\n',
        '[alerts]\nescalate_after = "1h"\nescalate_to = ["channel:ops"]\n',
        '[[alerts.rules]]\nto = ["channel:ops"]\n',
    ],
)
def test_a_recipient_that_is_no_channel_is_refused(tmp_path: Path, naming: str) -> None:
    """Nobody would be told; those that there are stand beside it."""
    streams = REVIEWS.split("[streams.reviews.alerts]")[0] + naming
    (tmp_path / "trueup.toml").write_text(f'{streams}[alerts.channels.oncall]\nkind = "slack"\n')
    with pytest.raises(ConfigError, match=r"no table \[alerts.channels.ops\] \(channels: 'channel:oncall'\)"):
        locate(None, None, start=tmp_path)


@pytest.mark.parametrize(("kind", "variable"), [("slack", "URL"), ("pagerduty", "KEY"), ("webhook", "URL")])
def test_a_channel_without_its_secret_says_where_to_set_it(tmp_path: Path, kind: str, variable: str) -> None:
    """Commands that send nothing go on; what is to be sent waits, and uses up no try."""
    with pytest.raises(DeliveryFailed, match=VARIABLE + variable) as failure:
        _channel(_settings(tmp_path, f'kind = "{kind}"'))
    assert not failure.value.counts
    assert not failure.value.permanent


def test_secrets_of_a_saved_block_are_used_and_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is saved in Prefect is known to what keeps texts clean before it is used."""
    from prefect.blocks.system import Secret

    monkeypatch.setattr(secrets, "_known", set())
    held = {"url": "https://x.org/hook/t0ken-of-th3-block", "key": WEBHOOK_KEY}
    monkeypatch.setattr(Secret, "load", lambda name, _sync: Secret(value=held))
    settings = _settings(tmp_path, 'kind = "webhook"\nblock = "ops"')
    assert _channel(settings).send
    assert "t0ken-of" not in secrets.without_secrets("POST /hook/t0ken-of-th3-block")
    held["key"] = "short"
    with pytest.raises(DeliveryFailed, match="24 to 64 random bytes"):
        _channel(settings)


def test_a_block_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name and kind, as a fault of the set-up and not of the message."""
    from prefect.blocks.notifications import SlackWebhook

    def missing(name: str, _sync: bool) -> SlackWebhook:
        raise ValueError(f"Unable to find block document named {name} for block type slack-webhook")

    monkeypatch.setattr(SlackWebhook, "load", missing)
    with pytest.raises(DeliveryFailed, match="'team' of channel 'ops' cannot be loaded as SlackWebhook") as failure:
        _channel(_settings(tmp_path, 'kind = "slack"\nblock = "team"'))
    assert not failure.value.counts


def test_secrets_of_channels_are_hidden_from_the_first_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a deployment is enough."""
    monkeypatch.setattr(secrets, "_known", set())
    monkeypatch.setenv(VARIABLE + "URL", SLACK_URL)
    _settings(tmp_path, 'kind = "slack"')
    open_app(tmp_path / "trueup.toml", tmp_path / ".trueup").close()
    for said in (SLACK_URL, "/services/T0AAA111/B0BBB222/cccc3333", "slack://T0AAA111/B0BBB222/cccc3333/"):
        assert "cccc3333" not in secrets.without_secrets(said)


def test_doctor_says_what_a_channel_lacks_and_never_where_it_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads an address in a pasted output could write there."""
    _settings(tmp_path, 'kind = "slack"\n[alerts.channels.team]\nkind = "teams"\nblock = "team"')

    def found() -> dict[str, tuple[bool, str]]:
        with trueup.open(tmp_path / "trueup.toml") as deployment:
            return {x.name: (x.ok, x.said) for x in deployment.doctor() if x.name.startswith("channel ")}

    assert found() == {
        "channel ops": (False, f"Slack: it has no url; set {VARIABLE}URL or block"),
        "channel team": (True, "Teams: Prefect block 'team' is used; `trueup alerts test` tries it"),
    }
    monkeypatch.setenv(VARIABLE + "URL", SLACK_URL)
    assert found()["channel ops"] == (True, "Slack: its secret is set; `trueup alerts test` tries it")
