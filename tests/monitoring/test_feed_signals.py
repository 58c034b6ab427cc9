"""The health of the feed: volume, repeats, refused items, labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_comparisons import compared, made_records, made_stream
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.signals.duplicates import duplicates
from trueup.monitoring.signals.label_coverage import label_coverage
from trueup.monitoring.signals.measure import SignalSource
from trueup.monitoring.signals.pending import PendingTest
from trueup.monitoring.signals.quarantine_rate import quarantine_rate
from trueup.monitoring.signals.volume import newest_periods, volume
from trueup.storage.rows import Rows
from trueup.storage.stream import OrderTime, StreamSettings

pytestmark = pytest.mark.long

LEVEL = 0.0005
NONE = np.array([], dtype="datetime64[us]")
START = np.datetime64("2024-01-01", "us")


def _judged(make: SignalSource, stream: StreamSettings, given: Comparison) -> Signal:
    (item,) = make(stream, given)
    return item.run(LEVEL) if isinstance(item, PendingTest) else item


def _volume(times: np.ndarray, as_of: np.datetime64, accepted_at: np.ndarray = NONE) -> Signal:
    empty = Rows.empty(made_stream().columns)
    moment = pd.Timestamp(as_of).to_pydatetime()
    given = compared(empty, empty, intake=Intake(np.sort(times), NONE, accepted_at), as_of=moment)
    return _judged(volume, made_stream(), given)


def _real(path: Path, column: str, layout: str) -> np.ndarray:
    times = pd.to_datetime(pd.read_csv(path)[column].dropna(), format=layout)
    if layout == "%b %Y":
        times = times + pd.offsets.MonthEnd(0) + pd.Timedelta(days=1) - pd.Timedelta("1us")
    return np.sort(times.to_numpy().astype("datetime64[us]"))


@pytest.mark.parametrize(
    ("file", "column", "layout", "silence"),
    [
        ("greenlight_play.csv", "at", "%Y-%m-%d %H:%M:%S", 14),
        pytest.param("flipkart_badminton.csv", "Month", "%b %Y", 40, marks=pytest.mark.slow),
    ],
)
def test_real_rhythms_are_healthy_and_their_silence_is_not(
    shared_data: Path, file: str, column: str, layout: str, silence: int
) -> None:
    """Years of real bursts raise no alarm week by week; the feed's end is heard within its own rhythm."""
    times = _real(shared_data / file, column, layout)
    first = times[0] + (times[-1] - times[0]) // 4
    for as_of in np.arange(first, times[-1], np.timedelta64(11, "D")):
        assert _volume(times[times <= as_of], as_of).verdict is not Verdict.BREACHED, as_of
    assert _volume(times, times[-1] + np.timedelta64(silence, "D")).verdict is Verdict.BREACHED


def _busy(days: int, rng: np.random.Generator) -> np.ndarray:
    """Records with nights and week-ends, about 60 an hour by day."""
    hours = np.arange(24 * days)
    mean = 60 * (1 + 0.9 * np.sin(2 * np.pi * hours / 24)) * np.where(hours // 24 % 7 > 4, 0.5, 1.0)
    begun = np.repeat(START + hours.astype("timedelta64[h]"), rng.poisson(mean))
    return np.sort(begun + rng.integers(0, 3_600_000_000, len(begun)).astype("timedelta64[us]"))


def test_nights_and_week_ends_are_no_silence() -> None:
    """A feed with a daily and weekly rhythm raises nothing at any hour, and its silence is heard within a day."""
    times = _busy(60, np.random.default_rng(1))
    for hour in range(24 * 30, 24 * 60, 7):
        as_of = START + np.timedelta64(hour, "h")
        assert _volume(times[times <= as_of], as_of).verdict is not Verdict.BREACHED, as_of
    quiet = _volume(times, times[-1] + np.timedelta64(1, "D"))
    assert quiet.verdict is Verdict.BREACHED
    assert "0 records in the newest whole" in quiet.said
    assert _volume(times, times[-1] + np.timedelta64(20, "D")).verdict is Verdict.BREACHED


def _after(times: np.ndarray, start: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """The feed of which, from an hour on, only a share of the records comes, or more than all."""
    after = times >= START + np.timedelta64(start, "h")
    copies = np.where(after, int(share) + (rng.random(len(times)) < share % 1), 1)
    return np.repeat(times, copies)


@pytest.mark.parametrize(("share", "hours"), [(0.0, 1), (0.4, 3), (2.5, 3)])
def test_a_break_at_a_busy_hour_shows_within_hours(share: float, hours: int) -> None:
    """At its busiest hour a silence breaches after an hour, overwhelmingly; a fall and a rise after a few."""
    rng = np.random.default_rng(11)
    start = 24 * 57 + 4
    broken = _after(_busy(60, rng), start, share, rng)
    found = [_volume(broken, START + np.timedelta64(start + 1 + k, "h")) for k in range(hours)]
    assert any(signal.overwhelming for signal in found)
    assert all(signal.direction == ("down" if share < 1 else "up") for signal in found if signal.overwhelming)


def test_a_silence_at_night_shows_when_morning_comes() -> None:
    """Where almost nothing is usual, nothing is no news; by the hour at which records are usual again it is."""
    rng = np.random.default_rng(12)
    start = 24 * 57 + 16  # six an hour from here, and fewest at 18:00
    broken = _after(_busy(60, rng), start, 0.0, rng)
    found = [_volume(broken, START + np.timedelta64(start + k, "h")) for k in (1, 2, 9)]
    assert [signal.verdict for signal in found] == [Verdict.OK, Verdict.OK, Verdict.BREACHED]


def _days(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    begun = np.repeat(START + np.arange(len(counts)).astype("timedelta64[D]"), counts)
    return np.sort(begun + rng.integers(0, 86_400_000_000, len(begun)).astype("timedelta64[us]"))


def test_a_sunday_is_held_against_sundays() -> None:
    """A fifth of the records is usual on a Sunday, and a drop on a Wednesday."""
    rng = np.random.default_rng(13)
    counts = rng.poisson(np.where(np.arange(70) % 7 == 6, 12, 60))
    counts[65] = 12
    sunday, wednesday = (_volume(_days(counts[:n], rng), START + np.timedelta64(n, "D")) for n in (63, 66))
    assert sunday.verdict is Verdict.OK
    assert wednesday.verdict is Verdict.BREACHED
    assert "at this time of the week" in wednesday.said


def test_an_outage_once_heard_does_not_hide_the_next() -> None:
    """The silences of the weeks before, and their edges, are no measure of what is usual."""
    rng = np.random.default_rng(14)
    times = _busy(60, rng)
    for day in (30, 40, 50):
        gone = [START + np.timedelta64(24 * day + hour, "h") for hour in (3, 9)]
        times = times[(times < gone[0]) | (times > gone[1] - np.timedelta64(20, "m"))]
    as_of = START + np.timedelta64(24 * 57 + 6, "h")
    assert _volume(times[times <= as_of], as_of).verdict is Verdict.OK
    assert _volume(times[times <= as_of - np.timedelta64(2, "h")], as_of).overwhelming


@pytest.mark.parametrize("spread", [0.1, pytest.param(0.3, marks=pytest.mark.slow)])
def test_overdispersed_and_growing_feeds_keep_the_level(spread: float) -> None:
    """Negative binomial hours of a feed that doubles in eight weeks breach in no more than two looks of 250."""
    rng = np.random.default_rng(15)
    hours = np.arange(24 * 90)
    mean = 60 * (1 + 0.9 * np.sin(2 * np.pi * hours / 24)) * 2.0 ** (hours / (24 * 56))
    counts = rng.poisson(mean * rng.gamma(1 / spread, spread, len(hours)))
    begun = np.repeat(START + hours.astype("timedelta64[h]"), counts)
    times = np.sort(begun + rng.integers(0, 3_600_000_000, len(begun)).astype("timedelta64[us]"))
    looks = START + (24 * 40 + 5 * np.arange(240)).astype("timedelta64[h]")
    assert sum(_volume(times[times <= as_of], as_of).verdict is Verdict.BREACHED for as_of in looks) <= 2


def test_a_pause_between_two_batches_is_no_silence() -> None:
    """Records that are delivered once a day are expected up to the newest batch, until the next is overdue."""
    times = _busy(60, np.random.default_rng(2))
    batches = START + np.arange(24, 24 * 60, 24).astype("timedelta64[h]")
    as_of = batches[-1] + np.timedelta64(20, "h")
    known = times[times <= batches[-1]]
    assert _volume(known, as_of).verdict is Verdict.BREACHED
    delivered = np.repeat(batches, 100)
    assert _volume(known, as_of, accepted_at=delivered).verdict is not Verdict.BREACHED
    overdue = batches[-1] + np.timedelta64(3, "D")
    assert _volume(known, overdue, accepted_at=delivered).verdict is Verdict.BREACHED


def test_the_time_that_a_file_takes_is_no_silence() -> None:
    """Files that come two hours after the last time they hold end there, not when they were received."""
    times = _busy(60, np.random.default_rng(16))
    ends = START + np.arange(24 * 50, 24 * 58 + 6).astype("timedelta64[h]")
    as_of = ends[-1] + np.timedelta64(2, "h")
    known = times[times <= ends[-1]]
    assert _volume(known, as_of).verdict is Verdict.BREACHED
    assert _volume(known, as_of, accepted_at=ends + np.timedelta64(2, "h")).verdict is Verdict.OK


def test_volume_is_left_out_where_time_is_the_order_of_intake() -> None:
    """A stream without a clock has no volume by time."""
    stream = made_stream(time=OrderTime(start="1996-05-07", step="30min"))
    rows = made_records(100, np.random.default_rng(3))
    assert not list(volume(stream, compared(rows, rows)))


def test_too_short_a_history_is_insufficient() -> None:
    """Three days of records do not tell what is usual; an empty feed neither."""
    times = START + np.arange(0, 72, 8).astype("timedelta64[h]")
    assert newest_periods(Intake(times, NONE, NONE), times[-1]) == ()
    assert _volume(times, times[-1]).verdict is Verdict.INSUFFICIENT
    assert _volume(NONE, START).verdict is Verdict.INSUFFICIENT


def test_a_flood_of_copies_is_seen_and_usual_repeats_are_not() -> None:
    """Where repeats are usual a healthy window is quiet; 90 copies of one text among 300 breach."""
    rng = np.random.default_rng(4)
    found = []
    for _ in range(20):
        rows = made_records(1500, rng)
        often, once = rng.zipf(1.5, 1500), rng.integers(0, 2**60, 1500)
        rows = rows.with_meta(content=np.where(rng.random(1500) < 0.4, often, once))
        before, now = rows.take(slice(0, 1200)), rows.take(slice(1200, None))
        flooded = now.with_meta(content=np.where(np.arange(300) < 90, 42, now.meta["content"]))
        found.append([_judged(duplicates, made_stream(), compared(before, x)).verdict for x in (now, flooded)])
    assert all(healthy is Verdict.OK for healthy, _ in found)
    assert sum(broken is Verdict.BREACHED for _, broken in found) >= 18


def _quarantine(sizes: list[tuple[int, int]]) -> Signal:
    """Hourly receipts of (accepted, refused) items."""
    hours = START + np.arange(len(sizes)).astype("timedelta64[h]")
    accepted, refused = (np.repeat(hours, [size[i] for size in sizes]) for i in (0, 1))
    rows = made_records(40, np.random.default_rng(5))
    return _judged(quarantine_rate, made_stream(), compared(rows, rows, intake=Intake(hours, refused, accepted)))


def test_refused_items() -> None:
    """A file of mostly refused rows breaches; a usual one, and a usual bad one, do not; a first one is not judged."""
    clean = [(200, 2)] * 10
    assert _quarantine([*clean, (200, 3)]).verdict is Verdict.OK
    assert _quarantine([*clean, (40, 160)]).verdict is Verdict.BREACHED
    assert _quarantine([*clean[:5], (40, 160), *clean[:5], (60, 140)]).verdict is Verdict.OK
    assert _quarantine([(5000, 0), (20, 30)]).verdict is Verdict.BREACHED
    assert _quarantine([(500, 20)]).verdict is Verdict.INSUFFICIENT


def test_label_coverage_is_stated_and_never_breaches() -> None:
    """Only mature records are asked for a label; none at all is stated, not breached."""
    rows = made_records(400, np.random.default_rng(6))
    before, now = rows.take(slice(0, 300)), rows.take(slice(300, None))
    bare = now.with_meta(label=None)
    stated = _judged(label_coverage, made_stream(), compared(before, bare))
    assert (stated.verdict, stated.value) == (Verdict.OK, 0.0)
    young = _judged(label_coverage, made_stream(label={"maturity": "30d"}), compared(before, now))
    assert young.verdict is Verdict.INSUFFICIENT
