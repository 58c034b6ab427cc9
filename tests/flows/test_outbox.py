"""The outbox of a deployment: what becomes one message, who delivers, when, and that nobody is written to twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.made_deployments import SETTINGS, TRAINED, WINDOW
from trueup.flows.admin.doctor import examine
from trueup.flows.alert import dispatch
from trueup.flows.alert.channels.channel import DeliveryFailed, Envelope
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.heartbeat import alerts_overdue
from trueup.flows.alert.notices import add_notice, new_incident
from trueup.flows.alert.silence import silence
from trueup.flows.alert.unreached import unreached
from trueup.flows.app import App, open_app
from trueup.flows.cycle.run import run_cycle
from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.letter import Letter, Standing
from trueup.storage.errors import InputError
from trueup.storage.incidents import Incident
from trueup.storage.leases import hold
from trueup.storage.silences import HELD_KINDS

ONCALL, BOSS, OPS = "oncall@example.org", "boss@example.org", "channel:ops"
CHANNELS = '\n[alerts.channels.ops]\nkind = "slack"\n'
TWO = SETTINGS.format(window=WINDOW).replace(f'to = ["{ONCALL}"]', f'to = ["{ONCALL}", "{BOSS}"]')


@dataclass
class Taken:
    """A way out that takes everything, can be told to wait half-way, and fails for whom it is told to."""

    sent: list[tuple[str, Letter, Envelope]] = field(default_factory=list)
    fails: dict[str, DeliveryFailed] = field(default_factory=dict)
    entered: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    who: str = ""

    def to(self, app: App, recipient: str) -> Taken:
        return replace(self, who=recipient)

    def send(self, letter: Letter, envelope: Envelope) -> None:
        self.entered.set()
        assert self.go_on.wait(30)
        failure = self.fails.get(self.who)
        if failure is None or failure.unknown:
            self.sent.append((self.who, letter, envelope))
        if failure:
            raise failure

    @property
    def recipients(self) -> list[str]:
        return [who for who, _, _ in self.sent]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    way = Taken()
    way.go_on.set()
    monkeypatch.setattr(dispatch, "way_to", way.to)
    return way


NOTHING_BY_THE_CLOCK = '[alerts]\ndigest = ""\nreminders = ""\n'


def opened(folder: Path, settings: str = SETTINGS.format(window=WINDOW) + NOTHING_BY_THE_CLOCK) -> App:
    (folder / "trueup.toml").write_text(settings)
    return open_app(folder / "trueup.toml", folder / ".trueup")


def put_in(app: App, kind: AlertKind = AlertKind.TEST, incident: Incident | None = None, **more: object) -> str:
    """A notice into the outbox; its id."""
    facts = AlertFacts(kind=kind, stream="reviews", as_of=TRAINED, home=str(app.home), to_version=2)
    facts = replace(facts, codes=incident.codes if incident else (), **more)
    with app.database.write() as connection:
        return add_notice(app, connection, app.stream("reviews"), facts, incident)


def open_one(app: App, *codes: str, cause: Cause = Cause.DRIFT, severity: Severity = Severity.LOW) -> Incident:
    """An incident that is open."""
    found = new_incident(app, app.stream("reviews"), (cause,), codes or ("DRF-TEXT",), TRAINED, severity)
    with app.database.write() as connection:
        app.incidents.open(connection, found)
    return found


def resolve(app: App, incident: Incident) -> None:
    """Close it, and say so."""
    with app.database.write() as connection:
        app.incidents.resolve(connection, incident.id, TRAINED, "quiet")
    put_in(app, AlertKind.INCIDENT_RESOLVED, incident)


def later(app: App, **span: float) -> App:
    """The same deployment when more time has passed."""
    now = app.now()
    return replace(app, clock=lambda: now + timedelta(**span))


def states(app: App) -> dict[str, str]:
    """The state of each kind of notice."""
    return {notice.kind: notice.state for notice in app.outbox.newest()}


def test_two_who_deliver_at_once_send_each_message_once(tmp_path: Path, taken: Taken) -> None:
    """The second returns at once, and the first sends what the second had to leave, once it has let go."""
    first, second = opened(tmp_path), opened(tmp_path)
    put_in(first)
    taken.go_on.clear()
    working = threading.Thread(target=deliver_now, args=(first,))
    working.start()
    assert taken.entered.wait(30)
    put_in(second)
    deliver_now(second)
    assert taken.sent == []
    taken.go_on.set()
    working.join(30)
    assert len({envelope.message_id for _, _, envelope in taken.sent}) == len(taken.sent) == 2
    assert {alert.state for alert in first.outbox.newest()} == {"sent"}
    first.close()
    second.close()


def test_all_that_waits_for_a_stream_is_one_message_a_recipient(tmp_path: Path, taken: Taken) -> None:
    """Opened, promoted and closed: one message to each, of how things stand now, in the incident's thread."""
    app = opened(tmp_path, TWO)
    incident = open_one(app)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    put_in(app, AlertKind.PROMOTION, incident)
    resolve(app, incident)
    put_in(app)
    deliver_now(app)
    assert sorted(taken.recipients) == [BOSS, BOSS, ONCALL, ONCALL]  # a test is a message of its own
    told = [(letter, envelope) for _, letter, envelope in taken.sent if letter.incidents]
    assert [letter.standing for letter, _ in told] == [Standing.CLOSED] * 2
    assert {envelope.roots for _, envelope in told} == {(incident.thread,)}
    assert incident.thread == f"incident.{incident.id}@{app.settings.smtp.domain}"
    assert set(states(app).values()) == {"sent"}
    assert {n.subject for n in app.outbox.newest() if n.incident_id} == {f"[CLOSED] {incident.stem}"}
    app.close()


def test_the_gravest_incident_of_a_message_leads(tmp_path: Path, taken: Taken) -> None:
    """Of two as grave the one by which users are hurt gives the subject, and its thread comes first."""
    app = opened(tmp_path)
    feed = open_one(app, "DQ-VOLUME", cause=Cause.FEED, severity=Severity.HIGH)
    quality = open_one(app, "PRF-METRIC", cause=Cause.METRIC, severity=Severity.HIGH)
    for incident in (feed, quality):
        put_in(app, AlertKind.INCIDENT_OPENED, incident)
    deliver_now(app)
    ((_, letter, envelope),) = taken.sent
    assert letter.stem == quality.stem
    assert envelope.roots == (quality.thread, feed.thread)
    app.close()


def test_what_could_not_be_sent_is_merged_and_says_why(tmp_path: Path, taken: Taken) -> None:
    """Three days without a server use up no try; then one message tells the state now, and since when it waited."""
    app = opened(tmp_path)
    incident = open_one(app, severity=Severity.HIGH)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    taken.fails[ONCALL] = DeliveryFailed("no connection to the mail server", server=True, counts=False)
    tries = 0
    waits = app
    while waits.now() - app.now() < timedelta(days=3):
        deliver_now(waits)
        (notice,) = waits.outbox.pending()
        assert notice.next_try is not None
        moment = notice.next_try
        waits, tries = replace(app, clock=lambda moment=moment: moment), tries + 1
    assert 72 <= tries <= 100
    resolve(waits, incident)
    del taken.fails[ONCALL]
    deliver_now(waits)
    ((_, letter, _),) = taken.sent
    assert letter.standing is Standing.CLOSED
    late = dict(letter.foot)["Delivered late"]
    assert "no connection to the mail server" in late
    assert {n.attempts for n in app.outbox.newest()} == {1}
    app.close()


def test_closed_goes_to_nobody_who_was_not_told_it_was_open(tmp_path: Path, taken: Taken) -> None:
    """A new recipient, and one whose opening died, are told of promotions and not of the end; the reason is kept."""
    app = opened(tmp_path)
    incident = open_one(app)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    deliver_now(app)
    app.close()
    app = opened(tmp_path, TWO)
    put_in(app, AlertKind.PROMOTION, incident)
    deliver_now(app)
    resolve(app, incident)
    deliver_now(app)
    assert taken.recipients.count(ONCALL) == 3
    assert taken.recipients.count(BOSS) == 1
    closed = next(n for n in app.outbox.newest() if n.kind == "incident_resolved")
    dropped = next(d for d in closed.deliveries if d.recipient == BOSS)
    assert (dropped.state, closed.state) == ("dropped", "sent")
    assert "nobody had told" in (dropped.error or "")
    app.close()


def test_a_server_that_is_away_does_not_keep_other_ways_back(tmp_path: Path, taken: Taken) -> None:
    """Mails wait untouched behind the first that failed, a channel of its own is still tried."""
    app = opened(tmp_path, TWO.replace(f'"{BOSS}"]', f'"{BOSS}", "{OPS}"]') + CHANNELS)
    taken.fails = dict.fromkeys((ONCALL, BOSS), DeliveryFailed("away", server=True, counts=False))
    put_in(app)
    deliver_now(app)
    assert taken.recipients == [OPS]
    (notice,) = app.outbox.pending()
    assert sorted(d.error or "" for d in notice.deliveries) == ["", "", "away"]
    app.close()


def test_a_refused_message_is_dead_and_told_to_the_others_once(tmp_path: Path, taken: Taken) -> None:
    """Not again until something reaches them; `status` and `doctor` say who and why; a heartbeat is not sent."""
    app = opened(tmp_path, TWO)
    taken.fails[BOSS] = DeliveryFailed("550 no such user", permanent=True)
    for _ in range(2):
        put_in(app, AlertKind.PROMOTION)
        deliver_now(app)
    assert [letter.kind for _, letter, _ in taken.sent].count("undelivered") == 1
    (found,) = unreached(app, "reviews")
    assert (found.recipient, found.state, found.alerts, found.why) == (BOSS, "dead", 2, "550 no such user")
    assert alerts_overdue(app) == 2
    del taken.fails[BOSS]
    deliver_now(app, all_pending=True)
    assert unreached(app, "reviews") == ()
    taken.fails[BOSS] = DeliveryFailed("550 no such user", permanent=True)
    put_in(later(app, minutes=1), AlertKind.PROMOTION)
    deliver_now(later(app, minutes=1))
    assert [letter.kind for _, letter, _ in taken.sent].count("undelivered") == 2
    app.close()


def test_where_everybody_is_refused_it_ends(tmp_path: Path, taken: Taken) -> None:
    """Each is told of the other at most once, and who is in trouble themselves is told nothing."""
    app = opened(tmp_path, TWO)
    taken.fails = dict.fromkeys((ONCALL, BOSS), DeliveryFailed("550 no such user", permanent=True))
    for _ in range(3):
        put_in(app, AlertKind.PROMOTION)
        deliver_now(app, all_pending=True)
    assert taken.sent == []
    assert sum(n.kind == "undelivered" for n in app.outbox.newest()) <= 1
    app.close()


def test_a_server_away_for_an_hour_is_told_by_other_ways(tmp_path: Path, taken: Taken) -> None:
    """A mail server that is away kills no mail, so nothing dies that could be told of: a channel says it."""
    settings = SETTINGS.format(window=WINDOW).replace(f'"{ONCALL}"]', f'"{ONCALL}", "{OPS}"]')
    app = opened(tmp_path, settings + CHANNELS)
    taken.fails[ONCALL] = DeliveryFailed("away", server=True, counts=False)
    put_in(app, AlertKind.PROMOTION)
    deliver_now(app)
    deliver_now(later(app, hours=2))
    assert [(who, letter.kind) for who, letter, _ in taken.sent] == [(OPS, "promotion"), (OPS, "undelivered")]
    app.close()


def test_a_grave_notice_does_not_die_while_its_incident_is_open(tmp_path: Path, taken: Taken) -> None:
    """Even refused for good it is tried every four hours; once the incident is closed it dies like any other."""
    app = opened(tmp_path)
    incident = open_one(app, cause=Cause.METRIC, severity=Severity.HIGH)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    taken.fails[ONCALL] = DeliveryFailed("550 no such user", permanent=True)
    for hour in range(0, 48, 5):
        deliver_now(later(app, hours=hour))
        assert states(app) == {"incident_opened": "pending"}
    with app.database.write() as connection:
        app.incidents.resolve(connection, incident.id, TRAINED, "quiet")
    deliver_now(later(app, hours=60))
    assert states(app) == {"incident_opened": "dead"}
    app.close()


def test_a_message_in_doubt_goes_out_again_as_the_same_one(tmp_path: Path, taken: Taken) -> None:
    """With the same notices under the same id; what came since is another message; any other failure merges anew."""
    app = opened(tmp_path)
    incident = open_one(app)
    put_in(app, AlertKind.INCIDENT_OPENED, incident)
    taken.fails[ONCALL] = DeliveryFailed("the line broke", server=True, unknown=True)
    deliver_now(app)
    resolve(app, incident)
    del taken.fails[ONCALL]
    deliver_now(later(app, hours=1))
    ids = [envelope.message_id for _, _, envelope in taken.sent]
    assert ids[0] == ids[1] != ids[2]
    assert set(states(app).values()) == {"sent"}
    put_in(app, AlertKind.PROMOTION)
    taken.fails[ONCALL] = DeliveryFailed("451 mailbox full")
    deliver_now(app)
    assert app.outbox.pending()[0].deliveries[0].message_id is None
    app.close()


def test_a_letter_that_cannot_be_composed_is_told_plainly(
    tmp_path: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a channel that breaks for one recipient keeps the others from nothing."""
    app = opened(tmp_path, TWO)

    def broken(*_: object, **__: object) -> Letter:
        raise KeyError("no such figure")

    monkeypatch.setattr("trueup.flows.alert.messages.letter_for", broken)
    ways: Callable[[App, str], Taken] = taken.to

    def way(app: App, recipient: str) -> Taken:
        if recipient == BOSS:
            raise UnicodeError("no such letter")
        return ways(app, recipient)

    monkeypatch.setattr(dispatch, "way_to", way)
    put_in(app, AlertKind.PROMOTION)
    deliver_now(app)
    ((who, letter, _),) = taken.sent
    assert who == ONCALL
    assert "could not be composed" in letter.wrong
    assert "UnicodeError" in (app.outbox.pending()[0].error or "")
    app.close()


def test_reminders_that_cannot_be_written_keep_nothing_back(
    tmp_path: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is sent all the same, and the log has the rest."""

    def broken(app: App) -> None:
        raise KeyError("no such week")

    monkeypatch.setattr(dispatch, "write_due", broken)
    app = opened(tmp_path)
    put_in(app)
    deliver_now(app)
    assert taken.recipients == [ONCALL]
    app.close()


def test_what_another_process_s_cycle_tells_waits_for_its_end(
    tmp_path: Path, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message tells all that a cycle did; half an hour at most, and not where its process died or is this one."""
    app = opened(tmp_path)
    cycle = app.cycles.begin("reviews", TRAINED, app.now())
    with hold(app.database, "reviews", clock=app.clock):
        put_in(app, AlertKind.PROMOTION, cycle_id=cycle.id)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("trueup.flows.alert.holding.held_elsewhere", lambda *_: True)
            deliver_now(app)
            assert taken.sent == []
            assert alerts_overdue(app) == 0
            waits = later(app, minutes=31)
        deliver_now(app)
        assert len(taken.sent) == 1
        put_in(app, AlertKind.PROMOTION, cycle_id=cycle.id)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr("trueup.flows.alert.holding.held_elsewhere", lambda *_: True)
            deliver_now(waits)
        assert len(taken.sent) == 2
    app.close()


def test_a_stream_that_tells_nobody_keeps_its_incidents(tmp_path: Path, taken: Taken) -> None:
    """With a server and no address no notice is written that could only die; `doctor` says that nobody is told."""
    settings = SETTINGS.format(window=WINDOW).replace('to = ["oncall@example.org"]', "to = []")
    app = opened(tmp_path, settings + '[smtp]\nhost = "127.0.0.1"\n')
    put_in(app)
    deliver_now(app)
    assert app.outbox.newest() == []
    assert [f.ok for f in examine(app) if f.name == "stream reviews"] == [False]
    app.close()


def test_dead_alerts_are_told_of_and_revived_for_who_is_named_now(tmp_path: Path, taken: Taken) -> None:
    """`doctor` counts them with the way back; the fixed address gets what the wrong one did not."""
    wrong = opened(tmp_path, SETTINGS.format(window=WINDOW).replace("oncall@", "onccall@"))
    put_in(wrong)
    taken.fails["onccall@example.org"] = DeliveryFailed("550 no such user", permanent=True)
    deliver_now(wrong)
    wrong.close()
    app = opened(tmp_path)
    found = next(f for f in examine(app) if f.name == "alerts")
    assert not found.ok
    assert "550 no such user" in found.said
    assert "trueup alerts deliver" in found.mend
    deliver_now(app)
    assert taken.sent == []
    deliver_now(app, all_pending=True)
    assert taken.recipients == [ONCALL]
    assert [a.state for a in app.outbox.newest()] == ["sent"]
    app.close()


def test_what_is_silenced_waits_and_is_told_when_the_silence_ends(tmp_path: Path, taken: Taken) -> None:
    """Only notices of incidents that stand for silenced codes wait; a changed champion is told of; nothing is lost."""
    app = opened(tmp_path)
    known, wider = open_one(app, "DRF-TEXT"), open_one(app, "DRF-TEXT", "DQ-DUP", cause=Cause.FEED)
    made = silence(app, "DRF-TEXT", "3d", "the shop changed its language", stream=None)
    waits = [put_in(app, kind, known) for kind in (AlertKind.INCIDENT_OPENED, AlertKind.INCIDENT_RESOLVED)]
    told = [put_in(app, AlertKind.PROMOTION, known), put_in(app, AlertKind.INCIDENT_OPENED, wider)]
    deliver_now(app, all_pending=True)
    assert {n.id for n in app.outbox.pending()} == set(waits)
    assert {n.id for n in app.outbox.newest() if n.state == "sent"} == set(told)
    deliver_now(replace(app, clock=lambda: made.until))
    assert app.outbox.pending() == []
    assert len(taken.sent) == 2
    app.close()


def test_a_rise_to_high_goes_through_a_silence_with_the_whole_context(tmp_path: Path, taken: Taken) -> None:
    """And takes the silenced opening along, so that it does not come after."""
    app = opened(tmp_path)
    known = open_one(app, "DRF-TEXT")
    silence(app, known.id, "3d", "known", stream=None)
    put_in(app, AlertKind.INCIDENT_OPENED, known)
    deliver_now(app)
    assert taken.sent == []
    put_in(app, AlertKind.INCIDENT_WORSE, replace(known, severity="high"))
    deliver_now(app)
    assert len(taken.sent) == 1
    assert app.outbox.pending() == []
    app.close()


def test_quiet_hours_hold_what_is_low_and_no_rise(tmp_path: Path, taken: Taken) -> None:
    """At their end one message tells all; what waits for that is not overdue; a rise takes along what waited."""
    quiet = f'\n[[alerts.rules]]\nto = ["{BOSS}"]\nquiet = "22:00-07:00"\ntimezone = "Europe/Berlin"\n'
    app = opened(tmp_path, SETTINGS.format(window=WINDOW).replace(f'to = ["{ONCALL}"]', "to = []") + quiet)
    night = replace(app, clock=lambda: datetime(2026, 3, 1, 23, tzinfo=UTC))
    low, rises = open_one(app), open_one(app, "DQ-DUP", cause=Cause.FEED)
    for incident in (low, rises):
        put_in(night, AlertKind.INCIDENT_OPENED, incident)
    deliver_now(later(night, hours=5))
    assert taken.sent == []
    assert alerts_overdue(later(night, hours=5)) == 0
    put_in(later(night, hours=6), AlertKind.INCIDENT_WORSE, replace(rises, severity="high"))
    deliver_now(later(night, hours=6))
    assert [letter.incidents for _, letter, _ in taken.sent] == [(rises.id,)]
    deliver_now(later(night, hours=7, minutes=1))
    assert [letter.incidents for _, letter, _ in taken.sent][1:] == [(low.id,)]
    app.close()


def test_a_silence_can_be_ended_and_a_wrong_one_is_refused(tmp_path: Path, taken: Taken) -> None:
    """By incident as well; the newest holds; what names nothing, gives no reason or no span changes nothing."""
    app = opened(tmp_path)
    known = open_one(app)
    silence(app, known.id, "1w", "seen", stream=None)
    put_in(app, AlertKind.INCIDENT_OPENED, known)
    deliver_now(app)
    assert taken.sent == []
    for target, until, why in (("DRF-TXT", "1d", "x"), (known.id, "soon", "x"), (known.id, "1d", " ")):
        with pytest.raises(InputError, match=r"[Nn]othing was changed"):
            silence(app, target, until, why, stream=None)
    silence(app, known.id, "0s", "back at work", stream=None)
    deliver_now(app)
    assert taken.recipients == [ONCALL]
    assert set(AlertKind) > HELD_KINDS
    app.close()


def test_a_repeated_cycle_delivers_what_its_crash_left(tmp_path: Path, taken: Taken) -> None:
    """A cycle killed between its end and its messages sends them when it is asked for again."""
    app = opened(tmp_path)
    as_of = app.now()
    run_cycle(app, app.stream("reviews"), as_of)
    left, before = put_in(app), len(taken.sent)
    assert run_cycle(app, app.stream("reviews"), as_of)["repeated"]
    assert len(taken.sent) == before + 1
    assert next(n for n in app.outbox.newest() if n.id == left).state == "sent"
    app.close()
