"""What a database's driver may say when it fails: never a value of a row, and no password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from trueup.storage.secrets import HIDDEN, without_secrets

_QUOTED = re.compile(r'".*"', re.DOTALL)
_RAISED = "exec_stmt_raise"  # where RAISE of PL/pgSQL ends: its words are a function's own, and may be a row's
# DuckDB's errors that speak of a statement, a file or a table; every other may quote the value that it is about
_OF_STATEMENTS = frozenset({
    "BinderException", "CatalogException", "ConnectionException", "IOException", "InterruptException",
    "OutOfMemoryException", "ParserException", "PermissionException", "SyntaxException",
})  # fmt: skip
_WRITES = re.compile(r'Invalid Input Error: Cannot execute statement of type "\w+" on database ')  # opened to read
_CAST = re.compile(r".*when casting from source column (\w+)", re.DOTALL)
_VALUE_STATES = ("22",)  # PostgreSQL's class of errors that quote the value they are about


def hide_values(engine: Engine) -> None:
    """From now on no error of this engine holds a row's values, wherever it is printed, pickled or shown."""
    sa.event.listen(engine, "handle_error", _clean)


@contextmanager
def values_hidden(statement: str) -> Iterator[None]:
    """Around what a driver does by itself, unseen by SQLAlchemy: COPY, or the executemany of sqlite3.

    statement: what is done, in words or as SQL without values.

    Raises:
        sqlalchemy.exc.DBAPIError: in place of the driver's error, without a row's values in it.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError:
        raise
    except Exception as error:
        _hide(error)
        base = _driver_base(error)
        if base is None:
            raise
        raise sa.exc.DBAPIError.instance(statement, None, error, base, hide_parameters=True) from None


def said_by_driver(error: BaseException) -> str:
    """The words of a driver's error without values: PostgreSQL's by its fields, in whatever language it speaks, and
    DuckDB's by its kind.
    """
    if type(error).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        return _said_by_duckdb(error)
    fields: Any = getattr(error, "diag", None)
    primary = fields.message_primary if fields else None
    if not primary:
        return without_secrets(str(error))
    if fields.source_function == _RAISED:
        primary = f"a function or trigger of the database refused it: {HIDDEN}"
    elif str(fields.sqlstate)[:2] in _VALUE_STATES:
        primary = _QUOTED.sub(HIDDEN, primary)
    context = (fields.context or "").partition(":")[0].partition("\n")[0]
    return without_secrets(primary + (f" ({context})" if context.startswith("COPY ") else ""))


def _said_by_duckdb(error: BaseException) -> str:
    said = str(error)
    if type(error).__name__ in _OF_STATEMENTS or _WRITES.match(said):
        return without_secrets(said)
    kind, cast = said.partition(":")[0] if ": " in said[:40] else type(error).__name__, _CAST.match(said)
    named = f" (column {cast[1]})" if cast and cast[1] in said.rpartition("LINE ")[2] else ""
    return f"{kind}: a value is not what the query takes it for{named}: {HIDDEN}"


def _clean(context: Any) -> None:
    error = context.original_exception
    _hide(error)
    if context.sqlalchemy_exception is not None:
        kind = type(error)
        context.sqlalchemy_exception.args = (f"({kind.__module__}.{kind.__name__}) {error}",)


def _driver_base(error: BaseException) -> type[Exception] | None:
    """The class that all errors of its driver share (PEP 249); None for what no driver raised."""
    return next((kind for kind in type(error).__mro__ if kind.__name__ == "Error"), None)


def _hide(error: BaseException) -> None:
    if isinstance(error, UnicodeEncodeError):  # it keeps the whole text, which repr() shows
        error.object = HIDDEN
        error.args = (error.encoding, HIDDEN, error.start, error.end, error.reason)
    elif _driver_base(error) is not None:
        error.args = (said_by_driver(error),)
