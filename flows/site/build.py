"""`trueup site build`: one builder at a time makes what changed, from the store, at the place that is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from trueup.flows.app import App
from trueup.flows.site.bringing import Brought, bring_up_to_date
from trueup.flows.site.layout import ASSETS, MARK, OVERVIEW, folder_of_stream
from trueup.flows.site.wanted import wanted_pages
from trueup.reports.masking import masks_at
from trueup.storage.errors import InputError, LeaseHeld
from trueup.storage.leases import Lease, hold, reading
from trueup.storage.locations import checked_archive
from trueup.storage.site_journal import SiteJournal, digest, journal_file
from trueup.storage.site_place import SitePlace
from trueup.storage.tabular import Tabular

WAIT = timedelta(seconds=120)  # for another builder of the same place


@dataclass(frozen=True, kw_only=True)
class SiteBuild(Tabular):
    """A site that was built. to, index: its place, and the page to begin at. url: where people read it, if that is set.

    pages: that it has (of the streams that were built). made: of them, now. written, removed: files. masked: whether
    personal data is.
    """

    to: str
    index: str
    url: str
    pages: int
    made: int
    written: int
    removed: int
    masked: bool


def build_site(
    app: App,
    to: str = "",
    *,
    streams: Sequence[str] | None = None,
    mask: bool | None = None,
    afresh: bool = False,
    wait: timedelta = WAIT,
    on_page: Callable[[int, int], None] = lambda done, of: None,
) -> SiteBuild:
    """Bring the site at a place up to date.

    Args:
        to: a folder or an fsspec URL; empty: that of `[site] to`, or else a folder of the home.
        streams: only pages of these, and those above them; None: of all, and pages of streams that are gone go.
        mask: whether personal data is masked; None: as `[site] mask` says.
        afresh: make and write every page, also what did not change.
        wait: how long for another builder of the same place.
        on_page: told how many pages are made, and of how many.

    Raises:
        InputError: the place cannot be written, or holds pages that are not this deployment's.
        LeaseHeld: another process builds it.
    """
    place = SitePlace(_checked(to or site_location(app)))
    masked = masks_at(app.settings.site.mask, place.to) if mask is None else mask
    names = list(app.settings.streams)
    built = names if streams is None else [name for name in names if name in streams]
    others = tuple(f"{folder_of_stream(name)}/" for name in names if name not in built)
    journal_at = journal_file(app.home, app.settled, place.to)
    with _alone(app, place, wait) as lease, closing(SiteJournal(journal_at)) as journal, ExitStack() as leases:
        for name in built:
            leases.enter_context(reading(app.database, name, clock=app.clock))
        if afresh or not journal.pages or _wiped(place):
            _take_possession(app, place)
            journal.forget()
        done = bring_up_to_date(
            place, journal, wanted_pages(app, built, masked=masked),
            concerns=lambda page: not others or not page.startswith((f"{ASSETS}/", *others)),
            confirm=lambda: lease.confirm(app.database), on_page=on_page,
        )  # fmt: skip
    return _built(app, place, done, masked)


def site_location(app: App) -> str:
    """Where the deployment's site lies: `[site] to`, or else a folder of the home."""
    return app.settings.site.to or str(app.home / "site")


@contextmanager
def _alone(app: App, place: SitePlace, wait: timedelta) -> Iterator[Lease]:
    """Hold the place, by a lease in the store that is no stream's."""
    try:
        with hold(app.database, f"site {digest(place.to.encode())}", clock=app.clock, wait=wait) as lease:
            yield lease
    except LeaseHeld as error:
        raise LeaseHeld(
            f"Another process builds the site at '{place.where()}', so nothing more was done here. What it writes is "
            "the same; try again when it is done."
        ) from error


def _wiped(place: SitePlace) -> bool:
    """Whether a folder that was written is gone; a bucket is not asked."""
    return place.folder is not None and not (place.folder / MARK).exists()


def _take_possession(app: App, place: SitePlace) -> None:
    """Mark the place as this deployment's, unless somebody else's pages lie there.

    Raises:
        InputError: they do.
    """
    mine = app.settled.identity.id if app.settled else ""
    mark = place.read(MARK)
    if mark is None and place.read(OVERVIEW) is not None:
        raise InputError(
            f"'{place.where(OVERVIEW)}' was not written by trueup, so nothing was written there. Name another folder, "
            "or remove that page."
        )
    if mark is not None and mark != _mark(mine):
        raise InputError(
            f"'{place.where()}' holds the site of another deployment, so nothing was written there. Name another "
            f"place; if that deployment is gone, remove '{MARK}' there and build again."
        )
    place.write({MARK: _mark(mine)})


def _mark(deployment: str) -> bytes:
    return json.dumps({"made by": "trueup", "deployment": deployment}).encode()


def _built(app: App, place: SitePlace, done: Brought, masked: bool) -> SiteBuild:
    own = place.to == _checked(site_location(app))
    return SiteBuild(
        to=place.where(), index=place.where(OVERVIEW), url=app.settings.site.url if own else "", pages=done.pages,
        made=done.made, written=done.written, removed=done.removed, masked=masked,
    )  # fmt: skip


def _checked(to: str) -> str:
    """The place, a folder as a whole path: a journal is found by it from wherever a command is run.

    Raises:
        InputError: nothing can be written to such a place.
    """
    try:
        checked = checked_archive(to)
    except ValueError as error:
        raise InputError(f"'{to}' is no place for a site: {error}. Nothing was written.") from None
    return checked if "://" in checked else str(Path(checked).expanduser().absolute())
