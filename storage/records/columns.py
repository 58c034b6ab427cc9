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
            marks = ", ".join("?" * len(columns))
            driver.cursor().executemany(
                f"INSERT INTO {table.name} ({names}) VALUES ({marks})", zip(*columns.values(), strict=True)
            )
            return
        # Its CSV: what is null stands bare, and every text in quotes.
        rows = io.BytesIO()
        arrow = pa.table({name: pa.array(values, _kind(table.c[name])) for name, values in columns.items()})
        csv.write_csv(arrow, rows, csv.WriteOptions(include_header=False))
        with driver.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN WITH (FORMAT csv)") as copy:
            copy.write(rows.getbuffer())


def _kind(column: sa.Column[Any]) -> pa.DataType:
    return next((arrow for kind, arrow in _ARROW.items() if isinstance(column.type, kind)), pa.int64())
