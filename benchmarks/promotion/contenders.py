"""A small deployment whose champion is fought over, and what the processes do that fight: promote, or die doing it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow  # noqa: F401 - imported once, by the process that all others are forked from

from benchmarks.promotion.course import MADE_REVIEWS
from trueup.feedback.intake import ingest
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.app import App, open_app
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.flows.promote.commit import commit_and_announce
from trueup.flows.promote.manual import promote_by_hand, roll_back
from trueup.storage import leases
from trueup.storage.database import Database
from trueup.storage.errors import InputError, LeaseHeld, StaleEvidence
from trueup.storage.incidents import IncidentLog
from trueup.storage.leases import hold
from trueup.storage.outbox import Outbox
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionLog, PromotionState
from trueup.training.registry.registry import Registry

STREAM = "reviews"
START = datetime(2024, 1, 1, tzinfo=UTC)
TRAINED = START + timedelta(days=30)
AHEAD = timedelta(minutes=5)  # by which a clock is wrong that takes a living worker's lease for expired
EVIDENCE, TAKEOVER, APPROVAL = "evidence", "takeover", "approval"
FORCE, ROLL_BACK, COMMIT = "force", "roll back", "commit"

FOUGHT_OVER = """
[streams.reviews.training]
time_limit = "1s"

[streams.reviews.alerts]
to = ["oncall@example.org"]

[store]
url = "{url}"
"""


@dataclass(frozen=True)
class Arena:
    """Where a deployment lies; each process opens it for itself."""

    folder: Path

    def open(self) -> App:
        return open_app(self.folder / "trueup.toml", self.folder / ".trueup")


def build(folder: Path, url: str) -> Arena:
    """A deployment with a champion v1, and v2 and v3, which are the same model registered again.

    Versions are fought over here, not models; so one training is enough.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.toml").write_text(MADE_REVIEWS + FOUGHT_OVER.format(url=url))
    arena = Arena(folder)
    app = arena.open()
    file = folder / "reviews.csv"
    make_reviews(1, START, 30, 500, HEALTHY).to_csv(file, index=False)
    stream = app.stream(STREAM)
    ingest(app.store, stream, [str(file)], now=app.now())
    first = train_now(app, stream, TRAINED)
    assert first["promotion"], "the first champion must stand"
    client, record = app.registry.client(), app.promotions.version(STREAM, 1)
    assert record is not None
    source, tags = client.get_model_version(STREAM, "1"), dict(app.registry.version(STREAM, 1).tags)
    with hold(app.database, STREAM) as lease:
        for _ in range(2):
            made = client.create_model_version(STREAM, source.source, record.run_id, tags=tags)
            app.promotions.add_version(lease, replace(record, version=int(made.version)))
    app.close()
    return arena


def judged(app: App, before: int, after: int, state: PromotionState) -> PromotionAttempt:
    """An attempt to promote `after` on evidence that it beats `before`."""
    return PromotionAttempt(
        stream=STREAM, kind=PromotionKind.CHALLENGER, state=state, from_version=before, to_version=after, as_of=TRAINED,
        at=app.now(), who=app.who, why="made evidence", codes=(), labels=0, gate={"passed": True, "tests": []},
    )  # fmt: skip


# ---- two at once ----


def contend(arena: Arena, number: int, rounds: Any, ready: Any, answers: Any) -> None:
    """One of the two processes: in each round that it is told of act at the same moment as the other, and say how."""
    leases._POLL_SECONDS = 0.02  # a second of waiting for the lease, two hundred times, would measure patience
    app = arena.open()
    while (told := rounds.get(timeout=300)) is not None:
        way, before, after, seed = told
        drawn = random.Random(f"{seed} {number}")
        ready.wait(60)
        time.sleep(drawn.random() * 0.1)
        slept = drawn.random() * 0.3
        answers.put((after, _ended(lambda: _act(app, way, before, after, late=number == 1, slept=slept))))  # noqa: B023
    app.close()


def _ended(act: Callable[[], PromotionAttempt]) -> str:
    try:
        act()
    except (StaleEvidence, LeaseHeld, InputError) as error:
        return type(error).__name__
    return "won"


def _act(app: App, way: str, before: int, after: int, *, late: bool, slept: float = 0) -> PromotionAttempt:
    """late: with the wrong clock. slept: seconds that the one with the right clock is stopped, its attempt written."""
    stream = app.stream(STREAM)
    if way == APPROVAL:
        return promote_by_hand(app, stream, after, "the figures are good", force=False)
    clock = (lambda: datetime.now(UTC) + AHEAD) if late and way == TAKEOVER else (lambda: datetime.now(UTC))
    with hold(app.database, STREAM, clock=clock) as lease:
        planned = judged(app, before, after, PromotionState.DECIDED)
        with lease.transaction(app.database) as connection:
            planned = app.promotions.add(connection, planned)
        if way == TAKEOVER and not late:
            time.sleep(slept)
        return commit_and_announce(app, lease, stream, planned)


# ---- killed ----

STEPS: tuple[tuple[type, str], ...] = (
    (PromotionLog, "add"),
    (PromotionLog, "move"),
    (Registry, "set_alias"),
    (Registry, "drop_alias"),
    (IncidentLog, "open"),
    (Outbox, "add"),
)


def killed_at(arena: Arena, what: str, before: int, after: int, point: int) -> None:
    """Change the champion in this process and die, without a chance to clean up, at the point.

    Points are counted: one before and one after each call of `STEPS`, and one before and one after each transaction
    that writes becomes durable. Where there are fewer the process ends by itself.
    """
    app = arena.open()
    stream = app.stream(STREAM)
    app.database  # opened, and its schema looked at, before anything is counted  # noqa: B018
    app.registry.alias(STREAM, "champion")
    _lay_fuse(point)
    if what == FORCE:
        promote_by_hand(app, stream, after, "killed", force=True)
    elif what == ROLL_BACK:
        roll_back(app, stream, after, "killed")
    else:
        _act(app, EVIDENCE, before, after, late=False)
        deliver_now(app)


def _lay_fuse(point: int) -> None:
    passed = 0

    def burn() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in STEPS:
        setattr(owner, name, _burning(getattr(owner, name), burn))
    true_write = Database.write

    @contextmanager
    def write(database: Database) -> Iterator[Any]:
        with true_write(database) as connection:
            yield connection
            burn()  # all is said, nothing is durable
        burn()

    Database.write = write  # type: ignore[method-assign]


def _burning(true: Callable[..., Any], burn: Callable[[], None]) -> Callable[..., Any]:
    def method(*args: Any, **kwargs: Any) -> Any:
        burn()
        result = true(*args, **kwargs)
        burn()
        return result

    return method
