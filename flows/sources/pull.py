"""A pull: what a stream's source has that is new goes into the store."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from trueup.feedback.readers import LocalCopy, NamedRows
from trueup.feedback.sources.pulling import Feed, Pulled, Take
from trueup.flows.app import App
from trueup.flows.sources.opening import source_of
from trueup.storage.incoming import Appended
from trueup.storage.stream import StreamSettings

if TYPE_CHECKING:
    import pyarrow as pa

    from trueup.feedback.intake import OnProgress


_FIGURES = re.compile(r"\d[\d,.]*")


def pull(
    app: App,
    stream: StreamSettings,
    feed: Feed,
    *,
    on_note: Callable[[str], None] = lambda said: None,
    on_progress: OnProgress | None = None,
    within: timedelta | None = None,
) -> Pulled:
    """Take in what is new; after `within` (None: never) no further file or page is begun.

    on_note: told what the intake notes, once of many files or pages that differ in its figures alone. on_progress: told
    how many rows are done, and of how many there are in what was begun; 0: nobody knows how many.

    Raises:
        SourceFailed: the place cannot be reached or read.
        ConfigError: no source is named, its settings describe none that may be read, or the stream's schema cannot be
            followed.
    """
    begun = app.now()
    source = source_of(app, stream, feed)
    take = _taker(app, stream, feed, _once(on_note), on_progress)
    return source.pull(take, now=begun, enough=lambda: within is not None and app.now() - begun > within)


def _once(on_note: Callable[[str], None]) -> Callable[[str], None]:
    heard = set[str]()

    def noted(said: str) -> None:
        kind = _FIGURES.sub("", said)
        if kind not in heard:
            heard.add(kind)
            on_note(said)

    return noted


def _taker(
    app: App, stream: StreamSettings, feed: Feed, on_note: Callable[[str], None], on_progress: OnProgress | None
) -> Take:
    from trueup.feedback.intake import ingest, ingest_feedback  # it brings pandas
    from trueup.storage.records.appending import RecordStore

    way, before = ingest if feed is Feed.RECORDS else ingest_feedback, 0

    def take(
        rows: str | LocalCopy | pa.Table, *, name: str = "", also: Callable[[Connection], None] | None = None
    ) -> Appended:
        nonlocal before
        begun, paged = before, not isinstance(rows, str | LocalCopy)

        def moved(done: int, total: int) -> None:
            nonlocal before
            before = begun + done
            if on_progress:
                on_progress(before, 0 if paged else begun + total)

        said: dict[str, Any] = {"now": app.now(), "on_progress": moved, "on_note": on_note}
        if also is None or isinstance(rows, str | LocalCopy):
            return way(app.store, stream, [rows], **said)
        store = RecordStore(app.database.also_writing(also), app.archive, app.home)
        # one transaction, which ends with `also`
        return way(store, stream, [NamedRows(rows, name)], batch=rows.num_rows, **said)

    return take
