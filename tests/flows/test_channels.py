"""Slack, Teams, PagerDuty and webhooks, against services on loopback that answer as real ones do, or not at all."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_letters import HOSTILE, NOW, hostile_letter, made_envelope, made_letter
from tests.made_services import STALL, Service, made_certificate, serving
from trueup.flows.alert.channels.channel import Channel, DeliveryFailed
from trueup.flows.alert.channels.pagerduty import PagerDutyChannel
from trueup.flows.alert.channels.slack import SlackChannel, for_slack
from trueup.flows.alert.channels.teams import TeamsChannel, _written
from trueup.flows.alert.channels.webhook import WebhookChannel, signature
from trueup.flows.channel_settings import check_url, secrets_of_channel, signing_key
from trueup.reports.alerts.letter import Letter, Standing
from trueup.storage import secrets
from trueup.storage.escaping import for_header

KINDS = ("slack", "teams", "pagerduty", "webhook")
KEY = b"k" * 32
PAGER_KEY = "0123456789abcdef0123456789abcdef"
_PATHS = {
    "slack": "https://hooks.slack.com/services/T0AAA111/B0BBB222/cccc3333",
    "teams": "https://127.0.0.1:{port}/workflows/a1b2c3d4e5f6a7b8/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=SIGnature-of_42",
    "pagerduty": "http://127.0.0.1:{port}/v2/enqueue",
    "webhook": "http://127.0.0.1:{port}/hook/s3cret-t0ken-of-it",
}
Make = Callable[..., Channel]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_certificate(tmp_path_factory.mktemp("tls") / "here.pem")


@pytest.fixture
def service(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Service]:
    """A service that the channel of the test's kind can be pointed at."""
    with serving(certificate if request.node.callspec.params.get("kind") == "teams" else None) as found:
        yield found


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> Make:
    """A channel of a kind at a port of this machine."""

    def made(kind: str, port: int, *, patience: float = 5.0) -> Channel:
        url = _PATHS[kind].format(port=port)
        if kind == "slack":
            from apprise.plugins.slack import NotifySlack

            monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{port}/services")
            return SlackChannel("channel 'ops' (Slack)", url, clock=lambda: NOW, patience=patience)
        if kind == "teams":
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
            return TeamsChannel("channel 'ops' (Teams)", url, clock=lambda: NOW, patience=patience)
        if kind == "pagerduty":
            who = "channel 'ops' (PagerDuty)"
            return PagerDutyChannel(who, PAGER_KEY, clock=lambda: NOW, url=url, patience=patience)
        return WebhookChannel("channel 'ops' (webhook)", url, (KEY,), clock=lambda: NOW, patience=patience)

    return made


def _failed(channel: Channel, letter: Letter | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failure:
        channel.send(letter or made_letter(), made_envelope())
    return failure.value


def _texts(value: Any) -> Iterator[str]:
    """Every text of a message."""
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(part)


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_arrives_once_and_whole(kind: str, service: Service, make: Make) -> None:
    """The four lines, the command and the link, causes and sections."""
    make(kind, service.port).send(made_letter(), made_envelope())
    assert len(service.bodies) == 1
    said = "\n".join(_texts(service.sent()))
    letter = made_letter()
    for part in (*letter.lines, letter.action.command, "refund, delay", "late ag***", "G-SLICE", letter.stem):
        assert part in said
    assert "https://pages.example.org/reviews?report=1&" in said


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_requests_wait_as_long_as_the_service_asks(kind: str, service: Service, make: Make) -> None:
    """Seconds or a date; no try is used up, and the other messages would meet the same."""
    service.answers = [(429, {"Retry-After": "17"}), (429, {"Retry-After": "Sun, 01 Mar 2026 03:02:00 GMT"}), (429, {})]
    channel = make(kind, service.port)
    waits = [_failed(channel) for _ in range(3)]
    assert [f.retry_after for f in waits] == [timedelta(seconds=17), timedelta(minutes=2), None]
    assert all(f.server and not f.counts and not f.permanent and not f.unknown for f in waits)
    assert "429" in waits[0].why


@pytest.mark.parametrize("kind", KINDS)
def test_refused_content_is_tried_once_as_the_four_lines(kind: str, service: Service, make: Make) -> None:
    """And dies where those are refused as well."""
    service.answers = [(400, {}), (202 if kind != "slack" else 200, {}), (400, {})]
    channel = make(kind, service.port)
    channel.send(made_letter(), made_envelope())
    assert len(service.bodies) == 2
    plain = "\n".join(_texts(service.sent()))
    assert all(line in plain for line in made_letter().lines)
    assert "refund" not in plain
    assert "https://pages" not in plain
    failure = _failed(channel)
    assert failure.permanent
    assert len(service.bodies) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "counts"), [(500, True), (503, False)])
def test_a_fault_of_the_service_is_no_fault_of_the_message(
    kind: str, status: int, counts: bool, service: Service, make: Make
) -> None:
    """It stays; a gateway that says that nobody is there uses up no try."""
    service.answers = [(status, {})]
    failure = _failed(make(kind, service.port))
    assert (failure.server, failure.permanent, failure.unknown, failure.counts) == (True, False, False, counts)
    assert len(service.bodies) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [401, 404, 410])
def test_a_place_that_is_gone_takes_no_later_try(kind: str, status: int, service: Service, make: Make) -> None:
    """The letter is dead here, and is told elsewhere."""
    service.answers = [(status, {})]
    failure = _failed(make(kind, service.port))
    assert failure.permanent
    assert not failure.server
    assert len(service.bodies) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_that_never_answers_may_have_taken_it(kind: str, service: Service, make: Make) -> None:
    """It goes out again as the same message, since nobody knows."""
    service.answers = [(STALL, {})]
    failure = _failed(make(kind, service.port, patience=0.2))
    assert (failure.unknown, failure.server, failure.permanent) == (True, True, False)
    assert len(service.bodies) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_where_no_server_is_met_no_try_is_used_up(kind: str, make: Make) -> None:
    """The network may be away for days."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        failure = _failed(make(kind, taken.getsockname()[1]))
    assert (failure.counts, failure.server, failure.unknown) == (False, True, False)


@pytest.mark.parametrize("kind", ["teams"])
@pytest.mark.parametrize("place", ["/powerautomate/automations/direct", "/powerautomate/automations/direct/cu/07"])
def test_the_newer_urls_of_workflows_are_asked_as_they_are(
    kind: str, place: str, service: Service, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Power Automate gives them out since 2025: another place and version, the same card."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    url = _PATHS[kind].format(port=service.port).replace("/workflows", f"{place}/workflows")
    url = url.replace("2016-06-01", "1")
    check_url(kind, url)
    TeamsChannel("w", url, clock=lambda: NOW).send(made_letter(), made_envelope())
    assert service.paths[0].split("?")[0] == urlsplit(url).path
    assert parse_qs(urlsplit(service.paths[0]).query) == parse_qs(urlsplit(url).query)
    assert "RichTextBlock" in service.bodies[0].decode()


@pytest.mark.parametrize("kind", ["teams"])
def test_a_certificate_that_nobody_trusts_gets_nothing(
    kind: str, service: Service, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as no connection, not as a message that may have arrived."""
    channel = make(kind, service.port)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    failure = _failed(channel)
    assert not failure.unknown
    assert "certificate" in failure.why
    assert service.bodies == []


@pytest.mark.parametrize("kind", ["slack"])
def test_an_answer_that_is_not_slacks_is_no_success(kind: str, service: Service, make: Make) -> None:
    """A proxy's page with status 200 has posted nothing."""
    service.said = b"<html>please log in</html>"
    failure = _failed(make(kind, service.port))
    assert failure.server
    assert not failure.permanent


@pytest.mark.parametrize("kind", ["slack"])
def test_slack_for_governments_has_a_host_of_its_own(
    kind: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is meant for it goes nowhere else."""
    from apprise.plugins.slack import NotifySlack

    monkeypatch.setattr(NotifySlack, "webhook_url", "http://127.0.0.1:9/services")
    monkeypatch.setattr(NotifySlack, "webhook_gov_url", f"http://127.0.0.1:{service.port}/services")
    url = _PATHS[kind].replace("slack.com", "slack-gov.com")
    SlackChannel("w", url, clock=lambda: NOW).send(made_letter(), made_envelope())
    assert service.paths == ["/services/T0AAA111/B0BBB222/cccc3333"]
    assert "channel" not in service.sent()


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_stays_text(kind: str, service: Service, make: Make) -> None:
    """No call, link, mention, token of a template or hidden mark of a record comes to life."""
    make(kind, service.port).send(hostile_letter(), made_envelope())
    assert len(service.bodies) == 1
    assert not any(name.startswith("x-evil") for name in service.headers[0])
    sent = service.sent()
    if kind == "webhook":  # as it is: whoever shows it escapes it
        assert sent["data"]["wrong"] == HOSTILE
        return
    said = "\n".join(_texts(sent))
    assert "\u202e" not in said
    assert "\x1b" not in said
    assert "{{app_body}} {{ app_title }}" in said
    for live in ("http://evil", "https://evil", "@here", "www.evil"):
        assert live not in said
    if kind == "slack":
        assert "&lt;!channel&gt; &lt;@\u200bU024BE7LH&gt;" in said
        assert sent["attachments"][0]["text"].count("<") == 1  # the letter's own link
        assert sent["mrkdwn"] is False
    if kind == "teams":
        card = sent["attachments"][0]["content"]
        assert {block["type"] for block in card["body"]} == {"RichTextBlock"}  # no Markdown is read in these
        assert {run["type"] for block in card["body"] for run in block["inlines"]} == {"TextRun"}
        assert "entities" not in card["msteams"]
        assert "<at>Ann</at>" in said


@given(st.one_of(st.text(), st.text("<>&!@{}|[]()/:w.\u200b\\\r\n "), st.just(HOSTILE)))
def test_any_text_is_shown_and_not_obeyed(text: str) -> None:
    """By Slack once its three entities are read, by Teams once the template is."""
    shown = for_slack(text)
    assert not {"<", ">"} & set(shown)
    assert html.unescape(shown).replace("\u200b", "") == for_header(text).replace("\u200b", "")
    assert not re.search(r"://|@\w|\bwww\.", shown)
    card = {"text": text, "more": [text]}
    assert "{{" not in _written(card)
    assert json.loads(_written(card)) == card


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_stands_in_errors_or_logs(
    kind: str, service: Service, make: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is logged by whichever library, at the lowest level, and whatever goes wrong."""
    monkeypatch.setattr(secrets, "_known", set())
    factory = logging.getLogRecordFactory()
    words = _PATHS[kind].format(port=service.port)
    service.said = f"refused: {words} {PAGER_KEY}".encode()
    secrets.remember(secrets_of_channel(kind, words, PAGER_KEY))
    secrets.keep_out_of_logs()
    caplog.set_level(logging.DEBUG)
    try:
        why = []
        for status in (200, 400, 404, 429, 500, STALL):
            service.answers = [(status, {})]
            try:
                make(kind, service.port, patience=0.2).send(made_letter(), made_envelope())
            except DeliveryFailed as failure:
                why.append(f"{failure} {failure.__cause__} {failure.why}")
        why.append(str(_failed(make(kind, 9))))
    finally:
        logging.setLogRecordFactory(factory)
    told = "\n".join((caplog.text, *why))
    assert len(why) >= 5
    for secret in ("cccc3333", "B0BBB222", "T0AAA111", "a1b2c3d4e5f6a7b8", "SIGnature", "s3cret", PAGER_KEY):
        assert secret not in told


@pytest.mark.parametrize("kind", ["webhook"])
@pytest.mark.parametrize("path", ["hook/quiet-word", "quiet-word", "./a/../quiet-word", "quiet-word ü%41?q=loud-word"])
def test_an_address_is_hidden_however_httpx_writes_it(
    kind: str, path: str, service: Service, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put right by its rules, as one line at INFO for each request."""
    monkeypatch.setattr(secrets, "_known", set())
    factory = logging.getLogRecordFactory()
    secrets.keep_out_of_logs()
    caplog.set_level(logging.DEBUG)
    try:
        url = f"http://127.0.0.1:{service.port}/{path}"
        secrets.remember(secrets_of_channel(kind, url))
        WebhookChannel("w", url, (KEY,), clock=lambda: NOW).send(made_letter(), made_envelope())
    finally:
        logging.setLogRecordFactory(factory)
    assert "HTTP Request: POST" in caplog.text
    assert "-word" not in caplog.text


def _events(service: Service) -> list[tuple[str, str]]:
    return [(e.get("event_action", "change"), e.get("dedup_key", "")) for e in map(json.loads, service.bodies)]


@pytest.mark.parametrize("kind", ["pagerduty"])
def test_pagerduty_follows_an_incident(kind: str, service: Service, make: Make) -> None:
    """Opened, acknowledged and closed are one alert, under the incident's id."""
    channel = make(kind, service.port)
    channel.send(made_letter(), made_envelope())
    channel.send(made_letter(standing=Standing.ACKNOWLEDGED, kind="acknowledged"), made_envelope())
    channel.send(made_letter(standing=Standing.CLOSED), made_envelope())
    assert _events(service) == [("trigger", "8c1f"), ("acknowledge", "8c1f"), ("resolve", "8c1f")]
    event = service.sent(0)
    assert event["routing_key"] == PAGER_KEY
    assert (event["payload"]["severity"], event["payload"]["source"]) == ("critical", "ml1")
    assert event["payload"]["summary"].startswith("reviews: more wrong answers since 14 June: 3 in 10")
    assert event["links"][0]["href"] == "https://pages.example.org/reviews?report=1&x=2"


@pytest.mark.parametrize("kind", ["pagerduty"])
def test_pagerduty_follows_each_incident_of_a_letter(kind: str, service: Service, make: Make) -> None:
    """What is over is resolved, though another is open; what is acknowledged before it was told is opened first."""
    channel = make(kind, service.port)
    channel.send(made_letter(incidents=("a", "b"), over=("b",)), made_envelope())
    channel.send(made_letter(incidents=("c",), standing=Standing.ACKNOWLEDGED), made_envelope())
    assert _events(service) == [("trigger", "a"), ("resolve", "b"), ("trigger", "c"), ("acknowledge", "c")]


@pytest.mark.parametrize("kind", ["pagerduty"])
def test_what_is_no_incident_pages_nobody(kind: str, service: Service, make: Make) -> None:
    """A promotion is a change event; a test opens an alert and closes it; what others cannot be told does page."""
    channel = make(kind, service.port)
    channel.send(made_letter(kind="promotion", standing=Standing.NONE, incidents=()), made_envelope())
    channel.send(made_letter(kind="test", standing=Standing.NONE, incidents=()), made_envelope("t@x"))
    channel.send(made_letter(kind="undelivered", standing=Standing.NONE, incidents=()), made_envelope())
    assert service.paths == ["/v2/change/enqueue", *["/v2/enqueue"] * 3]
    assert _events(service)[:3] == [("change", ""), ("trigger", "t@x"), ("resolve", "t@x")]
    assert _events(service)[3] == ("trigger", "undelivered.reviews")
    assert service.sent(1)["payload"]["severity"] == "info"


@pytest.mark.parametrize("kind", ["webhook"])
def test_a_webhook_is_signed_with_both_keys_under_one_id(kind: str, service: Service, make: Make) -> None:
    """The id is the message's at each try, the signature that of Standard Webhooks over what arrived."""
    url = _PATHS[kind].format(port=service.port)
    channel = WebhookChannel("w", url, (KEY, b"b" * 24), clock=lambda: NOW)
    service.answers = [(500, {}), (200, {})]
    _failed(channel)
    channel.send(made_letter(), made_envelope())
    first, second = service.headers
    assert first["webhook-id"] == second["webhook-id"] == "3f2a@example.org"
    at = str(int(NOW.timestamp()))
    assert second["webhook-timestamp"] == at
    wanted = [signature(key, "3f2a@example.org", at, service.bodies[1]) for key in (KEY, b"b" * 24)]
    assert second["webhook-signature"].split(" ") == wanted


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example that the specification's own libraries are tested with."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    said = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("kind", ["webhook"])
def test_the_docs_show_what_arrives_and_how_it_is_verified(kind: str, service: Service, make: Make) -> None:
    """The JSON is that of a letter, and the ten lines of Python know a request of ours from others."""
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text().split("### Webhook")[1]
    shown, verified = (page.split(f"```{mark}\n")[1].split("```")[0] for mark in ("json", "python"))
    channel = WebhookChannel("w", _PATHS[kind].format(port=service.port), (b"o" * 32, KEY), clock=lambda: NOW)
    channel.send(made_letter(), made_envelope())
    assert json.loads(shown) == service.sent()
    told: dict[str, Any] = {}
    exec(verified, told)
    told["time"] = SimpleNamespace(time=NOW.timestamp)
    headers, body = service.headers[0], service.bodies[0]
    key = f"whsec_{base64.b64encode(KEY).decode()}"
    assert told["is_trueups"](key, headers, body)
    assert not told["is_trueups"](key, headers, body + b" ")
    assert not told["is_trueups"](f"whsec_{base64.b64encode(b'x' * 32).decode()}", headers, body)
    told["time"] = SimpleNamespace(time=lambda: NOW.timestamp() + 301)
    assert not told["is_trueups"](key, headers, body)
