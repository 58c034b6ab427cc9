"""Who is told when, on a moved clock with a real store and mails: quiet hours, reminders, escalation, digests."""

from __future__ import annotations

import email
import email.policy
import mailbox
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.flows.test_commands import Answer, Shell
from trueup.flows.alert import dispatch
from trueup.flows.alert.channels.channel import Channel, DeliveryFailed
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.heartbeat import alerts_overdue
from trueup.flows.alert.notices import add_notice, new_incident
from trueup.flows.alert.routing.clock import write_due
from trueup.flows.app import App, open_app
from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.incidents import Incident
from trueup.storage.pauses import Pause
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.silences import Silence

STREAM = """
[streams.{name}]
id = "id"
time = "at"
text = ["words"]
[streams.{name}.label]
column = "stars"
"""
ANN_AND_BOB = """
[[alerts.rules]]
to = ["Ann <ann@example.org>"]
timezone = "Europe/Berlin"
quiet = "22:00-07:00"

[[alerts.rules]]
to = ["bob@example.org"]
timezone = "America/New_York"
severity = ["high"]
"""
MIDNIGHT = datetime(2026, 6, 3, 23, tzinfo=UTC)  # one in the morning in Berlin, seven in the evening in New York


class Office:
    """A deployment of two streams on a clock that only moves when it is told to."""

    def __init__(self, folder: Path, alerts: str = ANN_AND_BOB, now: datetime = MIDNIGHT) -> None:
        text = STREAM.format(name="reviews") + STREAM.format(name="orders") + alerts
        (folder / "trueup.toml").write_text(text)
        opened = open_app(folder / "trueup.toml", folder / ".trueup")
        self.now = now
        self.app = App(opened.settings, opened.config, opened.home, clock=lambda: self.now)
        self._read: set[str] = set()

    def at(self, moment: datetime) -> list[tuple[str, str]]:
        """Deliver at a time; to whom mails came by it, and their subjects."""
        self.now = moment
        deliver_now(self.app)
        return sorted((str(mail["To"]), str(mail["Subject"])) for mail in self.mails())

    def after(self, **span: float) -> list[tuple[str, str]]:
        """Deliver so much later."""
        return self.at(self.now + timedelta(**span))

    def mails(self) -> list[EmailMessage]:
        """The mails that came since the last look."""
        found = []
        if (self.app.home / "mail").exists():
            box = mailbox.Maildir(self.app.home / "mail", create=False)
            for key in sorted(set(box.keys()) - self._read):
                self._read.add(key)
                mail = email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)
                assert isinstance(mail, EmailMessage)
                found.append(mail)
        return found

    def opens(self, severity: Severity, stream: str = "reviews", cause: Cause = Cause.DRIFT) -> Incident:
        """An incident opens now, and is told of."""
        code = {Cause.DRIFT: "DRF-TEXT", Cause.METRIC: "PRF-METRIC"}.get(cause, cause.upper())
        settings = self.app.stream(stream)
        incident = new_incident(self.app, settings, (cause,), (code,), self.now, severity)
        with self.app.database.write() as connection:
            self.app.incidents.open(connection, incident)
            self._tells(connection, AlertKind.INCIDENT_OPENED, incident)
        return incident

    def tells(self, kind: AlertKind, incident: Incident) -> None:
        """One more notice of an incident."""
        with self.app.database.write() as connection:
            if kind is AlertKind.INCIDENT_RESOLVED:
                self.app.incidents.resolve(connection, incident.id, self.now, "quiet")
            if kind is AlertKind.INCIDENT_WORSE:
                self.app.incidents.change(connection, incident.id, severity=incident.severity)
            self._tells(connection, kind, incident)

    def _tells(self, connection: object, kind: AlertKind, incident: Incident) -> None:
        facts = AlertFacts(kind=kind, stream=incident.stream, as_of=self.now, codes=incident.codes)
        add_notice(self.app, connection, self.app.stream(incident.stream), facts, incident)  # type: ignore[arg-type]

    def acknowledges(self, incident: Incident) -> None:
        with self.app.database.write() as connection:
            self.app.incidents.acknowledge(connection, incident.id, "ann", self.now)


def people(told: Sequence[tuple[str, str]]) -> list[str]:
    """Who got mails, without their names."""
    return [to.rpartition("<")[2].rstrip(">") for to, _ in told]


def test_high_goes_out_at_once_and_low_waits_for_the_morning(tmp_path: Path) -> None:
    """At one in the morning Ann gets the grave one only, and at seven what waited; Bob asked for high alone."""
    office = Office(tmp_path)
    office.opens(Severity.LOW)
    grave = office.opens(Severity.HIGH, "orders", Cause.METRIC)
    assert people(office.after()) == ["ann@example.org", "bob@example.org"]
    office.acknowledges(grave)
    assert office.at(datetime(2026, 6, 4, 4, 59, tzinfo=UTC)) == []
    assert alerts_overdue(office.app) == 0  # it waits as it should
    office.now = datetime(2026, 6, 4, 5, tzinfo=UTC)
    deliver_now(office.app)
    (mail,) = office.mails()
    assert mail["To"] == "Ann <ann@example.org>"
    assert mail["Subject"].startswith("[LOW] reviews: ")
    text = " ".join(mail.get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "delivered 2026-06-04 05:00 UTC, because it came in your quiet hours" in text


def test_the_end_of_quiet_hours_brings_one_message_over_all_streams(tmp_path: Path) -> None:
    """What is still open comes first, what closed overnight after it; nothing comes twice."""
    office = Office(tmp_path)
    over = office.opens(Severity.LOW, "orders")
    office.opens(Severity.LOW, "reviews")
    office.now += timedelta(hours=1)
    office.tells(AlertKind.INCIDENT_RESOLVED, over)
    assert office.after() == []
    office.now = datetime(2026, 6, 4, 5, tzinfo=UTC)
    deliver_now(office.app)
    (mail,) = office.mails()
    assert str(mail["Subject"]) == "[LOW] 2 messages after quiet hours: 1 still open"
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert text.index("reviews:") < text.index("orders:")
    assert office.after(hours=1) == []
    assert not office.app.outbox.pending()


def test_killed_while_it_is_sent_the_same_message_goes_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message over two streams that may have been taken comes again under its id with the same two."""
    office = Office(tmp_path)
    for name in ("reviews", "orders"):
        office.opens(Severity.LOW, name)
    with monkeypatch.context() as dying:
        dying.setattr("trueup.flows.alert.dispatch.way_to", _die)
        with pytest.raises(KeyboardInterrupt):
            office.at(datetime(2026, 6, 4, 5, tzinfo=UTC))
    office.opens(Severity.LOW, "reviews", Cause.FEED)
    office.now += timedelta(minutes=1)
    deliver_now(office.app)
    mails = {str(mail["Subject"]): str(mail["Message-ID"]) for mail in office.mails()}
    repeated = mails.pop("[LOW] 2 messages after quiet hours: 2 still open")
    assert len(mails) == 1
    told = [d for n in office.app.outbox.newest(limit=None) for d in n.deliveries]
    assert [f"<{d.message_id}>" for d in told].count(repeated) == 2


def test_a_rise_to_high_goes_out_through_quiet_hours_silence_and_acknowledgement(tmp_path: Path) -> None:
    """It takes along what waited of its incident, and reaches who asks for high only as well."""
    office = Office(tmp_path)
    incident = office.opens(Severity.LOW)
    office.acknowledges(incident)
    until = office.now + timedelta(days=9)
    office.app.silences.add(
        Silence(stream="reviews", target=incident.id, until=until, at=office.now, who="ann", why="known")
    )
    assert office.after(minutes=5) == []
    risen = Incident(**{**incident.__dict__, "severity": "high"})
    office.tells(AlertKind.INCIDENT_WORSE, risen)
    told = office.after(minutes=5)
    assert people(told) == ["ann@example.org", "bob@example.org"]
    assert all(subject.startswith("[HIGH] reviews: ") for _, subject in told)
    assert office.at(datetime(2026, 6, 4, 12, tzinfo=UTC)) == []


def test_closed_reaches_everybody_who_was_told_and_nobody_else(tmp_path: Path) -> None:
    """Bob, who gets high only, was told of the grave incident and of its end, and never of the light one."""
    office = Office(tmp_path, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    light, grave = office.opens(Severity.LOW), office.opens(Severity.HIGH, "orders", Cause.METRIC)
    office.after()
    for incident in (light, grave):
        office.tells(AlertKind.INCIDENT_RESOLVED, incident)
    assert Counter(people(office.after(hours=1))) == {"ann@example.org": 2, "bob@example.org": 1}


def test_reminders_come_until_somebody_has_it(tmp_path: Path) -> None:
    """After 4 and 8 hours, then daily, asked every half hour: each once; none after the acknowledgement."""
    office = Office(tmp_path, '[alerts]\ndigest = ""\n' + ANN_AND_BOB, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    began = office.now
    incident = office.opens(Severity.HIGH, cause=Cause.METRIC)
    assert len(office.after()) == 2
    told_at = []
    for _ in range(2 * 60):
        if told := office.after(minutes=30):
            assert people(told) == ["ann@example.org", "bob@example.org"]
            told_at.append((office.now - began) / timedelta(hours=1))
    assert told_at == [4, 8, 24, 48]
    office.acknowledges(incident)
    assert not any(office.after(hours=8) for _ in range(12))


def test_after_a_week_only_the_digest_speaks_of_it(tmp_path: Path) -> None:
    """Seven days, nine reminders; afterwards one mail a week, and it has the incident first."""
    office = Office(tmp_path, now=datetime(2026, 6, 2, 12, tzinfo=UTC))  # a Tuesday
    office.opens(Severity.HIGH, cause=Cause.METRIC)
    office.after()
    told = [one for _ in range(12 * 21) for one in office.after(hours=2)]
    subjects = Counter(subject for to, subject in told if "bob" in to)
    digests = {subject: count for subject, count in subjects.items() if subject.startswith("week to")}
    assert list(digests.values()) == [1, 1, 1]
    assert all("1 open incident" in subject for subject in digests)
    assert sum(subjects.values()) - 3 == 9


def test_nobody_is_reminded_of_what_is_silenced_paused_or_closed(tmp_path: Path) -> None:
    """Three grave incidents, and nothing more to say of any of them."""
    office = Office(tmp_path, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    silent, closed = office.opens(Severity.HIGH, cause=Cause.METRIC), office.opens(Severity.HIGH, cause=Cause.CYCLE)
    office.opens(Severity.HIGH, "orders", Cause.METRIC)
    office.after()
    office.app.silences.add(
        Silence(
            stream="reviews", target=silent.id, until=office.now + timedelta(days=9), at=office.now, who="a", why="b"
        )
    )
    office.app.pauses.add(Pause(stream="orders", paused=True, at=office.now, who="a", why="b"))
    office.tells(AlertKind.INCIDENT_RESOLVED, closed)
    office.after(minutes=1)
    assert not any(office.after(hours=2) for _ in range(18))


def test_nobody_is_reminded_where_nothing_is_left_to_do(tmp_path: Path) -> None:
    """A new version answers the fall of the metric, so waiting is all there is; without it there would be reminders."""
    office = Office(tmp_path, '[alerts]\ndigest = ""\n' + ANN_AND_BOB, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    incident = office.opens(Severity.HIGH, cause=Cause.METRIC)
    attempt = PromotionAttempt(
        stream="reviews", kind=PromotionKind.CHALLENGER, state=PromotionState.COMMITTED, from_version=1, to_version=2,
        as_of=office.now, at=office.now, who="trueup (schedule)", why="", codes=(), labels=0,
        gate={"passed": True, "tests": []},
    )  # fmt: skip
    facts = AlertFacts(kind=AlertKind.PROMOTION, stream="reviews", as_of=office.now, from_version=1, to_version=2)
    with office.app.database.write() as connection:
        office.app.promotions.add(connection, attempt)
        add_notice(office.app, connection, office.app.stream("reviews"), facts, incident)
    assert len(office.after()) == 2
    assert not any(office.after(hours=2) for _ in range(30))


def test_a_reminder_that_waits_is_dropped_once_somebody_has_the_incident(tmp_path: Path) -> None:
    """The mail folder cannot be written when it is due; by the time that it can, there is nobody to remind."""
    office = Office(tmp_path, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    incident = office.opens(Severity.HIGH, cause=Cause.METRIC)
    office.after()
    folder = office.app.home / "mail"
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder")
    office.now += timedelta(hours=4)
    deliver_now(office.app)
    assert [n.kind for n in office.app.outbox.pending()] == ["reminder"]
    folder.unlink()
    folder.with_name("away").rename(folder)
    office.acknowledges(incident)
    assert office.after(hours=2) == []
    assert not office.app.outbox.pending()


ESCALATES = """
[alerts]
reminders = ""
escalate_after = "2h"
escalate_to = ["Cleo <cleo@example.org>"]
"""


def test_others_are_told_once_it_is_old_and_every_mail_before_says_so(tmp_path: Path) -> None:
    """The first mail names Cleo and when, on the reader's clock; after two hours she is told, once, and of the end."""
    office = Office(tmp_path, ESCALATES + ANN_AND_BOB, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    incident = office.opens(Severity.HIGH, cause=Cause.METRIC)
    deliver_now(office.app)
    texts = {str(m["To"]): m.get_body(("plain",)).get_content() for m in office.mails()}  # type: ignore[union-attr]
    ann = " ".join(texts["Ann <ann@example.org>"].split())
    assert "If nobody acknowledges it, Cleo <cleo@example.org> is told on Wed 3 June 16:00 CEST (14:00 UTC)." in ann
    assert "10:00 EDT" in texts["bob@example.org"]
    assert office.after(minutes=119) == []
    assert people(office.after(minutes=1)) == ["cleo@example.org"]
    assert office.after(hours=9) == []
    office.tells(AlertKind.INCIDENT_RESOLVED, incident)
    assert people(office.after(hours=1)) == ["ann@example.org", "cleo@example.org", "bob@example.org"]
    assert not any(office.after(hours=8) for _ in range(9))


def test_one_word_takes_an_incident_a_stream_or_all(tmp_path: Path) -> None:
    """`ack` asks which; `--stream` and `--all` leave alone what somebody has already."""
    office, shell = Office(tmp_path), Shell(tmp_path)
    ours, second = office.opens(Severity.LOW), office.opens(Severity.HIGH, cause=Cause.METRIC)
    theirs = office.opens(Severity.LOW, "orders")
    for wrong in ("alerts ack", f"alerts ack {ours.id} --all", "alerts ack --all --stream reviews"):
        assert "Say what you have" in shell(wrong, 2).err
    shell("alerts ack --stream nowhere", 2)
    assert _taken(shell(f"alerts ack {ours.id}")) == {ours.id}
    assert _taken(shell("alerts ack --stream reviews")) == {second.id}
    assert _taken(shell("alerts ack --all")) == {theirs.id}
    assert _taken(shell("alerts ack --all")) == set()


def _taken(answer: Answer) -> set[str]:
    assert all(i["acknowledged_by"] and not i["resolved_at"] for i in answer.document["incidents"])
    return {i["id"] for i in answer.document["incidents"]}


@pytest.mark.slow
def test_a_year_of_digests_comes_once_a_week_to_each_on_their_own_clock(tmp_path: Path) -> None:
    """52 mails a person, at nine on their Monday and not a minute before, also when the clock was changed."""
    office = Office(tmp_path, now=datetime(2026, 1, 1, 12, tzinfo=UTC))
    assert office.after() == []
    zones = {"Ann <ann@example.org>": ZoneInfo("Europe/Berlin"), "bob@example.org": ZoneInfo("America/New_York")}
    nine = [
        datetime(2026, 1, 1, 9, tzinfo=zone) + timedelta(days=day)
        for day in range(1, 366)
        for zone in zones.values()
        if day % 7 in (3, 4)  # Sundays and Mondays
    ]
    came: dict[str, list[datetime]] = {to: [] for to in zones}
    for moment in sorted(at.astimezone(UTC) for at in nine):
        for near in (moment - timedelta(minutes=1), moment) if moment.weekday() == 0 else (moment,):
            for to, subject in office.at(near):
                assert subject.startswith("week to ")
                came[to].append(near)
    for to, zone in zones.items():
        shown = [at.astimezone(zone) for at in came[to]]
        assert {(at.weekday(), at.hour, at.minute) for at in shown} == {(0, 9, 0)}
        assert len({at.isocalendar()[:2] for at in shown}) == len(shown) == 52


def test_others_hear_of_somebody_whom_no_digest_reaches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bob's address is refused for good: his digest is dead, and Ann is told so, once."""
    office = Office(tmp_path, now=datetime(2026, 6, 7, 12, tzinfo=UTC))  # a Sunday
    office.after()
    sound = dispatch.way_to

    def way_to(app: App, recipient: str) -> Channel:
        if "bob" in recipient:
            raise DeliveryFailed("550 no such user", permanent=True)
        return sound(app, recipient)

    monkeypatch.setattr(dispatch, "way_to", way_to)
    told = [one for _ in range(8 * 24) for one in office.after(hours=1)]
    assert people(told) == ["ann@example.org"] * 3
    assert sum("cannot be delivered" in subject for _, subject in told) == 1


def test_what_cannot_be_read_keeps_no_cycle_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can say whether there is anything to do, somebody is reminded, and delivery goes on."""
    office = Office(tmp_path, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    office.opens(Severity.HIGH, cause=Cause.METRIC)
    office.after()
    monkeypatch.setattr("trueup.flows.alert.routing.clock.situation_of", _broken)
    assert people(office.after(hours=4)) == ["ann@example.org", "bob@example.org"]


def _broken(*_: object, **__: object) -> None:
    raise ValueError("a damaged document")


def test_a_pager_gets_no_digest(tmp_path: Path) -> None:
    """PagerDuty is for waking people; a chat of the same team reads the week."""
    channels = '[alerts.channels.pager]\nkind = "pagerduty"\n[alerts.channels.chat]\nkind = "slack"\n'
    rule = '[[alerts.rules]]\nto = ["channel:pager", "channel:chat"]\n'
    office = Office(tmp_path, rule + channels)
    write_due(office.app)
    office.now += timedelta(days=7)
    write_due(office.app)
    assert [notice.to for notice in office.app.outbox.newest()] == [("channel:chat",)]


def test_two_processes_write_each_digest_and_reminder_once(tmp_path: Path) -> None:
    """A second process with a store of its own connection, at the same moment, adds nothing."""
    office = Office(tmp_path, now=datetime(2026, 6, 3, 12, tzinfo=UTC))
    office.opens(Severity.HIGH, cause=Cause.METRIC)
    office.after()
    other = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    second = App(other.settings, other.config, other.home, clock=lambda: office.now)
    for _ in range(40):
        office.now += timedelta(hours=4)
        deliver_now(second)
        deliver_now(office.app)
    kinds = Counter(notice.kind for notice in office.app.outbox.newest(limit=None))
    assert kinds == {"incident_opened": 1, "reminder": 8, "digest": 2}
    second.close()


@pytest.mark.parametrize("step", ["add_reminder", "add_digest"])
def test_a_process_that_dies_between_notice_and_note_leaves_both_or_none(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next pass tells it, once."""
    office = Office(tmp_path, now=datetime(2026, 6, 7, 12, tzinfo=UTC))  # a Sunday
    if step == "add_reminder":
        office.opens(Severity.HIGH, cause=Cause.METRIC)
    office.after()
    with monkeypatch.context() as dying:
        dying.setattr(type(office.app.told_again), step, _die)
        with pytest.raises(KeyboardInterrupt):
            office.after(hours=24)
    assert not office.app.outbox.pending()
    told = office.after(minutes=1)
    assert len(told) == (3 if step == "add_reminder" else 1)  # it is eight in the morning in New York
    assert office.after(minutes=1) == []


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
