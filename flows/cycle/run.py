"""The cycle: (pull) → score → (probation) → check → decide → (train → gate → promote) → alert.

Each step is durable before the next begins.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.alert.failures import alerting_on_failure, is_transient, open_incident, resolve_incident
from trueup.flows.alert.heartbeat import beat
from trueup.flows.app import App, open_app
from trueup.flows.audit.closed_months import close_months_after_cycle
from trueup.flows.audit.prune import prune_after_cycle
from trueup.flows.check.champion import champion_of, refuse_rewind
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.document import cycle_document, document_with_alerts
from trueup.flows.cycle.first_champion import meet_champion
from trueup.flows.cycle.steps import Step, steps_of
from trueup.flows.cycle.strategies import PRODUCTION, Strategies
from trueup.flows.erase.run import finish_erasures
from trueup.flows.promote.approvals import expire_held
from trueup.flows.promote.commit import finish_undone
from trueup.flows.site.after_cycle import site_afterwards
from trueup.flows.sources.opening import feeds_of
from trueup.monitoring.causes import Cause
from trueup.storage.cycles import FINISHED, CycleRecord
from trueup.storage.errors import ModelUnusable, NoChampion, TimeRefused
from trueup.storage.leases import Lease, hold
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso
from trueup_model.kept_vectors import vectors_kept

RunStep = Callable[[Step, Callable[[], None]], None]
TRIES = 3  # of an older cycle that fails for a reason that does not pass by itself
log = logging.getLogger("trueup")


def in_this_process(step: Step, work: Callable[[], None]) -> None:
    """Run a step in this process, once; Prefect's way with retries and time limits is `cycle_flow.run_as_task`."""
    work()


@dataclass(frozen=True)
class Watch:
    """What somebody at a terminal is told while a cycle runs."""

    on_step: Callable[[str], None] = field(default=lambda name: None)
    on_candidate: Callable[[Any], None] = field(default=lambda progress: None)


@vectors_kept()
def run_cycle(
    app: App,
    stream: StreamSettings,
    as_of: datetime,
    *,
    run_step: RunStep = in_this_process,
    watch: Watch | None = None,
    strategies: Strategies = PRODUCTION,
) -> dict[str, Any]:
    """One whole cycle of a stream at a time; its document as the contract describes it.

    A finished cycle asked for again gives its stored document with `repeated`; one that a crash cut short goes on from
    its last durable step, and so do older ones that were left unfinished, before it.

    Raises:
        LeaseHeld: another process works on the stream.
        TimeRefused: the time would rewind a model.
        ModelUnusable: the champion cannot be loaded or scored; an alert of it is on its way.
        TrueupError: anything else that failed, foreseen or not; an alert of it is on its way.
    """
    watch = watch or Watch()
    with (
        hold(app.database, stream.name, clock=app.clock) as lease,
        alerting_on_failure(app, lease, stream, as_of),
    ):
        finish_undone(app, lease, stream)
        finish_erasures(app, lease, stream)
        found = app.cycles.find(stream.name, as_of)
        if found is not None and found.state == FINISHED:
            deliver_now(app)  # a crash may have come between its end and its mails
            strategies.record(app, stream)
            return document_with_alerts(app, found) | {"repeated": True}
        refuse_rewind(app, stream, as_of, _champion_if_any(app, stream))
        for left in app.cycles.unfinished(stream.name):
            if left.as_of < as_of:
                _finish_older(app, stream, lease, left, run_step, watch, strategies)
        if found is None and not feeds_of(stream):  # a resumed cycle speaks of who answered then; a pull meets it too
            meet_champion(app, lease, stream, as_of)
        return _run(app, stream, lease, as_of, run_step, watch, strategies)


def run_scheduled(
    stream: str, config: str | None, home: str, *, run_step: RunStep, watch: Watch | None = None
) -> tuple[App, dict[str, Any]]:
    """The cycle of a stream now, for the schedule: the deployment, and the cycle's document.

    Afterwards what the stream's retention lets go is removed, predictions of closed months move to the archive, and the
    site is brought up to date.
    """
    app = open_app(Path(config) if config else None, Path(home))
    with site_afterwards(app, stream):
        done = run_cycle(app, app.stream(stream), app.now(), run_step=run_step, watch=watch)
        beat(app)
        prune_after_cycle(app, app.stream(stream))
        close_months_after_cycle(app, app.stream(stream))
    return app, done


def _run(
    app: App,
    stream: StreamSettings,
    lease: Lease,
    as_of: datetime,
    run_step: RunStep,
    watch: Watch,
    strategies: Strategies,
) -> dict[str, Any]:
    cycle = app.cycles.begin(stream.name, as_of, app.now())
    context = CycleContext(app, stream, lease, cycle, watch.on_candidate, strategies)
    try:
        expire_held(app, lease, stream, as_of, cycle.id)
        for step in steps_of(stream):
            if step.name not in context.cycle.steps:
                watch.on_step(step.name)
                run_step(step, lambda step=step: step.run(context))  # type: ignore[misc]
        document = cycle_document(app, context.cycle)
        resolve = resolve_incident(app, stream, Cause.CYCLE, as_of, cycle.id)
        with lease.transaction(app.database) as connection:
            resolve(connection)
            app.cycles.finish(connection, context.cycle, document, app.now())
    except ModelUnusable as error:
        tell = open_incident(app, stream, Cause.CHAMPION, as_of, str(error), cycle.id)
        with lease.transaction(app.database) as connection:
            tell(connection)
            app.cycles.abandon(connection, context.cycle, app.now())
        deliver_now(app)
        raise
    except Exception as error:
        if not is_transient(error):
            with lease.transaction(app.database) as connection:
                app.cycles.count_failure(connection, context.cycle)
        raise
    deliver_now(app)
    strategies.record(app, stream)
    finished = app.cycles.find(stream.name, as_of)
    assert finished is not None
    return document_with_alerts(app, finished)


def _finish_older(
    app: App,
    stream: StreamSettings,
    lease: Lease,
    left: CycleRecord,
    run_step: RunStep,
    watch: Watch,
    strategies: Strategies,
) -> None:
    """Finish a cycle that was cut short; abandon it only if its time has passed for ever, or no try will succeed.

    Whatever else fails may work the next time, so it stands in the way of the newer cycle: a breach or a challenger
    of the older one is not given up for it.
    """
    try:
        refuse_rewind(app, stream, left.as_of, _champion_if_any(app, stream))
        _run(app, stream, lease, left.as_of, run_step, watch, strategies)
    except ModelUnusable:
        raise
    except Exception as error:
        found = app.cycles.find(stream.name, left.as_of) or left
        if not isinstance(error, TimeRefused) and (is_transient(error) or found.failures < TRIES):
            raise
        log.warning("the unfinished cycle of %s at %s is abandoned: %s", stream.name, iso(left.as_of), error)
        with lease.transaction(app.database) as connection:
            app.cycles.abandon(connection, found, app.now())


def _champion_if_any(app: App, stream: StreamSettings) -> Any:
    try:
        return champion_of(app, stream)
    except (NoChampion, ModelUnusable):
        return None  # the step that scores meets it again, and tells the person on call
