"""The Prefect flow of one scheduled cycle. Importing this imports Prefect: see `trueup.flows.environment`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.states import Cancelled, Completed, State

from trueup.storage.escaping import for_markdown
from trueup.storage.schedule import next_run

if TYPE_CHECKING:
    from trueup.flows.cycle.steps import Step
    from trueup.training.search import SearchProgress


def next_due(scheduled: datetime, cron: str, every: float, timezone: str = "UTC") -> datetime:
    """When the run after the one scheduled for `scheduled` is due, by cron line in a time zone, or by seconds."""
    return scheduled + timedelta(seconds=every) if every else next_run(cron, timezone, scheduled)


def run_as_task(step: Step, work: Callable[[], None]) -> None:
    """Run one step of a cycle as a Prefect task, with the step's retries and time limit."""
    task(
        work,
        name=step.name,
        retries=step.retries,
        retry_delay_seconds=step.retry_seconds,
        timeout_seconds=step.time_limit_s,
        cache_policy=NO_CACHE,
        persist_result=False,
    )()


@flow(name="cycle", flow_run_name="{stream}", validate_parameters=True, persist_result=False)
def cycle_flow(
    stream: str, config: str | None, home: str, cron: str = "", every: float = 0, timezone: str = "UTC"
) -> State[Any]:
    """One cycle of one stream, each step a task; its summary and its report become artifacts.

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
                f"late: the next was due at {due:%Y-%m-%d %H:%M:%SZ}, and speaks for it. Nothing was done."
            )
    from trueup.flows.cycle.run import Watch, run_scheduled

    watch = Watch(on_candidate=search_artifact(stream))
    done = run_scheduled(stream, config, home, run_step=run_as_task, watch=watch)
    summary = str(done["summary"])
    create_markdown_artifact(summary, key=_key(stream, "cycle"), description="What the cycle found and did")
    if done["report_path"]:
        path = Path(done["report_path"])
        where = for_markdown(str(path))
        create_link_artifact(path.as_uri(), key=_key(stream, "report"), link_text=path.name, description=where)
    title = summary.splitlines()[0].lstrip("# ").replace("\\", "")  # a state's message is no Markdown
    return Completed(message=title)


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
