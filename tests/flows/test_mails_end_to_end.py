"""Incidents of a deployment as mails of a real server on loopback: threads, refusals, doubt, and days without one."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from typer.testing import CliRunner

from tests.made_deployments import SETTINGS, TRAINED, WINDOW
from tests.made_mail_servers import Inbox, Scripted, free_port, mail_server
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.notices import add_notice, new_incident
from trueup.flows.app import App, open_app
from trueup.flows.cli.main import cli
from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.incidents import Incident

NAMED = 'to = ["Ann <ann@example.org>"]'
NOTHING_BY_THE_CLOCK = '[alerts]\ndigest = ""\nreminders = ""\n'


@contextmanager
def deployment(folder: Path, port: int, to: str = NAMED, more: str = NOTHING_BY_THE_CLOCK):
    text = SETTINGS.format(window=WINDOW).replace('to = ["oncall@example.org"]', to)
    smtp = f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nfrom = "trueup <trueup@example.org>"\n'
    (folder / "trueup.toml").write_text(text + smtp + more)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    try:
        yield app
    finally:
        app.close()


def happens(app: App, kind: AlertKind, incident: Incident, **more: object) -> None:
    facts = AlertFacts(kind=kind, stream="reviews", as_of=TRAINED, home=str(app.home), codes=incident.codes)
    with app.database.write() as connection:
        add_notice(app, connection, app.stream("reviews"), replace(facts, **more), incident)


def opened(app: App) -> Incident:
    found = new_incident(app, app.stream("reviews"), (Cause.METRIC,), ("PRF-METRIC",), TRAINED, Severity.HIGH)
    with app.database.write() as connection:
        app.incidents.open(connection, found)
    happens(app, AlertKind.INCIDENT_OPENED, found)
    return found


def closed(app: App, incident: Incident) -> None:
    with app.database.write() as connection:
        app.incidents.resolve(connection, incident.id, TRAINED, "quiet")
    happens(app, AlertKind.INCIDENT_RESOLVED, incident)


def later(app: App, **span: float) -> App:
    now = app.now()
    return replace(app, clock=lambda: now + timedelta(**span))


def deaths(app: App) -> list[str]:
    return [d.recipient for notice in app.outbox.newest() for d in notice.deliveries if d.state == "dead"]


def test_all_mails_of_an_incident_are_one_thread(tmp_path: Path) -> None:
    """Opened and closed: one root in both, the first included, and the subject differs by its tag alone."""
    inbox, port = Inbox(), free_port()
    with mail_server(inbox, port), deployment(tmp_path, port) as app:
        incident = opened(app)
        deliver_now(app)
        closed(app, incident)
        deliver_now(app)
    first, last = inbox.mails
    assert {mail["References"] for mail in inbox.mails} == {f"<incident.{incident.id}@example.org>"}
    assert {mail["X-Trueup-Incident"] for mail in inbox.mails} == {incident.id}
    assert first["Subject"].removeprefix("[HIGH] ") == last["Subject"].removeprefix("[CLOSED] ") == incident.stem
    assert first["Message-ID"] != last["Message-ID"]
    assert first["Message-ID"].endswith("@example.org>")


def test_of_three_recipients_one_is_refused(tmp_path: Path) -> None:
    """The others get theirs, once; of the refused one the reason is kept, and the mail lives while it is urgent."""
    inbox, port = Inbox(), free_port()
    three = 'to = ["ann@example.org, gone@example.org", "Bob <bob@example.org>"]'
    with mail_server(inbox, port), deployment(tmp_path, port, three) as app:
        opened(app)
        deliver_now(app)
        deliver_now(later(app, hours=30))
        told = [to for (to,) in inbox.to]
        assert set(told) == {"ann@example.org", "bob@example.org"}
        refused = [d for n in app.outbox.newest() for d in n.deliveries if d.recipient == "gone@example.org"]
        assert {(d.state, d.error) for d in refused if d.error} == {
            ("pending", "gone@example.org was refused: 550 5.1.1 no such user")
        }
        opening = [mail["To"] for mail in inbox.mails if mail["X-Trueup-Incident"]]
        assert sorted(opening) == ["Bob <bob@example.org>", "ann@example.org"]


def test_a_server_that_is_gone_for_three_days_gets_one_mail(tmp_path: Path) -> None:
    """Tried again and again, nothing dies; then one mail tells how things stand, and since when it waited."""
    inbox, port = Inbox(), free_port()
    with deployment(tmp_path, port) as app:
        incident = opened(app)
        for hour in range(0, 72, 6):
            if hour == 30:
                happens(later(app, hours=hour), AlertKind.REFUSED, incident, to_version=2)
            deliver_now(later(app, hours=hour))
        assert deaths(app) == []
        with mail_server(inbox, port):
            deliver_now(later(app, hours=73))
        assert {notice.state for notice in app.outbox.newest()} == {"sent"}
    (mail,) = inbox.mails
    assert mail["Subject"] == f"[HIGH] {incident.stem}"
    text = " ".join(mail.get_body(("plain",)).get_content().split()).lower()
    assert "delivered" in text
    assert "no connection to the mail server" in text


def test_what_opened_and_closed_while_the_server_was_gone_is_told_to_nobody_as_news(tmp_path: Path) -> None:
    """Who never heard of it gets one mail at most, of how it stands: closed."""
    inbox, port = Inbox(), free_port()
    with deployment(tmp_path, port) as app:
        incident = opened(app)
        deliver_now(app)
        closed(app, incident)
        with mail_server(inbox, port):
            deliver_now(later(app, days=3))
    assert [mail["Subject"] for mail in inbox.mails] == [f"[CLOSED] {incident.stem}"]


def test_a_mail_in_doubt_goes_out_again_as_the_same_and_alone(tmp_path: Path) -> None:
    """The line broke after the whole mail was sent: the same Message-ID again, and what came since is another mail."""
    broken = Scripted(body=b"")
    with broken.serving() as port, deployment(tmp_path, port) as app:
        incident = opened(app)
        deliver_now(app)
        happens(app, AlertKind.REFUSED, incident, to_version=2)
    inbox = Inbox()
    with mail_server(inbox, port), deployment(tmp_path, port) as app:
        deliver_now(later(app, hours=1))
        deliver_now(later(app, hours=2))
    first = [line for line in broken.raw[0].splitlines() if line.startswith(b"Message-ID")]
    assert len(broken.raw) == 1
    assert first[0].decode() == f"Message-ID: {inbox.mails[0]['Message-ID']}"
    assert len({mail["Message-ID"] for mail in inbox.mails}) == len(inbox.mails) == 2


TICKETS = """
[[alerts.rules]]
to = ["tickets@example.org"]
auto_submitted = false
"""


def test_a_rule_spares_a_ticket_intake_the_word_that_a_program_wrote(tmp_path: Path) -> None:
    """Only mails to its recipients go without `Auto-Submitted`."""
    inbox, port = Inbox(), free_port()
    with mail_server(inbox, port), deployment(tmp_path, port, more=TICKETS) as app:
        opened(app)
        deliver_now(app)
    assert {mail["To"]: mail["Auto-Submitted"] for mail in inbox.mails} == {
        "Ann <ann@example.org>": "auto-generated",
        "tickets@example.org": None,
    }


LINKS = """
[links]
incident = "https://trueup.example.org/{stream}/{incident}"
report = "https://trueup.example.org/{stream}/reports/{report}"
"""


def test_the_pages_of_mails_can_be_tried_before_one_is_needed(tmp_path: Path) -> None:
    """The test command shows the addresses as a mail has them, and which page there is not yet."""
    inbox, port = Inbox(), free_port()
    with mail_server(inbox, port), deployment(tmp_path, port, more=LINKS) as app:
        incident = opened(app)
        deliver_now(app)
        place = ["--config", str(tmp_path / "trueup.toml"), "--home", str(tmp_path / ".trueup")]
        shown = CliRunner().invoke(cli, ["alerts", "test", "--stream", "reviews", *place])
        document = CliRunner().invoke(cli, ["alerts", "test", "--stream", "reviews", "--json", *place])
    address = f"https://trueup.example.org/reviews/{incident.id}"
    assert json.loads(document.stdout)["links"] == {"report": "", "incident": address}
    assert f"incident: {address}" in shown.stdout
    assert "report: there is none yet" in shown.stdout
    assert address in inbox.mails[0].get_body(("plain",)).get_content()
