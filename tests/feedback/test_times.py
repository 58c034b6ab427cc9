"""Times: read by declaration, ends of days and months, and columns that are refused rather than guessed."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.feedback.chunks import chunk_of
from trueup.feedback.times.fitting import fitting_formats
from trueup.feedback.times.reading import read_times
from trueup.feedback.times.time_columns import event_times
from trueup.feedback.times.time_formats import check_format, grain
from trueup.feedback.times.time_survey import survey
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.stream import LabelPolicy, OrderTime, StreamSettings


def _stream(time: object = "at", time_format: str = "", arrived: str = "") -> StreamSettings:
    label = LabelPolicy(column="y", arrived=arrived)
    return StreamSettings(name="s", time=time, time_format=time_format, text=("t",), label=label)  # type: ignore[arg-type]


def _last(values: list[str], time_format: str = "") -> list[str]:
    return [str(v) for v in read_times(np.array(values, dtype=object), time_format).last]


def test_iso_times_are_utc_and_bare_days_and_months_mean_their_end() -> None:
    """Naive is UTC, an offset is applied, a day or month alone means its last microsecond, leap years included."""
    assert _last(["2021-02-03 10:15:00", "2021-02-03T10:15:00.5+02:00", "2021-02-03", "2020-02", "2021-02-03 07"]) == [
        "2021-02-03T10:15:00.000000", "2021-02-03T08:15:00.500000", "2021-02-03T23:59:59.999999",
        "2020-02-29T23:59:59.999999", "2021-02-03T07:00:00.000000",
    ]


def test_a_format_of_months_means_their_end() -> None:
    """'Feb 2021' is the last tick of that February; its first tick is kept to judge the future by."""
    times = read_times(["Feb 2021", None, "Dec 2020"], "%b %Y")
    assert [str(t) for t in times.last] == ["2021-02-28T23:59:59.999999", "NaT", "2020-12-31T23:59:59.999999"]
    assert str(times.first[0]) == "2021-02-01T00:00:00.000000"
    assert [grain(f) for f in ("%Y-%m-%d %H:%M", "%d/%m/%y", "%b %Y", "%Y")] == ["", "D", "M", "Y"]


def test_what_is_no_time_is_not_a_time() -> None:
    """Nothing is read leniently: not a number, not another format, not a day that does not exist."""
    assert set(_last(["", "x", "20210203", "1612137600", "03/04/2021", "2021-02-30", "2021-13", "2021-1-1"])) == {"NaT"}
    assert _last(["2021-02-03"], "%Y-%m-%d %H:%M:%S") == ["NaT"]
    assert _last(["9999-12-31T00:00:00", "0001-01-01T00:00:00"])[0].startswith("9999")  # beyond pandas' own range


@given(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), st.integers(-14, 14))
def test_every_iso_time_reads_back(moment: datetime, offset: int) -> None:
    """For any time and offset: what isoformat writes is read as the same instant."""
    aware = moment.replace(tzinfo=timezone(timedelta(hours=offset)))
    expected = np.datetime64(moment - timedelta(hours=offset), "us")
    assert read_times([aware.isoformat()]).last[0] == expected


def test_date_and_hour_columns_name_an_instant() -> None:
    """Two columns make one time: the date and the hour's number, one digit or two; 24 is 0 of the next day."""
    chunk = chunk_of([{"d": "2011-01-01", "hr": h} for h in (0, 9, "23", "7.0", None, 24)])
    read = [str(v) for v in event_times(_stream(("d", "hr")), chunk).last]
    assert [v[:13] for v in read] == [
        "2011-01-01T00", "2011-01-01T09", "2011-01-01T23", "2011-01-01T07", "NaT", "2011-01-02T00",
    ]


def test_an_ambiguous_column_is_refused_by_name_with_what_it_could_be() -> None:
    """03/04/2021 without a format is never guessed: the message names column, value and both readings."""
    chunk = chunk_of([{"at": "03/04/2021"}, {"at": "05/06/2021"}])
    with pytest.raises(InputError) as error:
        survey(_stream(), [chunk], "f.csv")
    for part in ("'at'", "03/04/2021", "%d/%m/%Y", "%m/%d/%Y", "time_format", "Nothing was stored"):
        assert part in str(error.value)


def test_a_mixed_column_is_refused_by_name() -> None:
    """Half ISO, half another format: the file is refused, with the line of the first stranger."""
    rows = [{"at": "2021-01-05 10:00:00"}] * 50 + [{"at": "25/12/2021 10:00:00"}] * 50
    with pytest.raises(InputError, match=r"column 'at' mixes formats.*line 51"):
        survey(_stream(), [chunk_of(rows)], "f.csv")
    rows = [{"at": "01/02/2021"}] * 9 + [{"at": "25/12/2021"}]
    with pytest.raises(InputError, match="mixes formats"):
        survey(_stream(time_format="%m/%d/%Y"), [chunk_of(rows)], "f.csv")


def test_a_wrong_format_is_refused_with_the_one_that_fits() -> None:
    """Where no row follows time_format the message says what would read them."""
    with pytest.raises(InputError, match=r"'2021-01-05' in line 1.*leave time_format out"):
        survey(_stream(time_format="%d.%m.%Y"), [chunk_of([{"at": "2021-01-05"}])], "f.csv")
    with pytest.raises(InputError, match='time_format = "epoch s"'):
        survey(_stream(), [chunk_of([{"at": 1612137600}])], "f.csv")
    with pytest.raises(InputError, match="empty in every row"):
        survey(_stream(), [chunk_of([{"at": None, "t": "x"}])], "f.csv")


def test_a_single_bad_value_only_costs_its_row() -> None:
    """Junk in one row, or one slip in hundreds, does not refuse the file; the survey counts its rows."""
    rows = [{"at": "2021-01-05 10:00:00"}] * 300 + [{"at": "yesterday"}, {"at": "25/12/2021"}, {"at": None}]
    assert survey(_stream(), [chunk_of(rows)], "f.csv") == 303
    assert survey(_stream(OrderTime(start="2020-01-01", step="1h")), [chunk_of(rows)], "f.csv") == 303


def test_when_a_label_arrived_is_judged_alike() -> None:
    """An arrival column that cannot be read is refused by name; an empty one is only not known yet."""
    good = [{"at": "2021-01-05", "seen": None}, {"at": "2021-01-05", "seen": "2021-01-06 10:00:00"}]
    assert survey(_stream(arrived="seen"), [chunk_of(good)], "f.csv") == 2
    with pytest.raises(InputError, match="'seen'"):
        survey(_stream(arrived="seen"), [chunk_of([{"at": "2021-01-05", "seen": "06.01.2021"}])], "f.csv")


def test_columns_that_the_file_types_as_time_need_no_format() -> None:
    """Parquet times are exact whatever time_format says, dates mean their day's end."""
    chunk = chunk_of([{"at": datetime(2021, 2, 3, 10)}, {"at": date(2021, 2, 3)}])
    typed = type(chunk)(chunk.table, chunk.lines, chunk.raw, (), frozenset({"at"}))
    read = event_times(_stream(time_format="%b %Y"), typed).last
    assert [str(v) for v in read] == ["2021-02-03T10:00:00.000000", "2021-02-03T23:59:59.999999"]


def test_formats_that_fit_are_found() -> None:
    """A value is unambiguous when one format reads it."""
    assert fitting_formats("25/12/2021") == ("%d/%m/%Y",)
    assert fitting_formats("Feb 2021") == ("%b %Y",)
    assert len(fitting_formats("03/04/2021")) == 2
    assert fitting_formats("banana") == ()


@pytest.mark.parametrize("time_format", ["%Q", "%d %b", "%H:%M", "no directive", "%"])
def test_a_format_that_cannot_date_a_row_is_refused(time_format: str) -> None:
    """An unknown directive, or no year (every row would lie in 1900), is an error of the settings."""
    with pytest.raises(ConfigError, match="time_format"):
        check_format(time_format)


def test_directives_that_pandas_lacks_are_read_all_the_same() -> None:
    """The standard library reads what the fast path cannot."""
    check_format("%c")
    assert _last(["Tue Feb  3 10:00:00 2021", "x"], "%c") == ["2021-02-03T10:00:00.000000", "NaT"]
    assert _last(["2021 5 1"], "%Y %U %w") == ["2021-02-01T23:59:59.999999"]
