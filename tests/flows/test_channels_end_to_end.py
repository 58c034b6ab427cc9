"""A deployment whose alerts go to channels: what each is told of an incident, from the outbox to the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import trueup
from tests.flows.test_outbox import open_one, put_in, resolve
from tests.made_deployments import SETTINGS, WINDOW
from tests.made_services import Service, serving
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.app import App, open_app
from trueup.flows.promote.manual import acknowledge
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind

ALL = '["channel:chat", "channel:pager", "channel:hook"]'
CHANNELS = """
[alerts.channels.chat]
kind = "slack"
[alerts.channels.pager]
kind = "pagerduty"
url = "http://127.0.0.1:{pager}/v2/enqueue"
[alerts.channels.hook]
kind = "webhook"
"""


class Services:
    """What stands in for Slack, PagerDuty and a receiver of webhooks."""

    def __init__(self, chat: Service, pager: Service, hook: Service) -> None:
        self.chat, self.pager, self.hook = chat, pager, hook

    @property
    def paged(self) -> list[tuple[str, str]]:
        events = [self.pager.sent(number) for number in range(len(self.pager.bodies))]
        return [(event["event_action"], event["dedup_key"]) for event in events]

    @property
    def posted(self) -> list[tuple[str, str]]:
        bodies = [self.hook.sent(number)["data"] for number in range(len(self.hook.bodies))]
        return [(body["kind"], body["standing"]) for body in bodies]


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    from apprise.plugins.slack import NotifySlack

    with serving() as chat, serving() as pager, serving() as hook:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{chat.port}/services")
        variable = "TRUEUP_ALERTS__CHANNELS__"
        monkeypatch.setenv(f"{variable}CHAT__URL", "https://hooks.slack.com/services/T0AAA111/B0BBB222/cccc3333")
        monkeypatch.setenv(f"{variable}PAGER__KEY", "0123456789abcdef")
        monkeypatch.setenv(f"{variable}HOOK__URL", f"http://127.0.0.1:{hook.port}/hook/t0k3n-of-hook")
        monkeypatch.setenv(f"{variable}HOOK__KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        yield Services(chat, pager, hook)


@pytest.fixture
def app(tmp_path: Path, services: Services) -> Iterator[App]:
    settings = SETTINGS.format(window=WINDOW).replace('["oncall@example.org"]', ALL)
    (tmp_path / "trueup.toml").write_text(settings + CHANNELS.format(pager=services.pager.port))
    found = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    yield found
    found.close()


def test_a_test_reaches_each_channel(app: App, services: Services) -> None:
    """`trueup alerts test` tries the whole way; at PagerDuty an alert opens and closes."""
    assert app.config
    with trueup.open(app.config) as deployment:
        (sent,) = deployment.stream("reviews").alerts.test()
    assert sent.state == "sent"
    assert len(services.chat.bodies) == 1
    assert [action for action, _ in services.paged] == ["trigger", "resolve"]
    assert services.posted == [("test", "none")]


def test_each_channel_follows_an_incident_as_it_should(app: App, services: Services) -> None:
    """Opened, acknowledged twice and closed: one alert at PagerDuty; chat is not told who has it."""
    incident = open_one(app, severity=Severity.HIGH)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    deliver_now(app)
    acknowledge(app, incident.id)
    acknowledge(app, incident.id)
    resolve(app, incident)
    deliver_now(app)
    assert services.paged == [(action, incident.id) for action in ("trigger", "acknowledge", "resolve")]
    assert services.posted == [
        ("incident_opened", "open"), ("acknowledged", "acknowledged"), ("incident_resolved", "closed")
    ]  # fmt: skip
    assert len(services.chat.bodies) == 2
    assert f"{app.who} has it" in services.hook.sent(1)["data"]["done"]


def test_what_is_acknowledged_before_it_was_told_is_told_as_one(app: App, services: Services) -> None:
    """PagerDuty hears of both, so that nobody is paged for what somebody has."""
    services.pager.answers = [(503, {}), (202, {})]
    incident = open_one(app, severity=Severity.HIGH)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    deliver_now(app)
    acknowledge(app, incident.id)
    deliver_now(replace(app, clock=lambda: app.now() + timedelta(hours=1)))
    assert services.paged[1:] == [("trigger", incident.id), ("acknowledge", incident.id)]


def test_a_service_that_asks_to_wait_is_waited_for(app: App, services: Services) -> None:
    """`Retry-After` is kept by the outbox; the receiver knows a repeat by its id."""
    services.hook.answers = [(429, {"Retry-After": "600"}), (204, {})]
    put_in(app)
    deliver_now(app)
    deliver_now(replace(app, clock=lambda: app.now() + timedelta(minutes=9)))
    assert len(services.hook.bodies) == 1
    deliver_now(replace(app, clock=lambda: app.now() + timedelta(minutes=11)))
    assert len(services.hook.bodies) == 2
    assert len(services.chat.bodies) == 1
    assert {notice.state for notice in app.outbox.newest()} == {"sent"}
    said = "\n".join(str(notice) for notice in app.outbox.newest())
    assert "t0k3n-of-hook" not in said


def test_a_channel_that_is_gone_is_told_on_another(app: App, services: Services) -> None:
    """Slack's webhook was taken away: PagerDuty pages for it, and the reason holds no address."""
    services.chat.answers = [(404, {})]
    services.chat.said = b"no_service: https://hooks.slack.com/services/T0AAA111/B0BBB222/cccc3333"
    put_in(app)
    deliver_now(app)
    (dead,) = app.outbox.dead()
    assert "answered 404: no_service" in (dead.error or "")
    assert "cccc3333" not in (dead.error or "")
    assert services.paged[-1] == ("trigger", "undelivered.reviews")
    assert ("undelivered", "none") in services.posted
