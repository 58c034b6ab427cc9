"""The ids in the store that a person may have meant by typing the beginning of one."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trueup.storage.database import Database
from trueup.storage.short_ids import CANDIDATES


def ids_beginning(database: Database, column: sa.Column[Any], typed: str, *where: Any) -> list[str]:
    """The ids in a column that begin so, in order; one more than are ever named, at most."""
    query = sa.select(column).where(column.startswith(typed, autoescape=True), *where)
    with database.read() as connection:
        found = connection.execute(query.order_by(column).limit(CANDIDATES + 1)).scalars().all()
    return [str(one) for one in found]
