"""Collecting what a trainer gave back: by a later cycle, once, and only what is of this run and came in time."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from trueup.flows.app import App
from trueup.flows.check.labels import mature_labels
from trueup.flows.train.asking import begin_job, empty_job_folder, job_folder, open_request_words, trainer_document
from trueup.flows.train.deployment_run import NoDeployment, PrefectSilent, begin_run, run_ended, was_asked
from trueup.flows.train.returned_version import register_returned
from trueup.flows.train.run import Trained
from trueup.reports.masking import masked
from trueup.storage.errors import ModelUnusable
from trueup.storage.leases import Lease
from trueup.storage.secrets import without_secrets
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute
from trueup.storage.trainers.training_requests import RequestState, TrainerRequest, TrainerRequests

if TYPE_CHECKING:
    from trueup.training.trainers.program import Ended

_SLACK = timedelta(minutes=1)  # beyond limit and grace, before a watchdog counts as stuck
_LONGEST = 300  # characters of the program's last words


@dataclass(frozen=True)
class Collected:
    """How an open request stands.

    state: as it is to be closed, or open. trained: the version that came of it. said: in words. write: closes the
    request; it belongs into the transaction that tells of it. afterwards: what is to be done once that is durable.
    waits: its model waits for rows that judge it.
    """

    request: TrainerRequest
    state: RequestState
    said: str
    trained: Trained | None = None
    write: Callable[[Connection], None] = lambda connection: None
    afterwards: Callable[[], None] = lambda: None
    waits: bool = False

    @property
    def document(self) -> dict[str, object]:
        """As a cycle keeps it."""
        return trainer_document(self.request, str(self.state), self.said)


def collect(app: App, lease: Lease, stream: StreamSettings, request: TrainerRequest, as_of: datetime) -> Collected:
    """Look at an open request, and take what it gave back; nothing of it is closed before `write`.

    as_of: the time of the cycle. A try that a crash kept from its start is started, unless its time is over.

    Raises:
        LeaseHeld: the lease was lost.
        TrueupError: registry or archive fail; the request stays open.
    """
    from trueup.training.trainers.ending import JobEnd, end_of
    from trueup.training.trainers.program import end_program

    if not app.archive.exists(request.terms["snapshot"]):
        end_program(job_folder(app, request), request.trainer.grace_span.total_seconds())
        said = f"The records that {request.trainer.name} was given were removed meanwhile, so its model was not used."
        return _closing(app, stream, request, RequestState.FAILED, said, None)
    try:
        ended = _ended(app, stream, request)
    except PrefectSilent as error:
        said = f"{open_request_words(request)}. Prefect does not answer, so nobody knows how far it is: {error}"
        return Collected(request, RequestState.OPEN, said)
    if ended is None:
        return Collected(request, RequestState.OPEN, f"{open_request_words(request)}.")
    end, said = end_of(request.trainer, ended, request.attempt)
    trained = None
    if end is JobEnd.MODEL:
        after = _judged_after(request, ended)
        waits = "" if after is None else _waits_for_rows(app, stream, request, after, as_of)
        if waits:
            return Collected(request, RequestState.OPEN, waits, waits=True)
        try:
            trained = register_returned(app, lease, stream, request, judged_after=after)
        except ModelUnusable as error:
            end, said = JobEnd.FAILED, str(error)
    elif end is JobEnd.FAILED:
        said += _last_words(app, request, ended.said)
    return _closing(app, stream, request, _STATES[end], said, trained)


def is_at_work(app: App, request: TrainerRequest) -> bool:
    """Whether nobody needs to look at a request yet: its job runs, or nobody can tell, and its time is not over."""
    from trueup.training.trainers.program import program_ended, was_started

    folder, late = job_folder(app, request), _is_late(app, request)
    if request.trainer.deployment:
        try:
            return was_asked(folder) and run_ended(folder, request, app.now(), give_up=late) is None
        except PrefectSilent:
            return True
    return was_started(folder) and program_ended(folder) is None and not late


def _ended(app: App, stream: StreamSettings, request: TrainerRequest) -> Ended | None:
    from trueup.training.trainers.program import NOT_ASKED, Ended, end_program, program_ended, was_started
    from trueup.training.trainers.watchdog import NOT_STARTED, TIME_UP

    folder, trainer, now, late = job_folder(app, request), request.trainer, app.now(), _is_late(app, request)
    if trainer.deployment and was_asked(folder):
        return run_ended(folder, request, now, give_up=late)
    if trainer.deployment and folder.exists() and now <= request.deadline:
        try:
            begin_run(folder, request)
        except NoDeployment:
            return Ended(None, NOT_STARTED, None)
        return None
    if not was_started(folder):
        elsewhere = request.terms["host"] != socket.gethostname() and not folder.exists()
        if late or now > request.deadline:
            return Ended(None, NOT_ASKED if trainer.deployment else TIME_UP, None)
        if not elsewhere:
            begin_job(app, stream, request)
        return None
    ended = program_ended(folder)
    if ended is None and not late:
        return None
    if ended is None or ended.status is None:
        end_program(folder, trainer.grace_span.total_seconds())
    return ended or Ended(None, TIME_UP, None)


def _closing(
    app: App, stream: StreamSettings, request: TrainerRequest, state: RequestState, said: str, trained: Trained | None
) -> Collected:
    following = request.tried_again(app.now()) if state is RequestState.AGAIN else None

    def write(connection: Connection) -> None:
        version = trained.version if trained else None
        requests = TrainerRequests(app.database)
        requests.close(connection, request.key, state, app.now(), said=said, version=version)
        if following:
            requests.add(connection, following)

    def afterwards() -> None:
        empty_job_folder(app, request)
        if following:
            begin_job(app, stream, following)

    return Collected(request, state, said, trained, write, afterwards)


def _judged_after(request: TrainerRequest, ended: Ended) -> datetime | None:
    """From when on rows judge a model of a trainer that reads its own data: it may know all up to its end."""
    if request.trainer.judged_by != "later":
        return None
    return request.as_of + max((ended.at or request.asked_at) - request.asked_at, timedelta(0))


def _waits_for_rows(app: App, stream: StreamSettings, request: TrainerRequest, after: datetime, as_of: datetime) -> str:
    """What a model is still to be judged on, in words; empty: there are labelled rows enough."""
    labels, needed = mature_labels(app, stream, after=after, as_of=as_of), stream.policy.min_labels
    if labels >= needed:
        return ""
    return (
        f"{request.trainer.name} trained a model, which is judged on records since {to_minute(after)}: {labels:,} "
        f"labels so far, {needed:,} needed (min_labels)."
    )


def _is_late(app: App, request: TrainerRequest) -> bool:
    """Whether the time is over in which even an end by force would have been seen."""
    return app.now() > request.deadline + request.trainer.grace_span + _SLACK


def _last_words(app: App, request: TrainerRequest, known: str) -> str:
    from trueup.training.trainers.program import tail_of_errors

    tail = known or tail_of_errors(job_folder(app, request))
    last = next((line for line in reversed(tail.splitlines()) if line.strip()), "")
    return f" Its last words: {masked(without_secrets(last), _LONGEST)}" if last else ""


_STATES = {
    "model": RequestState.TAKEN,
    "nothing": RequestState.NOTHING,
    "again": RequestState.AGAIN,
    "failed": RequestState.FAILED,
}
