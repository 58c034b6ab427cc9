"""Times as the store keeps them: microseconds since 1970 in UTC, so that SQLite and PostgreSQL keep them alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from trueup.storage.timepoints import TICK, utc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """A time as the store keeps it."""
    return (utc(moment) - _EPOCH) // TICK


def moment_of(kept: int) -> datetime:
    """The time that the store keeps so."""
    return _EPOCH + kept * TICK


class Instant(TypeDecorator[datetime]):
    """A UTC time, kept as microseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: Any) -> int | None:
        if value is None or isinstance(value, int):
            return value
        return microseconds(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else moment_of(value)
