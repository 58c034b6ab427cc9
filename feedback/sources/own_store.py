"""A source is never what the deployment itself writes: its store, or a file in its home folder."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from trueup.feedback.sources.sql_place import SqlPlace
from trueup.storage.database import Database
from trueup.storage.errors import ConfigError

# which database of which running server it is, by whatever name or address it was reached
_WHICH = (
    "SELECT CAST(oid AS text) || ' ' || CAST(pg_postmaster_start_time() AS text) || ' ' || datname AS m "
    "FROM pg_database WHERE datname = current_database()"
)


def refuse_own_store(place: SqlPlace, store: Database, home: Path) -> None:
    """Raise where a source would read what trueup writes.

    Raises:
        ConfigError: it is the store, or lies in the home folder.
        SourceFailed: it cannot be reached.
    """
    if place.file is not None:
        own = Path(store.engine.url.database or "") if store.engine.dialect.name == "sqlite" else None
        within = place.file.resolve().is_relative_to(home.resolve())
        same = own is not None and own.exists() and place.file.exists() and own.samefile(place.file)
        refused = within or same
    elif place.backend == store.engine.dialect.name == "postgresql":
        with store.read() as connection:
            here = connection.execute(sa.text(_WHICH)).scalar()
        refused = place.ask(_WHICH, {})["m"][0].as_py() == here
    else:
        refused = False
    if refused:
        raise ConfigError(
            f"The source {place.shown} is what this deployment keeps its own state in, which no source may read. Name "
            "another database. Nothing was taken in."
        )
