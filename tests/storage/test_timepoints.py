"""Times as the contract means them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trueup.storage.errors import UsageError
from trueup.storage.timepoints import iso, parse_as_of, parse_since, to_minute

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05", "2024-05-31T23:59:59.999999Z"),
        ("2024-02-29", "2024-02-29T23:59:59.999999Z"),
        ("20240101", "2024-01-01T23:59:59.999999Z"),
        ("2024-06-01T10:00:00", "2024-06-01T10:00:00Z"),
        ("2024-06-01T10:00:00+02:00", "2024-06-01T08:00:00Z"),
        ("2024-06-15", "2024-06-15T12:00:00Z"),
        ("2024-06", "2024-06-15T12:00:00Z"),
    ],
)
def test_a_time_that_names_only_a_day_or_month_is_its_end(text: str, moment: str) -> None:
    """Naive is UTC, a bare date is the end of that day, and today ends now."""
    assert iso(parse_as_of(text, now=NOW)) == moment


@pytest.mark.parametrize("text", ["2024-13", "2024-00", "yesterday", "2024-02-30", "", "2099-01-01", "9999-12-31"])
def test_what_is_no_time_or_yet_to_come_is_refused(text: str) -> None:
    """A mistyped year must not keep the stream's cycles from running until then."""
    with pytest.raises(UsageError):
        parse_as_of(text, now=NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7d", "2024-06-08T12:00:00Z"),
        ("36h", "2024-06-14T00:00:00Z"),
        ("2024-05", "2024-05-01T00:00:00Z"),
        ("2024-02-29", "2024-02-29T00:00:00Z"),
        ("2024-06-01T10:00:00+02:00", "2024-06-01T08:00:00Z"),
        (None, None),
    ],
)
def test_since_is_a_span_back_or_the_beginning_of_what_it_names(text: str | None, moment: str | None) -> None:
    """A span is counted from now; a bare day or month begins, where --as-of means its end."""
    assert iso(parse_since(text, now=NOW)) == moment


@pytest.mark.parametrize("text", ["yesterday", "7", "d", "2024-02-30", "9999999999d", ""])
def test_since_that_cannot_be_meant_is_refused(text: str) -> None:
    """With what can be written instead."""
    with pytest.raises(UsageError, match="such as 7d"):
        parse_since(text, now=NOW)


def test_people_read_times_to_the_minute() -> None:
    """The last microsecond of a day belongs to its last minute; what has no time is a dash."""
    assert to_minute(datetime(2020, 7, 31, 23, 59, 59, 999999, tzinfo=UTC)) == "2020-07-31 23:59 UTC"
    assert to_minute(None) == "–"
