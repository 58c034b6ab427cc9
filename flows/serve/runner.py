"""The schedule: one Prefect deployment per stream, run by this process until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from trueup.flows.environment import prepare
from trueup.flows.serve.prefect_server import listening, start_server
from trueup.storage.errors import TrueupError

if TYPE_CHECKING:
    from prefect.runner import Runner

log = logging.getLogger("trueup")

POLL_SECONDS = 5.0  # how often the runner asks for runs
AHEAD_SECONDS = 5.0  # how early a run's process starts, to wait for its time; it takes its place from then on
_START_SECONDS = 180.0
_STOP_SECONDS = 45.0
DELIVERY_SECONDS = 60.0  # how often alerts that wait in the outbox are tried; their own back-off decides when


class ScheduleFailed(TrueupError):
    """The schedule could not start, or stopped by itself."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """When one stream's cycles run: by cron line in a time zone, or every so many seconds."""

    stream: str
    cron: str = ""
    timezone: str = "UTC"
    every: float = 0


@dataclass(frozen=True, kw_only=True)
class RunningSchedule:
    """A schedule in force. `url` is Prefect's console, `own_server` whether the server is this process's child."""

    url: str
    own_server: bool
    failed: threading.Event  # set when the runner ended although nobody asked it to


@contextmanager
def running_schedule(
    plans: Sequence[Planned], *, home: Path, config: Path | None, port: int
) -> Iterator[RunningSchedule]:
    """Run the planned cycles in the background while the context is open, each run in a process of its own.

    Unless PREFECT_API_URL names a server, one is started on loopback with its database in `<home>/prefect`. Leaving
    the context cancels the run in progress (its next one resumes it), and ends every process that was started.

    Raises:
        PrefectServerFailed: the server did not come up.
        ScheduleFailed: the deployments could not be made, or another process runs this home's schedule.
    """
    prepare(home)
    with ExitStack() as stack:
        api_url = os.environ.get("PREFECT_API_URL", "")
        own = not api_url
        if own:
            stack.enter_context(_only_one(home))
            place = stack.enter_context(listening(port))
            chosen = place.getsockname()[1]
            if chosen != port:
                log.warning("port %s is taken by another program; Prefect's pages are at %s this time", port, chosen)
            server = start_server(home, place)
            stack.callback(server.stop)
            api_url = server.api_url
        runner = _BackgroundRunner(plans, home=home, config=config, api_url=api_url, clear_up=own)
        stack.callback(runner.stop)
        runner.start()
        yield RunningSchedule(url=api_url.removesuffix("/api"), own_server=own, failed=runner.ended)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """The right to run a home's schedule on a server of its own, which ends with the process that has it."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(home.resolve() / "prefect" / "serve.lock", timeout=0):
            yield
    except Timeout:
        raise ScheduleFailed(
            f"Another `trueup serve` runs the schedule of '{home}' already, so this one was not started. Stop that one "
            "first, or give this deployment a home folder of its own with --home."
        ) from None


def serve(
    plans: Sequence[Planned],
    *,
    home: Path,
    config: Path | None,
    port: int,
    announce: Callable[[RunningSchedule], None],
    deliver: Callable[[], None],
) -> None:
    """Run the schedule until SIGINT or SIGTERM, then end everything that was started.

    `announce` is told once, when scheduled runs can start. `deliver` sends the alerts that are due; it is called at the
    start and every minute, so that a mail need not wait for the next cycle.

    Raises:
        ScheduleFailed: the runner stopped by itself.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running_schedule(plans, home=home, config=config, port=port) as schedule:
        announce(schedule)
        deliver_at = time.monotonic()
        while not stop.wait(1.0):
            if time.monotonic() >= deliver_at:
                _deliver(deliver, schedule.url)
                deliver_at = time.monotonic() + DELIVERY_SECONDS
            if schedule.failed.is_set():
                raise ScheduleFailed(
                    f"The schedule stopped by itself: Prefect's runner ended (server: {schedule.url}). "
                    "Cycles do not run until `trueup serve` is started again; stored data is untouched."
                )


def _deliver(deliver: Callable[[], None], url: str) -> None:
    """Send what is due; a store that does not answer this minute may answer the next, and must not end the schedule."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    try:
        with temporary_settings({PREFECT_API_URL: f"{url}/api"}):  # where a mail server's block is saved
            deliver()
    except (TrueupError, SQLAlchemyError, OSError) as error:
        log.warning("alerts could not be delivered and are tried again in a minute: %s", error)


class _BackgroundRunner:
    """Prefect's runner in a thread with a loop of its own, so that the main thread stays free for signals and HTTP."""

    def __init__(
        self, plans: Sequence[Planned], *, home: Path, config: Path | None, api_url: str, clear_up: bool
    ) -> None:
        self._plans = plans
        self._home = home.resolve()
        self._config = config.resolve() if config else None
        self._api_url = api_url
        self._clear_up = clear_up
        self._ready = threading.Event()
        self.ended = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: Runner | None = None
        self._thread = threading.Thread(target=self._run, name="trueup-schedule", daemon=True)

    def start(self) -> None:
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or self._failure:
            raise ScheduleFailed(
                f"Prefect at {self._api_url} did not take the schedule: {self._failure or 'no answer in time'}. "
                "No cycle runs by itself; stored data is untouched."
            ) from self._failure

    def stop(self) -> None:
        """Stop asking for runs, cancel what runs, and wait for it."""
        if self._loop and self._runner and not self.ended.is_set():
            asyncio.run_coroutine_threadsafe(self._runner.astop(), self._loop)
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        from prefect.settings import PREFECT_API_URL, temporary_settings

        # Settings are read once, on import, which may have been before the server had its address.
        with temporary_settings({PREFECT_API_URL: self._api_url}):
            try:
                asyncio.run(self._serve())
            except Exception as error:  # noqa: BLE001 - told to the main thread, which raises it
                self._failure = error
            finally:
                self.ended.set()
                self._ready.set()

    async def _serve(self) -> None:
        from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
        from prefect.schedules import Cron, Interval

        from trueup.flows.serve.cycle_flow import cycle_flow
        from trueup.flows.serve.stale_runs import clear_up
        from trueup.flows.serve.warm_runner import runner_class

        self._loop = asyncio.get_running_loop()
        runner = runner_class()(
            name="trueup", query_seconds=POLL_SECONDS, prefetch_seconds=AHEAD_SECONDS, pause_on_shutdown=False
        )
        for plan in self._plans:
            if self._clear_up:
                await clear_up(plan.stream)
            when = Interval(plan.every) if plan.every else Cron(plan.cron, timezone=plan.timezone)
            await runner.aadd_flow(
                cycle_flow,
                name=plan.stream,
                schedule=when,
                parameters={
                    "stream": plan.stream,
                    "config": str(self._config) if self._config else None,
                    "home": str(self._home),
                    "cron": plan.cron,
                    "every": plan.every,
                    "timezone": plan.timezone,
                },
                concurrency_limit=ConcurrencyLimitConfig(
                    limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
                ),
                description=f"The cycle of stream '{plan.stream}'",
                tags=["trueup"],
            )
        self._runner = runner
        asyncio.get_running_loop().call_soon(self._ready.set)
        await runner.start()
