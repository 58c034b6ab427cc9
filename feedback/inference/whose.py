"""Whose a record is: the column that people can be known by, where the file has one."""

from __future__ import annotations

from collections.abc import Iterable

from trueup.feedback.inference.column_words import called_user
from trueup.feedback.inference.conclusion import Role
from trueup.feedback.inference.summary import TableSummary

_NOBODYS = ("constant", "empty", "nested", "time")


def user_column(table: TableSummary, roles: Iterable[Role]) -> str:
    """The column that names a user by its name, the one with most values of several; "" where there is none.

    The row's own id, its answer and its texts are never it.
    """
    free = {r.column for r in roles if r.role in ("left out", "slices", "categorical") and r.kind not in _NOBODYS}
    named = [column for column in table.columns if column.name in free and called_user(column.name)]
    return max(named, key=lambda column: column.distinct).name if named else ""
