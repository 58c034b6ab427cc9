"""Times as the contract means them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trueup.storage.errors import UsageError
from trueup.storage.timepoints import iso, parse_as_of

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
