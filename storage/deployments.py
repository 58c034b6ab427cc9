"""Which deployments use a store, and which of them may write to it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.database import Database
from trueup.storage.errors import ConfigError
from trueup.storage.identity import Identity, Settled, is_still_there


def claim(database: Database, settled: Settled, home: Path, now: datetime) -> None:
    """Write down that the deployment uses this store, before it writes anything else.

    Raises:
        ConfigError: it is a copy that nobody decided of, or another one took its place.
    """
    if settled.refusal:
        raise ConfigError(settled.refusal)
    own = settled.identity
    row = _row(database, own.id)
    if row is not None and row.replaced_by:
        raise ConfigError(
            f"Another deployment took this one's place on {row.replaced_at:%Y-%m-%d %H:%M} UTC ({row.replaced_why}), "
            "so it may not write here any more. Nothing was written. To go on all the same: trueup adopt --why '...'"
        )
    place = {"path": own.path, "host": own.host}
    if row is None:
        with database.write_unasked() as connection:
            database.insert_new(connection, t.deployments, [{"id": own.id, **place, "first_at": now, "why": ""}])
    elif (row.path, row.host) != (own.path, own.host):
        there = Identity(id=own.id, path=row.path, host=row.host, inode=0, made_at="")
        if row.host == own.host and row.path not in own.moved_from and is_still_there(there, home):
            copy = Settled(identity=own, original=row.path, common=("store",))
            raise ConfigError(copy.refusal)
        with database.write_unasked() as connection:
            connection.execute(sa.update(t.deployments).where(t.deployments.c.id == own.id).values(place))


def enter_adopted(
    database: Database, own: Identity, former: str, now: datetime, why: str, *, take_over: bool
) -> None:
    """Enter a deployment that was a copy; with `take_over` the one of the id `former` may not write any more."""
    row = {"id": own.id, "path": own.path, "host": own.host, "first_at": now, "why": why}
    with database.write_unasked() as connection:
        database.insert_new(connection, t.deployments, [row])
        if take_over:
            connection.execute(
                sa.update(t.deployments)
                .where(t.deployments.c.id == former)
                .values(replaced_by=own.id, replaced_at=now, replaced_why=why)
            )


def uses_store(database: Database, deployment: str) -> bool:
    """Whether the deployment of this id ever wrote to the store."""
    return _row(database, deployment) is not None


def replacement_of(database: Database, deployment: str) -> str:
    """The id of the one that took its place; empty: none did."""
    row = _row(database, deployment)
    return (row.replaced_by or "") if row else ""


def _row(database: Database, deployment: str) -> sa.Row[Any] | None:
    with database.read() as connection:
        return connection.execute(sa.select(t.deployments).where(t.deployments.c.id == deployment)).first()
