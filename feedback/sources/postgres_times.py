"""Times of PostgreSQL as Python reads them, and as text where Python has no such time: infinity, BC, year 10,000."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

_KINDS = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")


def times_as_text_if_need_be(connection: Connection[Any]) -> None:
    """From now on one value that Python cannot hold is text, and fails no statement of the connection."""
    for kind in _KINDS:
        oid = connection.adapters.types[kind].oid
        connection.adapters.register_loader(oid, _or_text(connection.adapters, oid))


def _or_text(adapters: Any, oid: int) -> type:
    from psycopg.adapt import Loader
    from psycopg.errors import DataError, NotSupportedError
    from psycopg.pq import Format

    own = adapters.get_loader(oid, Format.TEXT)

    class OrText(Loader):
        """The driver's own reading; the text of a value that it refuses."""

        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._own = own(oid, context)

        def load(self, data: Any) -> Any:
            try:
                return self._own.load(data)
            except (DataError, NotSupportedError, OverflowError):
                return bytes(data).decode()

    return OrText
