"""Times in every declared way: against the standard library, in many languages, in any zone, as counts and serials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from babel.dates import format_date
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.chunks import chunk_of
from trueup.feedback.times.calendar_names import LOCALES
from trueup.feedback.times.fitting import fitting_formats, ways_of
from trueup.feedback.times.reading import Times, read_times
from trueup.feedback.times.time_check import check_time_formats
from trueup.feedback.times.time_columns import event_times
from trueup.feedback.times.time_survey import survey
from trueup.feedback.times.usual_form import USUAL_FORMATS
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.stream import LabelPolicy, StreamSettings

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca",
         "America/Sao_Paulo", "Pacific/Apia", "Europe/London", "Asia/Tehran", "UTC")  # fmt: skip
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 30))
DATES = st.sampled_from([
    "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y%m%d", "%d.%m.%y", "%y/%m/%d", "%d %b %Y", "%B %d, %Y", "%b-%d-%y", "%Y %j",
    "%G-W%V-%u", "%a, %d %b %Y", "%A %d %B %Y", "%Y年%m月%d日", "%x", "%Y %U %w", "%d%b%Y",
])  # fmt: skip
CLOCKS = st.sampled_from([
    "", " %H:%M", " %H:%M:%S", "T%H%M%S", " %I:%M %p", " %I:%M:%S.%f %p", "; %H.%M.%S", " %X", " %H", "%H%M%S.%f",
    " %H:%M %z",
])  # fmt: skip


def stream_of(**keys: object) -> StreamSettings:
    label = LabelPolicy(column="y")
    return StreamSettings(**{"name": "s", "time": "at", "text": ("t",), "label": label, **keys})  # type: ignore[arg-type]


def first(value: str, *how: object) -> datetime | None:
    """The first tick that a value means by a declaration, or None."""
    moment: datetime | None = read_times([value], *how).first[0].item()  # type: ignore[arg-type]
    return moment


def by_library(value: str, time_format: str) -> datetime | None:
    try:
        read = datetime.strptime(value, time_format)
    except ValueError:
        return None
    return read if read.tzinfo is None else read.astimezone(UTC).replace(tzinfo=None)


@given(MOMENTS, DATES, CLOCKS)
def test_what_a_pattern_writes_is_read_as_by_strptime(moment: datetime, date: str, clock: str) -> None:
    """For any moment and pattern the reading is that of the standard library."""
    time_format = date + clock
    value = moment.replace(tzinfo=UTC).strftime(time_format)
    assert first(value, time_format) == by_library(value, time_format)


@given(MOMENTS, DATES, CLOCKS, st.data())
@settings(max_examples=examples(200))
def test_no_text_is_ever_another_time_than_the_standard_librarys(
    moment: datetime, date: str, clock: str, data: st.DataObject
) -> None:
    """A spoilt value is refused, or is what strptime makes of it; 24 o'clock alone is read where strptime does not."""
    time_format = date + clock
    signs = list(moment.replace(tzinfo=UTC).strftime(time_format))
    for _ in range(data.draw(st.integers(1, 3))):
        k = data.draw(st.integers(0, len(signs) - 1))
        signs[k] = data.draw(st.sampled_from(["", "0", "1", "9", "2", " ", "/", ":", "-", "Z", "a", "é"]))
    value = "".join(signs)
    ours, theirs = first(value, time_format), by_library(value, time_format)
    assert ours is None or ours == theirs or (theirs is None and "24" in value and ours.hour == 0) or (
        theirs is None and ("%f" in time_format or "%z" in time_format)
    )


USUAL_VALUES = st.sampled_from([
    "2024-02-29 03:04:05", "2024-02-29T03:04:05", "2023-02-29 03:04:05", "2024-12-31 24:00:00", "2024-12-31 23:59:60",
    "0000-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2024-01-02 03:04:5 ", "2024-01-02 03:04+02",
    "2024-01-02t03:04:05", "2024-01-02  3:04:05", "+024-01-02 03:04:05", "2024-01-02 03:04:05Z", "2024-01-02 -3:04:05",
    "2024-01-02 03:04:0\u0665", "2024-1-2 03:04:05.5", "2024-00-02 03:04:05",
])  # fmt: skip


@given(st.lists(USUAL_VALUES | MOMENTS.map(lambda m: m.isoformat(" ", "seconds")), min_size=1, max_size=3), st.data())
def test_a_column_in_the_usual_form_is_read_as_each_of_its_values(values: list[str], data: st.DataObject) -> None:
    """Read at once or by the expression, as where one is missing, each value is the same time, in any zone."""
    how = data.draw(st.sampled_from(sorted(USUAL_FORMATS))), "", data.draw(st.sampled_from(["", "Europe/Berlin"]))
    together, singly = read_times(values, *how), read_times([*values, None], *how).of(slice(len(values)))
    for name in ("first", "last", "doubled", "skipped"):
        assert getattr(together, name).astype(str).tolist() == getattr(singly, name).astype(str).tolist()


@pytest.mark.parametrize("locale", LOCALES)
def test_months_of_every_language_are_read(locale: str) -> None:
    """Each month as Babel writes it, whole and short, within a date and alone, in capitals as well."""
    days = [datetime(2024, month, 3) for month in range(1, 13)]
    for directive, width in (("%B", "MMMM"), ("%b", "MMM"), ("%B", "LLLL")):
        names = [format_date(day, width, locale=locale) for day in days]
        if not names[0][0].isdigit():
            read = read_times([f"3 {name} 2024" for name in names], f"%d {directive} %Y", locale).first
            assert [t.item() for t in read] == days, names
            read = read_times([f"{name.upper()} 2024" for name in names], f"{directive} %Y", locale).first
            assert [t.item() for t in read] == [d.replace(day=1) for d in days], names


@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 12, 1)), st.sampled_from(ZONES))
@example(datetime(2023, 10, 29, 2, 30), "Europe/Berlin")
@example(datetime(2023, 3, 26, 2, 30), "Europe/Berlin")
@example(datetime(2011, 12, 30, 12), "Pacific/Apia")
@example(datetime(2024, 4, 7, 1, 45), "Australia/Lord_Howe")
def test_naive_times_of_a_zone_are_what_the_standard_library_says(moment: datetime, zone: str) -> None:
    """The same instant; of a doubled hour the first, and told; what the clock skips is no time."""
    read = read_times([moment.isoformat(sep=" ")], "", "", zone)
    here = [moment.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1)]
    there = [m.astimezone(UTC) for m in here]
    real = [t for t, m in zip(there, here, strict=True) if t.astimezone(m.tzinfo).replace(tzinfo=None) == moment]
    assert bool(read.skipped[0]) is (not real)
    assert bool(read.doubled[0]) is (len({*real}) == 2)
    assert read.last[0].item() == (real[0].replace(tzinfo=None) if real else None)
    word = here[1].tzname() or ""
    if real and word.isalpha():
        named = read_times([f"{moment:%Y-%m-%d %H:%M:%S.%f} {word}"], "%Y-%m-%d %H:%M:%S.%f %Z", "", zone)
        assert named.last[0].item() == (there[1] if word != "UTC" else there[0]).replace(tzinfo=None)
        assert not named.doubled[0]


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999))
def test_counts_since_1970_are_exact_and_of_their_own_unit(seconds: int, micros: int) -> None:
    """Seconds with and without a fraction, milliseconds, microseconds and nanoseconds, no unit for another."""
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    assert first(str(seconds), "epoch s") == moment
    assert first(f"{seconds}.{micros:06d}", "epoch s") == moment + timedelta(microseconds=micros)
    if seconds > 100_000_000:
        exact = moment + timedelta(microseconds=micros)
        units = {"epoch ms": f"{seconds}{micros:06d}"[:-3], "epoch us": f"{seconds}{micros:06d}",
                 "epoch ns": f"{seconds}{micros:06d}123"}  # fmt: skip
        for unit, value in units.items():
            told = exact.replace(microsecond=micros // 1000 * 1000) if unit == "epoch ms" else exact
            assert first(value, unit) == told
            assert all(first(value, other) is None for other in ("epoch s", *units) if other != unit)


@given(MOMENTS)
def test_serials_of_excel_are_read_to_the_millisecond(moment: datetime) -> None:
    """The days since the end of 1899 and a share of a day, as a float keeps them; a whole day means its end."""
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    serial = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    assert first(repr(serial), "excel") == moment
    last = read_times([str(int(serial))], "excel day").last[0].item()
    assert last == moment.replace(hour=23, minute=59, second=59, microsecond=999_999)


@pytest.mark.parametrize(("value", "time_format", "moment"), [
    ("2024-05-03 10:00:00 UTC", "", "2024-05-03T10:00"),
    ("2024-05-03 10:00:00 +0000 UTC", "", "2024-05-03T10:00"),
    ("2024-05-03T10:00:00.123456789Z", "", "2024-05-03T10:00:00.123456"),
    ("2024-05-03 10:00 Europe/Berlin", "", "2024-05-03T08:00"),
    ("2024-05-03T10:00+02:00[Europe/Berlin]", "", "2024-05-03T08:00"),
    ("2024-05-03 24:00", "", "2024-05-04T00:00"),
    ("2024-05-03 24:01", "", None),
    ("2024-05-03 10:00 Mars/Base", "", None),
    ("now", "", None),
    ("now", "%Y-%m-%d", None),
    ("Reviewed in India on 13 May 2024", "* on %d %B %Y", "2024-05-13T00:00"),
    ("on 13 May 2024", "*%d %B %Y", "2024-05-13T00:00"),
    ("2024-05-031", "%Y-%m-%d*", None),
    ("May 3rd, 2024", "%B %d*, %Y", "2024-05-03T00:00"),
    ("05/03/2024 10:11\u202fPM", "%m/%d/%Y %I:%M %p", "2024-05-03T22:11"),
    ("3 May 2024 GMT", "%d %b %Y %Z", "2024-05-03T00:00"),
    ("2024-05-03 10:00 -0730", "%Y-%m-%d %H:%M %z", "2024-05-03T17:30"),
    ("2024-W18", "%G-W%V", "2024-04-29T00:00"),
    ("2020-W54", "%G-W%V", None),
    ("2021-W53", "%G-W%V", None),
    ("Q2/2024", "Q{quarter}/%Y", "2024-04-01T00:00"),
    ("2024111", "%Y%m%d", None),
    ("03.05.2024 18", "%d.%m.%Y %H.%M", "2024-05-03T18:00"),
])  # fmt: skip
def test_what_people_write(value: str, time_format: str, moment: str | None) -> None:
    """Zones in words, weeks, quarters, text around a date, and what is not read."""
    assert first(value, time_format) == (None if moment is None else datetime.fromisoformat(moment))


def test_weeks_and_quarters_mean_their_end() -> None:
    """As days and months do."""
    ends = [read_times([v], f).last[0].item() for v, f in (("2024-W18", "%G-W%V"), ("2024 1", "%Y {quarter}"))]
    assert ends == [datetime(2024, 5, 5, 23, 59, 59, 999_999), datetime(2024, 3, 31, 23, 59, 59, 999_999)]


def test_a_day_in_autumn_has_25_hours_and_one_in_spring_23() -> None:
    """Hours that are counted since the day's beginning follow its zone; without one a day has 24."""
    def read(day: str, zone: str) -> Times:
        chunk = chunk_of([{"d": day, "h": h} for h in range(26)])
        return event_times(stream_of(time=("d", "h"), time_format="%d/%m/%Y {hour}", time_zone=zone), chunk)

    for day, hours, begin in (("29/10/2023", 25, 22), ("26/03/2023", 23, 23), ("01/06/2023", 24, 22)):
        times = read(day, "Europe/Madrid").last
        there = times[~np.isnat(times)]
        assert len(there) == hours + 1
        assert set(np.diff(there).astype(int)) == {3_600_000_000}
        assert there[0].item().hour == begin
    assert int((~np.isnat(read("29/10/2023", "").last)).sum()) == 25


def test_each_value_is_read_by_the_format_that_fits_it() -> None:
    """Several declared formats in one column; what two of them read differently refuses the file by its value."""
    stream = stream_of(time_format=("iso", "%d/%m/%Y", "epoch s"))
    rows = [{"at": v} for v in ("2024-05-03", "03/05/2024", 1_714_730_400)]
    assert [t.item().day for t in event_times(stream, chunk_of(rows)).last] == [3, 3, 3]
    both = StreamSettings.model_construct(**{**dict(stream_of()), "time_format": ("%d/%m/%Y", "%m/%d/%Y")})
    with pytest.raises(InputError, match=r"'03/05/2024' in line 2 has a different meaning.*'%d/%m/%Y' and '%m/%d/%Y'"):
        survey(both, [chunk_of([{"at": "13/05/2024"}, {"at": "03/05/2024"}])], "f.csv")


@pytest.mark.parametrize(("keys", "said"), [
    ({"time_format": ("%d/%m/%Y", "%m/%d/%Y")}, "a different time in each"),
    ({"time_format": ("%d.%m.%y %H:%M", "%y.%m.%d %H:%M")}, "a different time in each"),
    ({"time_format": ("%d/%m/%Y", "%d/%m/%Y")}, "twice"),
    ({"time_format": ()}, "empty list"),
    ({"time_format": "%d %Y"}, "no month"),
    ({"time_format": "%Y-%m %H:%M"}, "no day"),
    ({"time_format": "%Y-%m-%d %I:%M"}, "without AM or PM"),
    ({"time_format": "%Y-%m-%d %H:%M %p"}, "%I"),
    ({"time_format": "%G %d %b"}, "write both"),
    ({"time_format": "%Y-%m-%d {hour}:%M"}, "write one of them"),
    ({"time_format": "** %d %b %Y"}, "side by side"),
    ({"time_format": "%d %B %Y", "time_locale": "xx"}, "time_locale 'xx'"),
    ({"time_zone": "Europe/Atlantis"}, "IANA"),
    ({"time_zone": "../etc/passwd"}, "IANA"),
])  # fmt: skip
def test_what_could_not_date_a_row_is_refused_with_the_settings(keys: dict[str, object], said: str) -> None:
    """Formats that differ, lack a part or contradict each other, unknown languages and zones: by name, at once."""
    stream = stream_of(**keys)
    with pytest.raises(ConfigError) as error:
        check_time_formats(stream.time_format, stream.time_locale, stream.time_zone)
    assert said in str(error.value)


def test_more_than_a_twentieth_of_unreadable_times_refuses_the_file() -> None:
    """6 of 106 refuse it, 5 of 105 cost their rows; empty cells are no unreadable times."""
    good, bad = [{"at": "2024-05-03"}] * 100, [{"at": "soon"}]
    assert survey(stream_of(), [chunk_of([*good, *bad * 5, *[{"at": "NA"}] * 50])], "f.csv") == 155
    said = r"5\.7 % of the times cannot be read \(6 of 106; 5 % are allowed\)\. The first is"
    with pytest.raises(InputError, match=said):
        survey(stream_of(), [chunk_of([*good, *bad * 6])], "f.csv")


def test_rows_in_an_hour_that_comes_twice_or_never_are_named() -> None:
    """How many, the first with its line, and what becomes of them."""
    notes: list[str] = []
    rows = [{"at": v} for v in ("2023-10-29 01:30", "2023-10-29 02:30", "2023-10-29 02:45", "2023-03-26 02:30")]
    survey(stream_of(time_zone="Europe/Berlin"), [chunk_of(rows)], "f.csv", notes.append)
    assert "2 rows lie in an hour that the clock of Europe/Berlin shows twice" in notes[0]
    assert "the first '2023-10-29 02:30' in line 2" in notes[0]
    assert "1 row lies in an hour that the clock of Europe/Berlin skips" in notes[1]
    assert "refused" in notes[1]


@given(MOMENTS, DATES, st.sampled_from(["", " %H:%M:%S", " %H:%M", " %I:%M:%S %p"]))
def test_the_formats_that_fit_a_value_hold_the_one_that_wrote_it(moment: datetime, date: str, clock: str) -> None:
    """Whatever the order and the separators: one of the ways reads it as what was written, and all read it."""
    if "%j" in date or "%U" in date:
        return
    value = moment.strftime(date + clock)
    told = by_library(value, date + clock)
    ways = ways_of(value)
    assert told in [first(value, way.format, way.locale) for way in ways]
    assert set(fitting_formats(value)) <= {way.format for way in ways}


@given(st.text(max_size=40))
def test_any_text_can_be_looked_at(text: str) -> None:
    """No text breaks the search for formats, and what is found reads it."""
    assert all(first(text.strip(), way.format, way.locale, way.zone) for way in ways_of(text))
