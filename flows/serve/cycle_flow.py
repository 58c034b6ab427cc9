"""The Prefect flow of one scheduled cycle. Importing this imports Prefect: see `trueup.flows.environment`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import flow, get_run_logger, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.logging.handlers import APILogHandler
from prefect.states import Cancelled, Completed, State

from trueup.storage.escaping import for_markdown
from trueup.storage.schedule import next_run
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from trueup.flows.cycle.steps import Step
    from trueup.training.search import SearchProgress

log = logging.getLogger("trueup")


def next_due(scheduled: datetime, cron: str, every: float, timezone: str = "UTC") -> datetime:
    """When the run after the one scheduled for `scheduled` is due, by cron line in a time zone, or by seconds."""
    return scheduled + timedelta(seconds=every) if every else next_run(cron, timezone, scheduled)


def steps_as_tasks(stream: str, at: datetime) -> Callable[[Step, Callable[[], None]], None]:
    """Runs each step of a cycle as a Prefect task, with the step's retries and time limit."""

    def run_as_task(step: Step, work: Callable[[], None]) -> None:
        task(
            work,
            name=step.name,
            task_run_name=f"{step.name}: {name_under_way(stream, at)}",
            retries=step.retries,
            retry_delay_seconds=step.retry_seconds,
            timeout_seconds=step.time_limit_s,
            cache_policy=NO_CACHE,
            persist_result=False,
        )()

    return run_as_task


def name_under_way(stream: str, at: datetime) -> str:
    """A cycle that is under way: reviews 2020-07-31 23:59 UTC."""
    return f"{stream} {to_minute(at)}"


def name_of_run() -> str:
    """What a run of the flow is called until its outcome is known."""
    from prefect.runtime import flow_run

    return name_under_way(flow_run.parameters["stream"], flow_run.scheduled_start_time)


@flow(name="cycle", flow_run_name=name_of_run, validate_parameters=True, persist_result=False)
def cycle_flow(
    stream: str, config: str | None, home: str, cron: str = "", every: float = 0, timezone: str = "UTC"
) -> State[Any]:
    """One cycle of one stream, each step a task; its outcome stands in the run's name, tags and log, and as artifacts.

    States stay those of Prefect, Completed and Failed: in one of our own a run would fit no filter of its pages.

    A run that comes so late that the next one is due already steps aside (invariant 5): the newest speaks for the
    present, and two of them would be one cycle twice.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run and run.auto_scheduled and run.expected_start_time and (cron or every):
        due = next_due(run.expected_start_time, cron, every, timezone)
        if due <= datetime.now(UTC):
            return Cancelled(
                message=f"This run of '{stream}' was due at {run.expected_start_time:%Y-%m-%d %H:%M:%SZ} and comes too "
                f"late: the next was due at {due:%Y-%m-%d %H:%M:%SZ}, and runs in its place. Nothing was done."
            )
    from trueup.flows.cycle.run import Watch, run_scheduled
    from trueup.flows.serve.cycle_page import page_of_cycle

    at = run.expected_start_time if run and run.expected_start_time else datetime.now(UTC)
    with logged_in_prefect():
        app, done = run_scheduled(
            stream, config, home, run_step=steps_as_tasks(stream, at), watch=Watch(on_candidate=search_artifact(stream))
        )
        page = page_of_cycle(app, done)
        for line in page.lines:
            get_run_logger().info("%s", line)
    create_markdown_artifact(page.markdown, key=_key(stream, "cycle"), description="What the cycle found and did")
    for name, address in page.links[:1]:
        create_link_artifact(address, key=_key(stream, name), link_text=for_markdown(f"{name}: {page.title}"))
    if run:
        with get_client(sync_client=True) as client:
            name = f"{name_under_way(stream, at)}: {page.outcome}"
            client.update_flow_run(run.id, name=name, tags=sorted({*run.tags, *page.tags}))
    return Completed(message=page.title)


@contextmanager
def logged_in_prefect() -> Iterator[None]:
    """While it is open, warnings of trueup stand with the run in Prefect too, not only where they stand otherwise.

    What is logged for the run itself is kept from INFO on, and on Prefect's pages alone: `trueup serve` stays quiet.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).setLevel(logging.INFO)
        logging.getLogger(name).propagate = False
    handler = APILogHandler()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def search_artifact(stream: str) -> Callable[[SearchProgress], None]:
    """Keeps a progress artifact of a training's search, if there is one: made at its first fit, told of each new %."""
    made: UUID | None = None
    last = -1

    def on_candidate(progress: SearchProgress) -> None:
        nonlocal made, last
        said = for_markdown(progress.said)
        if made is None:
            created: Any = create_progress_artifact(0.0, key=_key(stream, "search"), description=said)
            made = created
        if int(progress.percent) > last:
            last = int(progress.percent)
            update_progress_artifact(made, progress=progress.percent, description=said)

    return on_candidate


def _key(stream: str, what: str) -> str:
    """An artifact's key, of the few characters that Prefect allows; what it leaves out stands in the artifact."""
    return re.sub(r"[^a-z0-9]+", "-", f"{stream}-{what}".lower()).strip("-")
