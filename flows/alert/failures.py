"""Incidents that no signal opens: what keeps the cycle itself from its work, and when that is over."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.notices import Write, add_notice, new_incident
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import severity_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.errors import LeaseHeld, ModelUnusable, TimeRefused, TrueupError, UsageError
from trueup.storage.incidents import Incident
from trueup.storage.leases import Lease
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import to_minute

log = logging.getLogger("trueup")

_OVER = {
    Cause.CHAMPION: "the champion can be loaded and answers again",
    Cause.NO_CHAMPION: "the stream has a champion",
    Cause.CYCLE: "a cycle finished again",
    Cause.TRAINER: "the training job ended well again",
    Cause.SOURCE: "the source is read again, and every file of it could be taken in",
    Cause.LABEL_FEED: "the newest labels are again as complete as earlier ones, and agree with them",
}


def open_incident(
    app: App, stream: StreamSettings, cause: Cause, as_of: datetime, why: str, cycle_id: str | None = None
) -> Write:
    """Open the incident of a cause, once; what meets it while it is open, or the stream paused, adds nothing."""
    if _standing(app, stream, cause) or app.pauses.current(stream.name):
        return lambda connection: None
    incident = new_incident(app, stream, (cause,), (cause.upper(),), as_of, severity_of(cause))
    last = app.promotions.last_committed(stream.name)
    facts = AlertFacts(
        kind=AlertKind.NO_CHAMPION if cause is Cause.NO_CHAMPION else AlertKind.FAILURE,
        stream=stream.name,
        as_of=as_of,
        why=why,
        from_version=last.to_version if last else None,
        incident_id=incident.id,
        cycle_id=cycle_id,
        home=str(app.home),
    )

    def write(connection: Connection) -> None:
        app.incidents.open(connection, incident)
        add_notice(app, connection, stream, facts, incident)

    return write


def resolve_incident(
    app: App, stream: StreamSettings, cause: Cause, as_of: datetime, cycle_id: str | None = None, *, why: str = ""
) -> Write:
    """Resolve the incident of a cause, where one is open; what a cycle found out waits until the stream is resumed."""
    standing = _standing(app, stream, cause)
    if standing is None or (cause not in (Cause.NO_CHAMPION, Cause.LABEL_FEED) and app.pauses.current(stream.name)):
        return lambda connection: None
    facts = AlertFacts(
        kind=AlertKind.INCIDENT_RESOLVED,
        stream=stream.name,
        as_of=as_of,
        codes=standing.codes,
        why=why or _OVER[cause],
        incident_id=standing.id,
        cycle_id=cycle_id,
        home=str(app.home),
    )

    def write(connection: Connection) -> None:
        app.incidents.resolve(connection, standing.id, as_of)
        add_notice(app, connection, stream, facts, standing)

    return write


def is_transient(error: Exception) -> bool:
    """Whether the same work may succeed at another try with nothing fixed in trueup or its settings: an outage.

    A time limit is none: what takes too long takes too long again.
    """
    if isinstance(error, TrueupError):
        return not isinstance(error, UsageError)
    return isinstance(error, OperationalError | OSError) and not isinstance(error, TimeoutError)


@contextmanager
def alerting_on_failure(app: App, lease: Lease, stream: StreamSettings, as_of: datetime) -> Iterator[None]:
    """Tell the person on call, once, of whatever fails within; what nobody foresaw ends as a plain message.

    Not told: a lost lease (the other worker goes on), a time that was asked for wrongly, and a champion that cannot be
    used, which has an incident of its own.

    Raises:
        TrueupError: the failure, with its traceback as the cause where it was not foreseen.
    """
    try:
        yield
    except (LeaseHeld, TimeRefused, ModelUnusable):
        raise
    except TrueupError as error:
        _tell(app, lease, stream, as_of, str(error))
        raise
    except Exception as error:
        said = f"The cycle of '{stream.name}' at {to_minute(as_of)} {_met(error)}"
        _tell(app, lease, stream, as_of, said)
        raise TrueupError(said) from error


def _met(error: Exception) -> str:
    if is_transient(error):
        return (
            f"failed. Every record is kept, and the next cycle tries again. The system or the store reported: {error}"
        )
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        "failed for an unexpected reason. Every record is kept, and the next cycle tries again. Please report it with "
        f"these words: {type(error).__name__}: {error}, in {Path(place.filename).name}, line {place.lineno}"
    )


def _tell(app: App, lease: Lease, stream: StreamSettings, as_of: datetime, why: str) -> None:
    try:
        with lease.transaction(app.database) as connection:
            open_incident(app, stream, Cause.CYCLE, as_of, why)(connection)
        deliver_now(app)
    except Exception as untold:  # noqa: BLE001 - the failure itself must come out, whatever the store does by now
        log.error("nobody could be told that the cycle failed: %s: %s", type(untold).__name__, untold)


def _standing(app: App, stream: StreamSettings, cause: Cause) -> Incident | None:
    return next((i for i in app.incidents.open_ones(stream.name) if i.cause == cause), None)
