"""`trueup train` where a trainer trains: it is asked, waited for without the lease, and its model is judged."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.failures import resolve_incident
from trueup.flows.app import App
from trueup.flows.check.champion import champion_version
from trueup.flows.cycle.train_on_demand import followed_instead, judge_now, of_service
from trueup.flows.gate.evaluate import GateOutcome
from trueup.flows.promote.commit import gated_attempt
from trueup.flows.train.asking import ask_trainer, open_request_words
from trueup.flows.train.collecting import Collected, collect, is_at_work
from trueup.flows.train.lineage import asked_by_person
from trueup.flows.train.returned_version import trained_elsewhere
from trueup.monitoring.causes import Cause
from trueup.storage.errors import NotTrainable
from trueup.storage.leases import Lease, hold
from trueup.storage.stream import StreamSettings
from trueup.storage.trainers.training_requests import RequestState, TrainerRequest, TrainerRequests

_POLL_S = 0.5


@dataclass(frozen=True)
class WaitProgress:
    """How long a trainer has been at work, and may be, in seconds."""

    done: float
    of: float
    said: str


def train_by_trainer(
    app: App,
    stream: StreamSettings,
    as_of: datetime,
    *,
    on_progress: Callable[[Any], None],
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """As `train_now`: ask the trainer, or join what it was asked for already, wait, and judge.

    An end of this process loses nothing: a cycle collects what was asked for.

    Raises:
        NotTrainable: the rows cannot be learnt from, or the trainer gave nothing back that can be used.
        Others: as `train_now`.
    """
    requests = TrainerRequests(app.database)
    with hold(app.database, stream.name, clock=app.clock) as lease:
        followed = followed_instead(app, lease, stream, as_of)
        if followed is not None:
            deliver_now(app)
            return of_service(app, stream, followed)
        request = requests.open_one(stream.name) or ask_trainer(
            app, lease, stream, as_of, run=uuid.uuid4().hex[:12], asked=asked_by_person(app.who), who=app.who
        )
    while True:
        _wait(app, request, on_progress, pause)
        with hold(app.database, stream.name, clock=app.clock) as lease:
            request = requests.newest_try(request.run)
            if request.state is not RequestState.OPEN:
                return _taken_by_cycle(app, stream, request)
            found = collect(app, lease, stream, request, as_of)
            done = _ended(app, lease, stream, found, as_of)
        found.afterwards()
        if done is not None:
            deliver_now(app)
            return done
        if found.waits:
            raise NotTrainable(f"{found.said} A later cycle judges it.")
        request = requests.newest_try(request.run)
        pause(_POLL_S)


def _wait(
    app: App, request: TrainerRequest, on_progress: Callable[[Any], None], pause: Callable[[float], None]
) -> None:
    while is_at_work(app, request):
        spent, limit = (app.now() - request.asked_at).total_seconds(), request.trainer.limit_span.total_seconds()
        on_progress(WaitProgress(min(spent, limit), limit, f"{request.trainer.name}, {spent:.0f} s of {limit:.0f} s"))
        pause(_POLL_S)


def _ended(app: App, lease: Lease, stream: StreamSettings, found: Collected, as_of: datetime) -> dict[str, Any] | None:
    """Judge what came of a request, and close it; None: there is another try, or it still works."""
    if found.trained is not None:
        resolve = resolve_incident(app, stream, Cause.TRAINER, as_of)

        def write(connection: Connection) -> None:
            found.write(connection)
            resolve(connection)

        return judge_now(app, lease, stream, found.trained, as_of, write)
    with lease.transaction(app.database) as connection:
        found.write(connection)
        if found.state in (RequestState.FAILED, RequestState.NOTHING):
            judged = GateOutcome({"passed": False, "tests": []}, champion_version(app, stream), 0)
            refused = gated_attempt(app, stream, as_of, judged, None, why=found.said, held="", who=app.who)
            app.promotions.add(connection, refused)
    if found.state in (RequestState.FAILED, RequestState.NOTHING):
        found.afterwards()
        raise NotTrainable(found.said)
    return None


def _taken_by_cycle(app: App, stream: StreamSettings, request: TrainerRequest) -> dict[str, Any]:
    """What came of a request that a cycle collected meanwhile."""
    version = request.told.get("version")
    record = app.promotions.version(stream.name, version) if version else None
    attempt = next((p for p in app.promotions.history(stream.name) if p.to_version == version), None)
    if record is None or attempt is None:
        raise NotTrainable(str(request.told.get("said", open_request_words(request))))
    promoted = app.registry.alias(stream.name, "champion") == version
    moved = {"from_version": attempt.from_version, "to_version": version} if promoted else None
    return {**asdict(trained_elsewhere(record)), "gate": attempt.gate, "promotion": moved, "held": None}
