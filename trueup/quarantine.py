"""What was refused, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.storage.errors import InputError
from trueup.storage.tabular import Listing

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

    def list(self, limit: int | None = 100) -> Listing[QuarantineItem]:
        """What was refused and is not released, newest first; None: all of it."""
        from trueup.feedback.quarantine import quarantined

        return Listing(quarantined(self._app.store, self._settings, limit=limit))

    def show(self, item: str) -> QuarantineItem:
        """One refused item with its raw content.

        Raises:
            InputError: there is none of this id.
        """
        from trueup.feedback.quarantine import quarantined_item

        return quarantined_item(self._app.store, self._settings, item)

    def release(self, *items: str, every: bool = False) -> Listing[Release]:
        """Judge refused items anew by today's schema, and store those that hold now.

        Args:
            items: their ids. every: in place of ids, all that is not released.

        Raises:
            InputError: neither items nor `every` were given, or both.
        """
        from trueup.feedback.quarantine import release_all

        if every == bool(items):
            raise InputError("Name the items to judge anew, or give --all, and not both. Nothing was released.")
        chosen = items or tuple(item.id for item in self.list(limit=None))
        return Listing(release_all(self._app.store, self._settings, chosen, now=self._app.now()))
