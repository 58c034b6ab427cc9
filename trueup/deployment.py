"""One deployment: what `trueup.open` gives, and what concerns all of its streams."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from trueup.storage.errors import ConfigError, InputError
from trueup.storage.tabular import Listing
from trueup.stream import Stream

if TYPE_CHECKING:  # what each method gives back is imported where it is made: an ingest starts without the rest
    from trueup.alerts import Alerts
    from trueup.flows.admin.adopt import Adoption
    from trueup.flows.admin.doctor import Finding
    from trueup.flows.admin.status import StreamStatus
    from trueup.flows.app import App
    from trueup.initial import InitResult
    from trueup.site import Site
    from trueup.stored_reports import Reports

_LONGEST_PAUSE = 365 * 86_400  # seconds between two cycles


def open_deployment(config: str | Path | None = None, home: str | Path | None = None) -> Deployment:
    """The deployment that a settings file describes.

    Args:
        config: the file; left out, `trueup.toml` of this folder or of one above it.
        home: the folder that holds all state; left out, `.trueup` beside the file.

    Raises:
        ConfigError: there is no such file, or it does not describe a deployment.
    """
    from trueup.flows.app import open_app

    return Deployment(open_app(_path(config), _path(home)))


def init(
    source: str | Path | None = None,
    stream: str = "reviews",
    config: str | Path | None = None,
    home: str | Path | None = None,
    *,
    row_order: bool = False,
) -> InitResult:
    """Write a commented `trueup.toml`; with `source`, a file of records, what it holds is concluded from that.

    A file of settings that is there gets the stream, and nothing else of it changes. What the file of records does not
    decide is written commented out, to choose from.

    Args:
        row_order: the records have no clock: the order of their rows is the time.

    Raises:
        ConfigError: the settings name the stream already, or cannot be written.
        InputError: `source` cannot be read.
    """
    from datetime import UTC, datetime

    from trueup.flows.admin.initial_settings import first_settings, template, write_settings
    from trueup.flows.settings import SETTINGS_FILE, home_beside
    from trueup.initial import InitResult

    file = Path(config) if config else Path.cwd() / SETTINGS_FILE
    if source is None:
        if file.exists():
            raise ConfigError(f"'{file}' exists already and was left as it is. Edit it, or remove it first.")
        write_settings(file, template(), stream)
        found = None
    else:
        found = first_settings(str(source), stream, datetime.now(UTC), row_order=row_order, folder=file.parent)
        write_settings(file, found.text, stream, complete=not found.must_decide)
    if found is not None and found.must_decide:
        return InitResult(file.absolute(), home_beside(file, _path(home)), stream, found)
    with open_deployment(file, home) as made:
        return InitResult(file.absolute(), made.home, stream, found)


def demo(folder: str | Path | None = None, *, as_json: bool = False) -> None:
    """Run the whole loop on a made stream with a known break, and tell it on standard output.

    Args:
        folder: where to; left out, a new temporary folder.
        as_json: print one JSON document in place of the story.
    """
    from trueup.flows.demo.run import run_demo

    run_demo(_path(folder), as_json=as_json)


@dataclass(frozen=True)
class Deployment:
    """An open deployment. Close it when done, or use it as a context manager."""

    _app: App

    @property
    def config(self) -> Path | None:
        """The settings file; None where the deployment has none."""
        return self._app.config

    @property
    def home(self) -> Path:
        """The folder that holds all state."""
        return self._app.home

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the streams, as the settings list them."""
        return tuple(self._app.settings.streams)

    def stream(self, name: str | None = None) -> Stream:
        """A stream by its name, which may be left out where the settings hold one stream.

        Raises:
            ConfigError: there is no stream of this name, or none was named where there are several.
        """
        if name is None:
            name = self._only_stream()
        return Stream(self._app, self._app.stream(name))

    @property
    def reports(self) -> Reports:
        """The stored reports of all streams."""
        from trueup.stored_reports import Reports

        return Reports(self._app, None)

    @property
    def site(self) -> Site:
        """Plain pages of all streams."""
        from trueup.site import Site

        return Site(self._app)

    @property
    def alerts(self) -> Alerts:
        """Incidents and the outbox of all streams."""
        from trueup.alerts import Alerts

        return Alerts(self._app, None)

    def status(self) -> Listing[StreamStatus]:
        """How each stream stands, and when its next cycle is."""
        from trueup.flows.admin.status import statuses

        return Listing(statuses(self._app))

    def doctor(self) -> Listing[Finding]:
        """What is wrong with this installation, and how to fix it."""
        from trueup.flows.admin.doctor import examine

        return Listing(examine(self._app))

    def adopt(self, why: str, *, take_over: bool = False) -> Adoption:
        """Make a copied home that shares a store, archive or registry with its original a deployment of its own.

        Args:
            why: the reason, kept in the store.
            take_over: the original may not write any more, and its models are read as this one's.

        Raises:
            InputError: it is no copy, or there is no reason.
        """
        from trueup.flows.admin.adopt import adopt

        return adopt(self._app, why, take_over=take_over)

    def serve(
        self, *, every: float = 0, announce: Callable[[tuple[str, ...], str, str], None] | None = None
    ) -> None:
        """Run every stream's schedule through Prefect, until stopped.

        Args:
            every: seconds between the cycles of each stream, in place of its cron line.
            announce: told once, when all is up: the streams, the address of Prefect's pages, and that of trueup's own
                (empty where they are switched off or no port can be opened).

        Raises:
            InputError: no stream has a schedule, or `every` is neither 0 nor from a second to a year.
        """
        if every and not 1 <= every <= _LONGEST_PAUSE:
            raise InputError(f"every = {every} is not from 1 to {_LONGEST_PAUSE:,} seconds. Nothing was started.")
        from trueup.flows.alert.dispatch import deliver_now
        from trueup.flows.serve.pages.server import served_pages
        from trueup.flows.serve.runner import Planned
        from trueup.flows.serve.runner import serve as run

        app = self._app
        plans = [
            Planned(stream=name, cron=stream.schedule.cron, timezone=stream.schedule.timezone, every=every)
            for name, stream in app.settings.streams.items()
            if every or stream.schedule.cron
        ]
        if not plans:
            raise InputError(
                "No stream has a schedule, so nothing would ever run. Write cron under [streams.<name>.schedule]."
            )

        with ExitStack() as stack:

            def started(schedule: Any) -> None:
                settings = app.settings.serve
                pages = stack.enter_context(served_pages(app, settings.pages_port)) if settings.pages else ""
                if announce:
                    announce(tuple(plan.stream for plan in plans), schedule.url, pages)

            run(
                plans,
                home=app.home,
                config=app.config,
                port=app.settings.serve.port,
                announce=started,
                deliver=lambda: deliver_now(app),
            )

    def ui(
        self, *, port: int = 8000, edit: bool = False, announce: Callable[[str], None] | None = None
    ) -> None:
        """Show the stored reports of all streams in Evidently's own UI on loopback, until Ctrl-C.

        Args:
            port: of 127.0.0.1; 0: one that is free.
            edit: let whoever reaches the port change and delete in the UI; otherwise it is read-only.
            announce: told the address, once the UI has read the reports.

        Raises:
            InputError: the port is taken. EvidentlyUiFailed: the UI did not come up, or ended by itself.
        """
        from trueup.flows.serve.evidently_ui import show_evidently_ui

        show_evidently_ui(self._app, self.streams, port=port, edit=edit, announce=announce or (lambda url: None))

    def close(self) -> None:
        """Let go of the store."""
        self._app.close()

    def __enter__(self) -> Deployment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()

    def __repr__(self) -> str:
        return f"<trueup deployment of {', '.join(self.streams) or 'no stream'} at {self.home}>"

    def _only_stream(self) -> str:
        if len(self.streams) == 1:
            return self.streams[0]
        if not self.streams:
            return "reviews"  # the name that `init` gives; the settings say that there is none
        raise ConfigError(
            f"The settings hold {len(self.streams)} streams ({', '.join(self.streams)}), so one has to be named: "
            f"--stream {self.streams[0]}. Nothing was done."
        )


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
