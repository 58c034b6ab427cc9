"""The query that a stream's settings name as its source, ready to be pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from hashlib import blake2b
from typing import Any

from trueup.feedback.readers import CHUNK, NamedRows
from trueup.feedback.sources.own_store import refuse_own_store
from trueup.feedback.sources.pulling import Feed
from trueup.feedback.sources.sql_place import SqlPlace
from trueup.feedback.sources.sql_source import SQL_PAGE, AskedRows, SqlSource
from trueup.flows.app import App
from trueup.flows.environment import secret_in_block
from trueup.storage.secrets import remember
from trueup.storage.sources.source_marks import SourceMarks
from trueup.storage.sources.source_settings import SourceSettings
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import parse_span


def sql_source_of(
    app: App,
    stream: StreamSettings,
    feed: Feed,
    settings: SourceSettings,
    table: str,
    days: Callable[[NamedRows], Iterable[tuple[str, date]]],
) -> SqlSource:
    """The query of the settings.

    table: of the settings, for people. days: id and day of all that a page holds.

    Raises:
        ConfigError: the block with its password cannot be loaded.
    """
    place = SqlPlace(settings.sql, _password(settings, table), settings.limit_span)
    own, time = (stream.id, stream.time) if feed is Feed.RECORDS else ("", stream.feedback.time)
    asked = AskedRows(settings.query, settings.cursor, settings.id or own)
    said = "\n".join((place.shown, asked.query, asked.cursor, asked.id))
    marks = SourceMarks(app.database, stream.name, feed, blake2b(said.encode(), digest_size=8).hexdigest())
    back: Any = settings.look_back
    return SqlSource(
        place,
        asked,
        marks,
        look_back=parse_span(back) if isinstance(back, str) and back else None if back == "" else back,
        settle=settings.settle_span,
        days=days,
        time_column=time if isinstance(time, str) else "",
        page=SQL_PAGE if feed is Feed.RECORDS else CHUNK,  # of feedback as many rows as are one transaction
        guard=partial(refuse_own_store, store=app.database, home=app.home),
    )


def _password(settings: SourceSettings, table: str) -> str:
    if not settings.block:
        return settings.password.get_secret_value()
    held = secret_in_block(
        settings.block,
        table,
        "so there is no password for the source. Save it in Prefect, or leave block out and set the password as a "
        "variable.",
    )
    password = str(held["password"] if isinstance(held, dict) and "password" in held else held)
    remember([password])
    return password
