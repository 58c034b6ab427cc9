"""The outbox of a deployment: who delivers, when, and that nobody is written to twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.made_deployments import SETTINGS, TRAINED, WINDOW
from trueup.flows.admin.doctor import examine
from trueup.flows.alert import transports as transports
from trueup.flows.alert.compose import outbox_item
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.silence import silence
from trueup.flows.app import App, open_app
from trueup.flows.cycle.run import run_cycle
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.alerts import Incident
from trueup.storage.errors import InputError
from trueup.storage.silences import HELD_KINDS


class Taken:
    """A way out that takes everything, and can be told to wait half-way."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def send(self, message: EmailMessage) -> None:
        self.ids.append(message["Message-ID"])
        self.entered.set()
        assert self.go_on.wait(30)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    way = Taken()
    monkeypatch.setattr(transports, "transport_of", lambda settings, maildir: way)
    return way


def opened(folder: Path, settings: str = SETTINGS.format(window=WINDOW)) -> App:
    (folder / "trueup.toml").write_text(settings)
    return open_app(folder / "trueup.toml", folder / ".trueup")


def put_in(app: App) -> str:
    """A mail into the outbox; its Message-ID."""
    facts = AlertFacts(kind=AlertKind.TEST, stream="reviews", as_of=TRAINED, home=str(app.home))
    mail = outbox_item(app, app.stream("reviews"), facts, None)
    with app.database.write() as connection:
        app.alerts.add(connection, mail)
    return mail.message_id


def test_two_who_deliver_at_once_send_each_mail_once(tmp_path: Path, taken: Taken) -> None:
    """The second returns at once, and the first sends what the second had to leave, once it has let go."""
    first, second = opened(tmp_path), opened(tmp_path)
    early = put_in(first)
    taken.go_on.clear()
    working = threading.Thread(target=deliver_now, args=(first,))
    working.start()
    assert taken.entered.wait(30)
    late = put_in(second)
    deliver_now(second)
    assert taken.ids == [early]
    taken.go_on.set()
    working.join(30)
    assert taken.ids == [early, late]
    assert {alert.state for alert in first.alerts.alerts()} == {"sent"}
    first.close()
    second.close()


def test_a_stream_that_tells_nobody_keeps_its_incidents(tmp_path: Path, taken: Taken) -> None:
    """With a server and no address no mail is written that could only die; `doctor` says that nobody is told."""
    settings = SETTINGS.format(window=WINDOW).replace('to = ["oncall@example.org"]', "to = []")
    app = opened(tmp_path, settings + '[smtp]\nhost = "127.0.0.1"\n')
    put_in(app)
    deliver_now(app)
    assert app.alerts.alerts() == []
    assert [f.ok for f in examine(app) if f.name == "stream reviews"] == [False]
    app.close()


def test_dead_alerts_are_told_of_and_revived_for_who_is_named_now(tmp_path: Path, taken: Taken) -> None:
    """`doctor` counts them with the way back; the mended address gets what the wrong one did not."""
    wrong = opened(tmp_path, SETTINGS.format(window=WINDOW).replace("oncall@", "onccall@"))
    put_in(wrong)
    waiting = wrong.alerts.pending()[0]
    wrong.alerts.mark_failed(waiting.id, wrong.now(), "550 no such user", None, remaining=waiting.to)
    wrong.close()
    app = opened(tmp_path)
    found = next(f for f in examine(app) if f.name == "alerts")
    assert not found.ok
    assert "550 no such user" in found.said
    assert "trueup alerts deliver" in found.mend
    deliver_now(app)
    assert taken.ids == []
    deliver_now(app, all_pending=True)
    assert [(a.state, a.to) for a in app.alerts.alerts()] == [("sent", ("oncall@example.org",))]
    app.close()


def incident_mail(app: App, incident: Incident, kind: AlertKind) -> str:
    """A mail of an incident into the outbox; its Message-ID."""
    facts = AlertFacts(
        kind=kind, stream="reviews", as_of=TRAINED, home=str(app.home), codes=incident.codes, to_version=2
    )
    mail = outbox_item(app, app.stream("reviews"), facts, incident)
    with app.database.write() as connection:
        app.alerts.add(connection, mail)
    return mail.message_id


def test_what_is_silenced_waits_and_is_told_when_the_silence_ends(tmp_path: Path, taken: Taken) -> None:
    """Only mails of incidents that stand for silenced codes wait; a changed champion is told of; nothing is lost."""
    app = opened(tmp_path)
    known = Incident(id="known", stream="reviews", cause="drift", codes=("DRF-TEXT",), opened_at=TRAINED)
    wider = Incident(id="wider", stream="reviews", cause="feed", codes=("DRF-TEXT", "DQ-DUP"), opened_at=TRAINED)
    with app.database.write() as connection:
        for incident in (known, wider):
            app.alerts.open(connection, incident)
    made = silence(app, "DRF-TEXT", "3d", "the shop changed its language", stream=None)
    waits = [incident_mail(app, known, kind) for kind in (AlertKind.INCIDENT_OPENED, AlertKind.INCIDENT_RESOLVED)]
    told = [incident_mail(app, known, AlertKind.PROMOTION), incident_mail(app, wider, AlertKind.INCIDENT_OPENED)]
    deliver_now(app, all_pending=True)
    assert sorted(taken.ids) == sorted(told)
    later = replace(app, clock=lambda: made.until)
    deliver_now(later)
    assert sorted(taken.ids) == sorted(told + waits)
    app.close()
    later.close()


def test_a_silence_can_be_ended_and_a_wrong_one_is_refused(tmp_path: Path, taken: Taken) -> None:
    """By incident as well; the newest holds; what names nothing, gives no reason or no span changes nothing."""
    app = opened(tmp_path)
    known = Incident(id="known", stream="reviews", cause="drift", codes=("DRF-TEXT",), opened_at=TRAINED)
    with app.database.write() as connection:
        app.alerts.open(connection, known)
    silence(app, "known", "1w", "seen", stream=None)
    mail = incident_mail(app, known, AlertKind.INCIDENT_OPENED)
    deliver_now(app)
    assert taken.ids == []
    for target, until, why in (("DRF-TXT", "1d", "x"), ("known", "soon", "x"), ("known", "1d", " ")):
        with pytest.raises(InputError, match=r"[Nn]othing was changed"):
            silence(app, target, until, why, stream=None)
    silence(app, "known", "0s", "back at work", stream=None)
    deliver_now(app)
    assert taken.ids == [mail]
    assert set(AlertKind) > HELD_KINDS
    app.close()


def test_a_repeated_cycle_delivers_what_its_crash_left(tmp_path: Path, taken: Taken) -> None:
    """A cycle killed between its end and its mails sends them when it is asked for again."""
    app = opened(tmp_path)
    as_of = app.now()
    run_cycle(app, app.stream("reviews"), as_of)
    left = put_in(app)
    assert run_cycle(app, app.stream("reviews"), as_of)["repeated"]
    assert taken.ids[-1:] == [left]
    app.close()
