"""Where records or feedback come in from by themselves: `[streams.NAME.source]` and `.feedback_source`."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from trueup.storage.locations import checked_source
from trueup.storage.policy import MANY, Frozen, checked_span, positive_span
from trueup.storage.timepoints import parse_span

FILES_SETTLE = "10s"
SQL_SETTLE = "1min"
_OF_SQL = ("query", "cursor", "id", "look_back", "time_limit", "password", "block")
_Rows = Annotated[int, Field(ge=0, le=MANY)]


class SourceSettings(Frozen):
    """One place, which each cycle takes from what is new; without `files` or `sql` there is none.

    files: a glob on a local folder (relative: beside trueup.toml), or an fsspec URL with one.
    settle: how long a file must have been unchanged, or a row's time passed, before it counts as whole.
    sql: the URL of a database, as SQLAlchemy writes it. query: a SELECT, of all rows, old and new.
    cursor: the query's column that grows with every new or changed row. id: with it, tells rows apart; left out: the
        stream's own.
    look_back: how far before the last cursor each pull begins, for rows that were committed late: a span where the
        cursor is a time, else a number of rows.
    time_limit: of one statement.
    password, block: the login's, from a variable, or from a saved Prefect block `Secret`.
    """

    files: str = ""
    settle: str = ""
    sql: Annotated[str, AfterValidator(checked_source)] = ""
    query: str = ""
    cursor: str = ""
    id: str = ""
    look_back: _Rows | str = ""
    time_limit: Annotated[str, AfterValidator(positive_span)] = "5min"
    password: SecretStr = SecretStr("")
    block: str = ""

    @field_validator("settle")
    @classmethod
    def _is_a_span(cls, value: str) -> str:
        return checked_span(value) if value else value

    @field_validator("look_back")
    @classmethod
    def _goes_back_by_time_or_rows(cls, value: int | str) -> int | str:
        return checked_span(value) if isinstance(value, str) and value else value

    @model_validator(mode="after")
    def _asks_one_place(self) -> SourceSettings:
        if self.sql and self.files:
            raise ValueError("both files and sql are set; a source is one place, so leave one of them out")
        if self.sql and not (self.query.strip() and self.cursor):
            raise ValueError("sql names a database; write what to read as query, and the column that grows as cursor")
        fields = type(self).model_fields
        stray = [key for key in _OF_SQL if getattr(self, key) != fields[key].default and not self.sql]
        if stray:
            raise ValueError(f'{stray[0]} belongs to a query, and no database is named; write sql = "postgresql://…"')
        if self.block and self.password.get_secret_value():
            raise ValueError("both block and the variable of the password are set; leave one of them out")
        return self

    @model_validator(mode="after")
    def _settles_something(self) -> SourceSettings:
        if self.settle and not self.is_set:
            raise ValueError('settle says how old data must be, and no source is named; write files = "folder/*.csv"')
        return self

    @property
    def is_set(self) -> bool:
        """Whether a place is named."""
        return bool(self.files or self.sql)

    @cached_property
    def settle_span(self) -> timedelta:
        return parse_span(self.settle or (SQL_SETTLE if self.sql else FILES_SETTLE))

    @cached_property
    def limit_span(self) -> timedelta:
        return parse_span(self.time_limit)
