"""A delivery killed between any two steps loses nothing, and repeats a message only as the same one."""

from __future__ import annotations

import mailbox
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_killed_cycle import in_a_process
from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.flows.alert.channels.mail import MailChannel
from trueup.flows.alert.channels.maildir import MaildirFolder
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.notices import add_notice, new_incident
from trueup.flows.app import App, open_app
from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.database import Database
from trueup.storage.outbox import Outbox

ANN, BOB = "ann@example.org", "bob@example.org"
SETTINGS = f"""
[streams.reviews]
id = "id"
time = "at"
text = ["text"]

[streams.reviews.label]
column = "stars"
classes = {{ negative = "<=2", positive = ">=4" }}

[streams.reviews.alerts]
to = ["{ANN}", "{BOB}"]

[alerts]
digest = ""
reminders = ""
"""
STEPS: tuple[tuple[Any, str], ...] = (
    (Outbox, "begin"), (Outbox, "mark_sent"), (Outbox, "mark_failed"), (Outbox, "drop"), (Outbox, "add"),
    (MaildirFolder, "send"),
)  # fmt: skip
ALL = 200  # more than there are points in any of these passes


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment whose outbox holds an incident that opened and closed, a closed one, and a test."""
    folder = tmp_path_factory.mktemp("outbox")
    (folder / "trueup.toml").write_text(SETTINGS)
    app = opened(folder)
    stream, now = app.stream("reviews"), app.now()
    known = new_incident(app, stream, (Cause.DRIFT,), ("DRF-TEXT",), now, Severity.LOW)
    fresh = new_incident(app, stream, (Cause.METRIC,), ("PRF-METRIC",), now, Severity.HIGH)
    with app.database.write() as connection:
        for incident in (known, fresh):
            app.incidents.open(connection, incident)
            app.incidents.resolve(connection, incident.id, now, "quiet")
    for kind, incident in (
        (AlertKind.INCIDENT_OPENED, fresh), (AlertKind.INCIDENT_RESOLVED, fresh),
        (AlertKind.INCIDENT_RESOLVED, known), (AlertKind.TEST, None),
    ):  # fmt: skip
        facts = AlertFacts(kind=kind, stream="reviews", as_of=now, codes=incident.codes if incident else ())
        with app.database.write() as connection:
            add_notice(app, connection, stream, facts, incident)
    app.close()
    return folder


def opened(folder: Path) -> App:
    return open_app(folder / "trueup.toml", folder / ".trueup")


def run(folder: Path) -> None:
    app = opened(folder)
    deliver_now(app)
    app.close()


def killed_at(point: int, folder: Path, steps: Sequence[tuple[Any, str]] = STEPS) -> None:
    """Deliver in this process and die at the point: one before and one after each step and each commit."""
    passed = 0

    def burn() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in steps:
        setattr(owner, name, _burning(getattr(owner, name), burn))
    true_write = Database.write

    @contextmanager
    def write(database: Database) -> Iterator[Any]:
        with true_write(database) as connection:
            yield connection
            burn()  # all is said, nothing is durable
        burn()

    if steps is STEPS:
        Database.write = write  # type: ignore[method-assign]
    run(folder)


def _burning(true: Callable[..., Any], burn: Callable[[], None]) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        burn()
        result = true(*args, **kwargs)
        burn()
        return result

    return method


def messages(folder: Path) -> list[tuple[str, str, str]]:
    """Who got which message, and its subject."""
    kept = mailbox.Maildir(folder / ".trueup" / "mail")
    return [(str(mail["To"]), str(mail["Message-ID"]), str(mail["Subject"])) for mail in kept]


def after_each_kill(waiting: Path, base: Path) -> Iterator[Path]:
    """A copy of the deployment for each point, delivered again after the kill; until no point is left."""
    for point in range(1, ALL):
        folder = base / str(point)
        shutil.copytree(waiting, folder)
        ended = in_a_process(lambda point=point, folder=folder: killed_at(point, folder))
        assert ended in (0, -signal.SIGKILL)
        assert in_a_process(lambda folder=folder: run(folder)) == 0
        yield folder
        if ended == 0:
            return
    pytest.fail("there are more points than were tried")


@pytest.mark.parametrize(("point", "copies"), [(1, 4), (2, 5)], ids=["before", "after"])
def test_killed_at_the_handing_over(waiting: Path, tmp_path: Path, point: int, copies: int) -> None:
    """Before it nothing went out; after it the message goes out again under its id, since nobody knows."""
    folder = Path(shutil.copytree(waiting, tmp_path / "deployment"))
    at_the_maildir = ((MaildirFolder, "send"),)
    assert in_a_process(lambda: killed_at(point, folder, at_the_maildir)) == -signal.SIGKILL
    assert in_a_process(lambda: run(folder)) == 0
    found = messages(folder)
    assert (len(found), len(set(found))) == (copies, 4)


@pytest.mark.slow
def test_nothing_is_lost_and_a_repeat_is_the_same_message(waiting: Path, tmp_path: Path) -> None:
    """Each recipient has two messages; of one that came twice both copies have one id; what is needless is dropped."""
    twice = 0
    for folder in after_each_kill(waiting, tmp_path):
        found = messages(folder)
        assert Counter(to for to, _, _ in set(found)) == {ANN: 2, BOB: 2}, folder
        twice += len(found) - len(set(found))
        app = opened(folder)
        states = Counter(d.state for notice in app.outbox.newest() for d in notice.deliveries)
        app.close()
        assert states == {"sent": 6, "dropped": 2}
    assert twice > 0, "no point lay between the message and the note of it, or little is tried"


@pytest.mark.slow
def test_a_refusal_is_told_once_to_the_others(
    waiting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead letter and the word to the others come together or not at all."""
    true_send = MailChannel.send

    def send(channel: MailChannel, letter: Any, envelope: Any) -> None:
        if envelope.to == BOB:
            raise DeliveryFailed("550 no such user", permanent=True)
        true_send(channel, letter, envelope)

    monkeypatch.setattr(MailChannel, "send", send)
    for folder in after_each_kill(waiting, tmp_path):
        found = messages(folder)
        assert len(set(found)) == 3, folder
        assert sum("cannot be delivered" in subject for _, _, subject in set(found)) == 1
        app = opened(folder)
        states = Counter((d.recipient, d.state) for notice in app.outbox.newest() for d in notice.deliveries)
        app.close()
        assert states == {(ANN, "sent"): 4, (ANN, "dropped"): 1, (BOB, "dead"): 3, (BOB, "dropped"): 1}
