"""Whole numbers out of SQL as arrays: on SQLite put together in C, without an object for every value."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

_BATCH = 50_000


def integer_columns(connection: Connection, query: sa.Select[Any]) -> list[np.ndarray]:
    """The columns of a query of whole numbers, never null: int64 each, row beside row, in any order of rows."""
    count = len(query.selected_columns)
    if connection.dialect.name == "sqlite":
        asked = query.subquery()
        joined = [sa.func.group_concat(column) for column in asked.c]
        texts = connection.execute(sa.select(*joined).select_from(asked)).one()
        return [np.fromstring(text or "", np.int64, sep=",") for text in texts]
    parts: list[list[np.ndarray]] = [[np.empty(0, np.int64)] * count]
    cursor: Any = connection.execute(query).cursor
    while some := cursor.fetchmany(_BATCH):
        parts.append(list(np.array(some, np.int64).reshape(-1, count).T))
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
