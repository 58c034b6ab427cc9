"""Columns into a table of the store: by executemany on SQLite, by COPY on PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy.engine import Connection

from trueup.storage.driver_errors import values_hidden

_ROWS = 40  # of one statement on SQLite: many more take no less time
_ARROW = {sa.Text: pa.string(), sa.Boolean: pa.bool_(), sa.Float: pa.float64()}


def insert_columns(connection: Connection, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows that are new, given as columns of plain values, times as microseconds.

    Raises:
        sqlalchemy.exc.DBAPIError: without a value of a row in it.
    """
    names = ", ".join(columns)
    driver: Any = connection.connection
    with values_hidden(f"INSERT INTO {table.name} ({names})"):
        if connection.dialect.name == "sqlite":
            _insert_many(driver.cursor(), f"{table.name} ({names})", list(columns.values()))
            return
        # Its CSV: what is null stands bare, and every text in quotes.
        rows = io.BytesIO()
        arrow = pa.table({name: pa.array(values, _kind(table.c[name])) for name, values in columns.items()})
        csv.write_csv(arrow, rows, csv.WriteOptions(include_header=False))
        with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN WITH (FORMAT csv)") as copy:
            copy.write(rows.getbuffer())


def _insert_many(cursor: Any, into: str, columns: Sequence[Sequence[Any]]) -> None:
    """Several rows a statement. OR FAIL: else each keeps a journal of its own, though nobody goes on after an error."""
    width, rows = len(columns), len(columns[0])
    values: list[Any] = [None] * (rows * width)  # row after row
    for place, column in enumerate(columns):
        values[place::width] = column
    marks = f"({', '.join('?' * width)})"
    whole = rows - rows % _ROWS
    for size, numbers in ((_ROWS, range(0, whole, _ROWS)), (1, range(whole, rows))):
        cursor.executemany(
            f"INSERT OR FAIL INTO {into} VALUES {', '.join([marks] * size)}",
            (values[row * width : (row + size) * width] for row in numbers),
        )


def _kind(column: sa.Column[Any]) -> pa.DataType:
    return next((arrow for kind, arrow in _ARROW.items() if isinstance(column.type, kind)), pa.int64())
