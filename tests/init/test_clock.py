"""Which column of a file is the time, how it is written, and what is left for a person to decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from trueup.feedback.chunks import chunk_of
from trueup.feedback.inference.clock import Clock, find_clock
from trueup.feedback.inference.summary import summary_of
from trueup.feedback.times.reading import read_times
from trueup.feedback.times.time_columns import joined

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 200
DICE = Random(11)
SHUFFLED = [datetime(2024, 1, 1) + timedelta(minutes=DICE.randrange(525_600)) for _ in range(ROWS)]
SORTED = sorted(SHUFFLED)
JULY = [m.replace(month=7) for m in SHUFFLED]
HOURS = [datetime(2024, 3, 1) + timedelta(hours=k) for k in range(ROWS)]
EARLY = [m.replace(day=1 + m.day % 12, month=1 + m.month % 12) for m in SHUFFLED]  # no day past 12
DE = [
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
    "Dezember",
]  # fmt: skip
ES = [
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
    "noviembre", "diciembre",
]  # fmt: skip
RU = [
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
    "декабря",
]  # fmt: skip


def clock_of(columns: dict[str, Sequence[Any]], now: datetime | None = NOW) -> Clock:
    """What is concluded from a file of these columns beside a score that is no time."""
    every = {**columns, "score": [k % 5 + 1 for k in range(max(map(len, columns.values())))]}
    chunk = chunk_of([dict(zip(every, row, strict=True)) for row in zip(*every.values(), strict=True)])
    return find_clock(summary_of(list(every), [chunk]), now)


def told(moments: Sequence[datetime], how: str | Callable[[datetime], Any]) -> list[Any]:
    return [m.strftime(how) if isinstance(how, str) else how(m) for m in moments]


def epoch(m: datetime, unit: int = 1) -> int:
    return int(m.replace(tzinfo=UTC).timestamp() * unit)


RIGHT: list[tuple[str, Sequence[datetime], str | Callable[[datetime], Any], str, timedelta]] = [
    ("timestamp_created", SHUFFLED, epoch, "epoch s", timedelta()),
    ("at", SHUFFLED, lambda m: epoch(m, 1000), "epoch ms", timedelta()),
    ("created", SHUFFLED, lambda m: epoch(m, 1_000_000), "epoch us", timedelta()),
    ("created_utc", SHUFFLED, lambda m: f"{epoch(m)}.0", "epoch s", timedelta()),
    ("Review Submit Date and Time", SHUFFLED, "%Y-%m-%dT%H:%M:%SZ", "", timedelta()),
    ("date", SHUFFLED, "%Y-%m-%dT%H:%M:%S-07:00", "", timedelta(hours=7)),
    ("date", SHUFFLED, "%Y-%m-%d %H:%M:%S UTC", "", timedelta()),
    ("date", SHUFFLED, "%Y-%m-%d %H:%M:%S +0000 UTC", "", timedelta()),
    ("when", SHUFFLED, "%Y-%m-%d %H:%M Europe/Berlin", "", timedelta(hours=-1)),
    ("date", SHUFFLED, "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M", timedelta()),
    ("date", SHUFFLED, "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p", timedelta()),
    ("date", SHUFFLED, lambda m: f"{m.month}/{m.day}/{m:%y} {m.hour}:{m:%M}", "%m/%d/%y %H:%M", timedelta()),
    ("Datum", SHUFFLED, "%d.%m.%y %H:%M", "%d.%m.%y %H:%M", timedelta()),
    ("Datum", SHUFFLED, lambda m: f"{m.day}. {DE[m.month - 1]} {m.year} {m:%H:%M}", "%d. %b %Y %H:%M", timedelta()),
    ("fecha", SHUFFLED, lambda m: f"{m.day} de {ES[m.month - 1]} de {m:%Y %H:%M}", "%d de %B de %Y %H:%M", timedelta()),
    ("дата", SHUFFLED, lambda m: f"{m.day} {RU[m.month - 1]} {m:%Y %H:%M}", "%d %B %Y %H:%M", timedelta()),
    ("日時", SHUFFLED, lambda m: f"{m.year}年{m.month}月{m.day}日 {m:%H:%M}", "%Y年%m月%d日 %H:%M", timedelta()),
    ("created_at", SHUFFLED, "%a %b %d %H:%M:%S +0000 %Y", "%a %b %d %H:%M:%S %z %Y", timedelta()),
    ("Date", SHUFFLED, "%a, %d %b %Y %H:%M:%S +0200", "%a, %d %b %Y %H:%M:%S %z", timedelta(hours=-2)),
    ("Zeit", HOURS, lambda m: f"{m:%d.%m.%Y %H:%M} - {m + timedelta(hours=1):%d.%m.%Y %H:%M}", "%d.%m.%Y %H:%M - *",
     timedelta()),
    ("Timestamp", SHUFFLED, lambda m: (m - datetime(1899, 12, 30)) / timedelta(days=1), "excel", timedelta()),
    ("MESS_DATUM", HOURS, "%Y%m%d%H", "%Y%m%d%H", timedelta()),
    ("time", SHUFFLED, "%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S%Z", timedelta()),
    ("created", SHUFFLED, "%Y-%m-%d %H:%M UTC+02:00", "%Y-%m-%d %H:%M UTC%z", timedelta(hours=-2)),
    ("created", JULY, "%m/%d/%Y %I:%M %p ET", "%m/%d/%Y %I:%M %p ET", timedelta(hours=4)),
    ("logged", SHUFFLED, lambda m: f"May {m.day}, {m.year}, {m:%I:%M:%S}\u202f{m:%p}".replace("May", f"{m:%b}"),
     "%b %d, %Y, %I:%M:%S\u202f%p", timedelta()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "moments", "how", "time_format", "shift"), RIGHT)
def test_a_time_is_found_and_read_to_the_minute(
    name: str, moments: Sequence[datetime], how: str | Callable[[datetime], Any], time_format: str, shift: timedelta
) -> None:
    """Of each kind of writing: the column is the time, its format is the declared one, every value is the moment."""
    cells = told(moments, how)
    clock = clock_of({name: cells})
    assert not clock.undecided, clock.undecided
    assert clock.columns == (name,)
    assert len(clock.formats) == 1
    if "%b" not in time_format and "%B" not in time_format:
        assert clock.formats == (time_format,)
    read = read_times([str(c) for c in cells], clock.formats, clock.locale, clock.zone).last.astype("M8[m]")
    winter = [k for k, m in enumerate(moments) if "Berlin" not in str(cells[k]) or m.month in (1, 2, 11, 12)]
    assert [read[k].item() for k in winter] == [(moments[k] + shift).replace(second=0) for k in winter]


DAYS: list[tuple[str, str | Callable[[datetime], Any]]] = [
    ("reviews.date", lambda m: f"Reviewed in the United States on {m.day} {m:%B} {m.year}"),
    ("review_date", lambda m: f"Reviewed in {('India', 'Canada')[m.day % 2]} on {m:%B} {m.day}, {m.year}"),
    ("Date", lambda m: f"{m:%B} {m.day}{('th', 'st')[m.day == 1]}, {m.year}"),
    ("date", lambda m: (m - datetime(1899, 12, 30)).days),
    ("date", "%Y%m%d"),
    ("date", "%y%m%d"),
    ("posted on", "%d-%b-%y"),
    ("week", "%G-W%V-%u"),
    ("reviewTime", lambda m: f"{m:%m} {m.day}, {m.year}"),
    ("fecha", lambda m: f"{m.day} de {ES[m.month - 1][:3]}. de {m.year}"),
]


@pytest.mark.parametrize(("name", "how"), DAYS)
def test_days_are_found_with_text_around_them_and_as_numbers(name: str, how: str | Callable[[datetime], Any]) -> None:
    """A day in a sentence, as an ordinal, a serial, in digits alone: read as that day."""
    cells = told(SHUFFLED, how)
    clock = clock_of({name: cells})
    assert (clock.columns, clock.undecided) == ((name,), ())
    read = read_times([str(c) for c in cells], clock.formats, clock.locale).last.astype("M8[D]")
    assert [d.item() for d in read] == [m.date() for m in SHUFFLED]


def test_a_month_of_a_year_means_its_end() -> None:
    """Written with one digit or two, or by its name."""
    ends = [(m.replace(day=28) + timedelta(days=4)).replace(day=1) for m in SHUFFLED]
    for name, how in (("Year_Month", lambda m: f"{m.year}-{m.month}"), ("Month", "%b %Y"), ("period", "%Y%m")):
        cells = told(SHUFFLED, how)
        clock = clock_of({name: cells})
        read = read_times(cells, clock.formats, clock.locale).last + 1
        assert [t.item().date() for t in read] == [e.date() for e in ends], name


def test_day_and_month_are_told_by_evidence_in_the_file_or_asked() -> None:
    """No day past 12: an epoch beside it, the order of the rows or what is yet to come decides; else both are asked."""
    cells = told(EARLY, "%d/%m/%Y")
    both = {'time_format = "%d/%m/%Y"', 'time_format = "%m/%d/%Y"'}
    open_ = clock_of({"date": cells})
    assert (open_.columns, open_.formats, set(open_.undecided[0].settings)) == (("date",), (), both)
    beside = clock_of({"date": cells, "posted_ts": told(EARLY, epoch)})
    assert {"date", "posted_ts"} == {r.column for r in beside.roles}
    assert not beside.undecided
    assert clock_of({"date": told(sorted(EARLY), "%d/%m/%Y")}).formats == ("%d/%m/%Y",)
    future = told([m.replace(year=2025, month=1 + m.month % 2) for m in EARLY], "%d/%m/%Y")
    assert clock_of({"date": future}, datetime(2025, 3, 1, tzinfo=UTC)).formats == ("%d/%m/%Y",)
    assert clock_of({"date": future}, None).formats == ()


def test_numbers_that_only_go_up_like_a_time_are_asked_for() -> None:
    """A count in the order of the rows may be a clock or the number of a tweet: both settings, no clock."""
    clock = clock_of({"x": told(SORTED, epoch)})
    assert clock.columns == ()
    assert clock.undecided[0].settings[0] == 'time = "x"\ntime_format = "epoch s"'
    orders = clock_of({"no": [f"17{k * 7919 % 100_000:017d}" for k in range(ROWS)], "date": told(SHUFFLED, "%Y-%m-%d")})
    assert [r.column for r in orders.roles] == ["date"]


def test_hours_from_row_to_row_tell_the_order_of_day_and_month() -> None:
    """A few days of quarter hours are even by one order alone; months are never held to be days."""
    quarter = [datetime(2024, 1, 8) + timedelta(minutes=15 * k) for k in range(ROWS)]
    assert clock_of({"time": told(quarter, "%d.%m.%Y %H:%M")}).formats == ("%d.%m.%Y %H:%M",)
    months = [datetime(2020 + k // 12, 1 + k % 12, 1) for k in range(12)]
    assert clock_of({"date": told(months, "%d/%m/%Y")}).formats == ()


def test_one_dirty_cell_flips_nothing_and_a_second_population_does() -> None:
    """One slip among thousands is told; a share in another form makes a list of formats, with counts."""
    moments = [SHUFFLED[k % ROWS] + timedelta(days=k // ROWS) for k in range(20_000)]
    cells = told(moments, "%d/%m/%Y")
    dirty = clock_of({"date": [*cells[:9000], "2024-05-03", *cells[9000:]]})
    assert dirty.formats == ("%d/%m/%Y",)
    assert "2024-05-03" in dirty.why
    mixed = clock_of({"date": [c if k % 10 else moments[k].strftime("%Y-%m-%d") for k, c in enumerate(cells)]})
    assert set(mixed.formats) == {"iso", "%d/%m/%Y"}
    orders = clock_of({"date": [m.strftime("%d/%m/%Y" if k % 2 else "%m/%d/%Y") for k, m in enumerate(SHUFFLED)]})
    assert orders.formats == ()
    assert orders.undecided


NOT_TIMES: list[tuple[str, Callable[[int], Any]]] = [
    ("salary", lambda k: 45_000 + 7 * (k * 37 % 900)),
    ("phone", lambda k: 1_700_000_000 + k * 37_501),
    ("id", lambda k: 1_700_000_000 + k),
    ("version", lambda k: f"{k % 9 + 1}.{k % 12}.{k % 28 + 1}"),
    ("timeout", lambda k: k % 30),
    ("update_count", lambda k: k % 4),
    ("candidate", lambda k: f"c{k % 7}"),
    ("delivery_time", lambda k: 20 + k % 40),
    ("time_spent_minutes", lambda k: k % 55),
    ("time_of_day", lambda k: ("morning", "noon", "evening")[k % 3]),
    ("month", lambda k: ("May", "Jun", "Jul")[k % 3]),
    ("year", lambda k: 1990 + k % 30),
    ("hour_of_day", lambda k: k % 24),
    ("text", lambda k: f"bought on 3 May 2024 and it broke after {k} days of use"),
    ("ip", lambda k: f"10.0.{k % 200}.{k % 250}"),
    ("size", lambda k: f"{k % 12 + 1}/{k % 9 + 1}/20"),
    ("reviewCreatedVersion", lambda k: f"24.{k % 12 + 1}.{k % 28 + 1}"),
    ("open", lambda k: 40_000 + k * 37 % 9000 + 0.5),
    ("received", lambda k: 1_600_000_000 + k * 999_983 % 10**7),
    ("isbn", lambda k: f"978-{k % 28 + 1:02d}-{k % 12 + 1:02d}-{1990 + k % 30}"),
    ("telephone", lambda k: f"{k % 28 + 1:02d} {k % 12 + 1:02d} {1990 + k % 30}"),
    ("result", lambda k: f"{k % 28 + 1}/{k % 12 + 1}"),
    ("title", lambda k: f"Toy Story ({1990 + k % 30})"),
]


@pytest.mark.parametrize(("name", "value"), NOT_TIMES)
def test_what_is_no_time_is_none_and_no_clock_is_invented(name: str, value: Callable[[int], Any]) -> None:
    """Numbers, versions, spans and words that look like times: no time, and --row-order is named."""
    clock = clock_of({name: [value(k) for k in range(ROWS)]})
    assert (clock.columns, clock.formats, clock.roles) == ((), (), ())
    assert "--row-order" in clock.undecided[0].said


@pytest.mark.parametrize(("name", "value"), [
    ("posted", lambda k: f"{k % 11 + 2} days ago"), ("Time", lambda k: k + 0.5), ("date", lambda k: f"week {k % 50}"),
    ("fecha", lambda k: f"{k % 28 + 1} de {ES[k % 12]}"), ("timestamp", lambda k: f"May {k % 28 + 1} 10:11:12"),
    ("date", lambda k: f"{k % 28 + 1:02d}/{k % 12 + 1:02d}/2567"),
])  # fmt: skip
def test_what_is_called_a_time_and_cannot_be_read_is_no_feature(name: str, value: Callable[[int], Any]) -> None:
    """It is left out with what it holds, and the file is undecided."""
    clock = clock_of({name: [value(k) for k in range(ROWS)]})
    assert [(r.column, r.role) for r in clock.roles] == [(name, "left out")]
    assert clock.columns == ()
    assert str(value(0)) in clock.undecided[0].said


@pytest.mark.parametrize(("name", "how"), [
    ("date_of_birth", "%Y-%m-%d"), ("expiry_date", "%Y-%m-%d"), ("date", "%b-%y"), ("created", "%Y-%m-%d %H:%M CST"),
    ("created", "%Y-%m-%d %H:%M UTC+2"), ("Datum", "%d.%m.%Y %H:%M Uhr MESZ"), ("date", "%d %b %Y %H:%M (WIB)"),
])  # fmt: skip
def test_a_time_that_cannot_be_the_records_is_asked_for(name: str, how: str) -> None:
    """A birth, what is yet to come, two digits that may be a day, a zone that is two: no format is taken."""
    clock = clock_of({name: told(SHUFFLED, how)})
    assert clock.formats == ()
    assert clock.undecided
    born = {f"birth_{part}": told(SHUFFLED, how) for part, how in (("year", "%Y"), ("month", "%m"), ("day", "%d"))}
    assert clock_of(born).columns == ()
    assert clock_of({**born, "visited": told(SHUFFLED, "%Y-%m-%d")}).columns == ("visited",)


def test_date_and_time_of_day_apart_are_one_time() -> None:
    """Date and clock, date and hour, year to hour: all columns together, every row at its hour."""
    apart: list[dict[str, list[Any]]] = [
        {"Date": told(HOURS, "%d/%m/%Y"), "Time": told(HOURS, "%H.%M.%S")},
        {"dteday": told(HOURS, "%Y-%m-%d"), "hr": told(HOURS, lambda m: m.hour)},
        {"Fecha": told(HOURS, "%d-%m-%Y"), "Hora": told(HOURS, "%H:%M")},
        {"date": told(HOURS, "%m/%d/%Y"), "time": told(HOURS, "%I:%M %p")},
        {"arrival_date_year": told(HOURS, "%Y"), "arrival_date_month": told(HOURS, "%B"),
         "arrival_date_day_of_month": told(HOURS, "%d"), "hour": told(HOURS, "%H")},
        {"year": told(HOURS, "%Y"), "month": told(HOURS, "%m"), "day": told(HOURS, "%d"), "hour": told(HOURS, "%H")},
    ]
    for columns in apart:
        clock = clock_of(columns)
        assert (set(clock.columns), clock.undecided) == (set(columns), ())
        table = chunk_of([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]).table
        read = read_times(joined(table, clock.columns), clock.formats, clock.locale).last
        assert [m.item() for m in read] == HOURS, columns.keys()


def test_hours_to_24_and_25() -> None:
    """24 is the next day's midnight; 25 asks for the zone whose day has so many hours."""
    ends = [m + timedelta(hours=1) for m in HOURS]
    day, hour = told(HOURS, "%Y-%m-%d"), [m.hour + 1 for m in HOURS]
    clock = clock_of({"day": day, "hour": hour})
    assert clock.columns == ("day", "hour")
    read = read_times([f"{d} {h:02d}" for d, h in zip(day, hour, strict=True)], clock.formats).last
    assert [m.item() for m in read] == ends
    long = clock_of({"date": [*day, "2024-10-27"], "hour": [*hour, 25]})
    assert long.formats == ("%Y-%m-%d {hour}",)
    assert long.undecided[0].settings[0].startswith("time_zone")


def test_of_several_times_the_records_own_is_taken() -> None:
    """Created before updated or resolved, submitted before started in a survey; others are left out with the reason."""
    later = [m + timedelta(hours=5) for m in SHUFFLED]
    iso = "%Y-%m-%d %H:%M:%S"
    for names in (
        ("created_at", "updated_at"), ("Created", "Resolved"), ("opened_at", "closed_at"), ("at", "repliedAt"),
        ("tpep_pickup_datetime", "tpep_dropoff_datetime"), ("date", "date_of_birth"), ("at_utc", "at_local"),
    ):  # fmt: skip
        clock = clock_of({names[1]: told(later, iso), names[0]: told(SHUFFLED, iso)})
        assert (clock.columns, clock.undecided) == ((names[0],), ()), names
        assert {r.column: r.role for r in clock.roles}[names[1]] == "left out"
    survey = clock_of({"Response ID": range(ROWS), "Start": told(SHUFFLED, iso), "Submitted": told(later, iso)})
    assert survey.columns == ("Submitted",)
    far = [m - timedelta(days=DICE.randrange(60, 900)) for m in SHUFFLED]
    either = clock_of({"policy_date": told(far, iso), "claim_date": told(SHUFFLED, iso)})
    assert set(either.undecided[0].settings) == {'time = "policy_date"', 'time = "claim_date"'}
    empty = clock_of({"created": ["" for _ in SHUFFLED], "seen": told(SHUFFLED, iso)})
    assert empty.columns == ("seen",)


def test_a_name_that_speaks_of_a_zone_gives_it_or_asks() -> None:
    """CET/CEST is one clock; CET alone is two; a count without a name beside the time is a time."""
    cells = told(SHUFFLED, "%Y-%m-%d %H:%M")
    assert clock_of({"MTU (CET/CEST)": cells}).zone == "Europe/Berlin"
    assert len(clock_of({"time (CET)": cells}).undecided[0].settings) == 2
    beside = clock_of({"created_at": cells, "snoozed": told([m + timedelta(days=1) for m in SHUFFLED], epoch)})
    assert [(r.column, r.role, r.kind) for r in beside.roles][1] == ("snoozed", "left out", "time")
