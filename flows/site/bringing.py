"""A place brought up to date with the pages that are wanted: only what changed is made, written or removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from trueup.storage.site_journal import SiteJournal, WrittenPage, digest
from trueup.storage.site_place import SitePlace

_AT_ONCE = 64  # pages that are written together
_MOST = 16_000_000  # bytes of such a batch


@dataclass(frozen=True)
class WantedPage:
    """A page that should lie at the place.

    stamp: of all that it is made from; empty: it is made each time, and written where it came out another one.
    make: the page and the files beside it, by name.
    """

    page: str
    stamp: str
    make: Callable[[], Mapping[str, bytes]]


@dataclass(frozen=True)
class Brought:
    """What was done. pages: that are wanted. made: of them. written, removed: files."""

    pages: int
    made: int
    written: int
    removed: int


def stale_pages(
    wanted: Iterable[WantedPage], lying: Mapping[str, WrittenPage], doubtful: AbstractSet[str]
) -> Iterator[WantedPage]:
    """The wanted pages that are to be made: new, of another stamp, or with a file that a crash left in doubt."""
    for one in wanted:
        known = lying.get(one.page)
        if not one.stamp or known is None or known.stamp != one.stamp or not doubtful.isdisjoint(known.files):
            yield one


def fallen_out(wanted: Iterable[str], lying: Iterable[str], concerns: Callable[[str], bool]) -> list[str]:
    """The pages that lie there and that nobody wants any more, of those that this build decides about."""
    kept = set(wanted)
    return [page for page in lying if page not in kept and concerns(page)]


def bring_up_to_date(
    place: SitePlace,
    journal: SiteJournal,
    wanted: Sequence[WantedPage],
    *,
    concerns: Callable[[str], bool] = lambda page: True,
    confirm: Callable[[], None] = lambda: None,
    on_page: Callable[[int, int], None] = lambda done, of: None,
) -> Brought:
    """Make what is stale, in the order given, and remove what fell out before the last page is written.

    concerns: whether this build decides about a page that it does not want. confirm: asked before each batch; what it
    raises ends the build. on_page: told how many pages are done, and of how many.

    Raises:
        InputError: the place cannot be written; what was written is known, and the next build goes on from there.
    """
    stale = list(stale_pages(wanted, journal.pages, journal.doubtful))
    written, done = 0, 0
    for batch in _batches(stale[:-1]):
        written += _write(place, journal, batch, confirm)
        done += len(batch)
        on_page(done, len(stale))
    out = fallen_out((one.page for one in wanted), list(journal.pages), concerns)
    removed = _remove(place, journal, out, confirm)
    if stale:
        written += _write(place, journal, [(stale[-1], stale[-1].make())], confirm)
        on_page(len(stale), len(stale))
    return Brought(len(wanted), len(stale), written, removed)


def _batches(stale: Iterable[WantedPage]) -> Iterator[list[tuple[WantedPage, Mapping[str, bytes]]]]:
    batch, size = [], 0
    for one in stale:
        files = one.make()
        batch.append((one, files))
        size += sum(map(len, files.values()))
        if len(batch) >= _AT_ONCE or size >= _MOST:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _write(
    place: SitePlace, journal: SiteJournal, batch: Sequence[tuple[WantedPage, Mapping[str, bytes]]],
    confirm: Callable[[], None],
) -> int:
    """Write what of a batch is new or another one, and take away what is no longer beside its page."""
    confirm()
    files: dict[str, bytes] = {}
    pages: dict[str, WrittenPage] = {}
    beside: set[str] = set()
    for one, made in batch:
        known = journal.pages.get(one.page, WrittenPage(""))
        now = WrittenPage(one.stamp, {name: digest(data) for name, data in made.items()})
        files |= {
            name: made[name] for name, told in now.files.items()
            if known.files.get(name) != told or name in journal.doubtful
        }
        beside |= known.files.keys() - now.files.keys()
        if now != known:
            pages[one.page] = now
    if files or beside:
        journal.about_to([*files, *beside])
        place.write(files)
    if pages or files:
        journal.made(pages)
        journal.settled(files.keys() & journal.doubtful)
    for name in sorted(beside):
        place.remove(name)
    if beside:
        journal.settled(beside)
    return len(files)


def _remove(place: SitePlace, journal: SiteJournal, out: Sequence[str], confirm: Callable[[], None]) -> int:
    """Remove these pages with the files beside them, and what a crash left that belongs to no page."""
    lying = journal.names()
    left = sorted(name for name in journal.doubtful if name not in lying)
    if out or left:
        confirm()
    going = {name for page in out for name in journal.pages[page].files}
    kept = {name for page, written in journal.pages.items() if page not in set(out) for name in written.files}
    journal.about_to(going - kept) if going - kept else None
    for name in sorted(going - kept):
        place.remove(name)
    for page in out:
        journal.removed(page)
    for name in left:
        place.remove(name)
    if left:
        journal.settled(left)
    return len(going - kept) + len(left)
