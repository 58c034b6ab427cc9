"""What a stream began with, in its own row: locked while records are appended."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.content import split_of
from trueup.storage.database import Database
from trueup.storage.errors import ConfigError
from trueup.storage.formatting import listed
from trueup.storage.row_ids import hashed_columns
from trueup.storage.stream import StreamSettings


def locked_stream(database: Database, connection: Connection, stream: StreamSettings) -> tuple[int, int]:
    """The stream's number and the next place in intake order; its row stays locked until the transaction ends.

    Raises:
        ConfigError: its records were split by other settings.
    """
    split, hashed = split_of(stream), hashed_columns(stream).as_json()
    own = t.streams.c.name == stream.name
    locked = sa.select(t.streams).where(own).with_for_update()
    found = connection.execute(locked).one_or_none()
    if found is None:
        begun = {"name": stream.name, "next_seq": 0, "split": split, "hashed": hashed}
        database.insert_new(connection, t.streams, [begun])
        found = connection.execute(locked).one()
    if found.next_seq == 0:
        connection.execute(sa.update(t.streams).where(own).values(split=split, hashed=hashed))
    elif found.split is None:
        connection.execute(sa.update(t.streams).where(own).values(split=split))
    elif found.split != split:
        _refuse_split(stream.name, found.split, split)
    return int(found.number), int(found.next_seq)


def _refuse_split(stream: str, stored: dict[str, Any], asked: dict[str, Any]) -> None:
    changed = [key for key in asked if stored.get(key) != asked[key]]
    said = ", ".join(f"{key} was {listed(stored.get(key))} and is {listed(asked[key])} now" for key in changed)
    raise ConfigError(
        f"Stream '{stream}' holds records that were split by other settings: {said}. Records of one group would fall "
        "on both sides, and a model would be judged on what it was trained on. Nothing was stored. Set it back, or "
        "give the stream a new name and ingest its records there."
    )
