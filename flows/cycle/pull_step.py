"""The pull step: what the stream's sources have that is new is taken in, and one that fails is an incident."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from trueup.feedback.sources.pulling import Pulled
from trueup.flows.alert.failures import open_incident, resolve_incident
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.first_champion import meet_champion
from trueup.flows.cycle.outputs import PullOutput
from trueup.flows.sources.opening import feeds_of
from trueup.flows.sources.pull import pull
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check
from trueup.reports.alerts.plain_figures import lasted, moment
from trueup.storage.arrival_courses import ArrivalCourses
from trueup.storage.errors import ConfigError, SourceFailed

LIMIT = timedelta(minutes=25)  # after which a pull begins nothing further, so that a first one does not hold up checks
_PROBLEMS = 20  # that are kept with the cycle
log = logging.getLogger("trueup")


def pull_step(context: CycleContext) -> None:
    """Take in what is new. A source that fails opens the incident, and the cycle goes on with what there is."""
    app, stream, cycle = context.app, context.stream, context.cycle
    feeds: dict[str, dict[str, Any]] = {}
    for feed in feeds_of(stream):
        try:
            feeds[str(feed)] = _kept(pull(app, stream, feed, within=LIMIT, on_note=lambda said: log.info("%s", said)))
        except (SourceFailed, ConfigError) as error:
            feeds[str(feed)] = {"failed": str(error)}
    meet_champion(app, context.lease, stream, cycle.as_of)
    newest = _newest(context) if any("failed" in found for found in feeds.values()) else None
    output = PullOutput(feeds=feeds, newest=newest)
    if output.trouble:
        tell = open_incident(app, stream, Cause.SOURCE, cycle.as_of, output.trouble, cycle.id)
    else:
        tell = resolve_incident(app, stream, Cause.SOURCE, cycle.as_of, cycle.id)
    with context.step("pull", output) as connection:
        tell(connection)


def with_age_of_data(context: CycleContext, check: Check) -> Check:
    """The check, with a note of how old its newest record is where a source could not be read before it."""
    pulled = context.output_of(PullOutput)
    if pulled is None or not pulled.failed:
        return check
    return replace(check, notes=(*check.notes, age_of_data(pulled, check.last_time, context.cycle.as_of)))


def age_of_data(pulled: PullOutput, last_time: str | None, as_of: datetime) -> str:
    """That a source failed, and what it means for a check. last_time: of the newest record that the check read."""
    failing = " and ".join(feed for feed, found in pulled.feeds.items() if "failed" in found)
    time, where = (last_time, "of this check") if last_time else (pulled.newest, "stored")
    if time is None:
        return f"The source of {failing} failed, and no record is stored yet, so there is nothing to check."
    newest = datetime.fromisoformat(time)
    return (
        f"The source of {failing} failed, so newer data is probably missing: the newest record {where} is "
        f"{lasted(as_of - newest)} old ({moment(newest)})."
    )


def _newest(context: CycleContext) -> str | None:
    found = ArrivalCourses(context.app.database).last_record(context.stream.name, context.cycle.as_of)
    return found.isoformat() if found else None


def _kept(pulled: Pulled) -> dict[str, Any]:
    """What a pull brought, as the cycle keeps it: of files how many came to what."""
    rows = pulled.rows
    return {
        "accepted": rows.accepted, "duplicate": rows.duplicate, "quarantined": rows.quarantined,
        "erased": rows.erased,
        "files": dict(Counter(str(file.outcome) for file in pulled.files)),
        "problems": list(pulled.problems[:_PROBLEMS]), "unfinished": pulled.unfinished,
    }  # fmt: skip
