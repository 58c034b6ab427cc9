"""What was refused, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.storage.errors import InputError
from trueup.storage.tabular import Listing, Page
from trueup.storage.timepoints import parse_since

if TYPE_CHECKING:
    from trueup.feedback.quarantine import Release
    from trueup.flows.app import App
    from trueup.storage.incoming import QuarantineItem
    from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class Quarantine:
    """The refused items of a stream."""

    _app: App
    _settings: StreamSettings

    def list(
        self, limit: int | None = 100, *, since: str | None = None, reason: str | None = None
    ) -> Page[QuarantineItem]:
        """What was refused and is not released, newest first; `total` of what comes back says how many there are.

        Args:
            limit: how many at most; None: all.
            since: from when it was received: a span back from now ("7d") or a time.
            reason: only what was refused for it.

        Raises:
            UsageError: `since` cannot be read.
        """
        start = parse_since(since, now=self._app.now())
        found, total = self._app.store.quarantine.page(self._settings, limit=limit, since=start, reason=reason)
        return Page(found, total)

    def show(self, item: str) -> QuarantineItem:
        """One refused item with its raw content, by its id or the beginning of it; "last": the newest.

        Raises:
            InputError: there is none, or more than one.
        """
        from trueup.feedback.quarantine import quarantined_item

        return quarantined_item(self._app.store, self._settings, self._meant(item))

    def _meant(self, typed: str) -> str:
        from trueup.storage.short_ids import NEWEST, the_one

        listed = f"trueup quarantine list --stream {self._settings.name}"
        if typed == NEWEST:
            newest = self.list(limit=1)
            found = [newest[0].id] if newest else []
            return found[0] if found else the_one(typed, (), of="item", listed=listed)
        return the_one(typed, self._app.store.quarantine.beginning(self._settings, typed), of="item", listed=listed)

    def release(self, *items: str, every: bool = False) -> Listing[Release]:
        """Judge refused items anew by today's schema, and store those that hold now.

        Args:
            items: their ids, or the beginnings of them. every: in place of ids, all that is not released.

        Raises:
            InputError: neither items nor `every` were given, or both, or one of them is not there.
        """
        from trueup.feedback.quarantine import release_all

        if every == bool(items):
            raise InputError("Name the items to judge anew, or give --all, and not both. Nothing was released.")
        chosen = tuple(map(self._meant, items)) or tuple(item.id for item in self.list(limit=None))
        return Listing(release_all(self._app.store, self._settings, chosen, now=self._app.now()))
