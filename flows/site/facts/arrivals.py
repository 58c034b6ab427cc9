"""How many records and labels came over time, and how late the labels were, for the page of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from statistics import quantiles

from trueup.flows.app import App
from trueup.reports.pages.arrivals import ArrivalCourse
from trueup.reports.pictures.course import DelayAt, Volume
from trueup.storage.arrival_courses import ArrivalCourses, LabelDelay
from trueup.storage.periods import EvenPeriods, periods_over
from trueup.storage.stream import StreamSettings

_MOST = 62  # periods
_LABELS = 50_000  # that are read: the newest
_DAY = timedelta(days=1)


def arrivals_of(app: App, stream: StreamSettings) -> ArrivalCourse | None:
    """Records and labels by even periods of a day or more, as far back as labels are read; None without any record."""
    courses = ArrivalCourses(app.database)
    extent = courses.extent(stream.name)
    if extent is None:
        return None
    periods = periods_over(extent.first, extent.last, _MOST, least=_DAY)
    last = periods.number(extent.last)
    first = max(periods.number(extent.first), last - _MOST + 1)
    delays = courses.label_delays(stream.name, periods.start(first), _LABELS)
    if len(delays) == _LABELS:  # what lies before the oldest that was read is not known
        first = min(periods.number(min(d.at for d in delays)) + 1, last)
    records = courses.records(stream.name, periods, periods.start(first))
    by_period: dict[int, list[LabelDelay]] = {}
    for delay in delays:
        by_period.setdefault(periods.number(delay.at), []).append(delay)
    span = range(first, last + 1)
    return ArrivalCourse(
        volumes=tuple(
            Volume(
                start=periods.start(k), end=periods.start(k + 1), records=records.get(k, 0),
                labels=len(by_period.get(k, ())),
            )
            for k in span
        ),
        delays=tuple(_delay(periods, k, by_period.get(k, ())) for k in span),
        period=periods.words,
        with_records=bool(delays) and all(d.delay <= timedelta(0) for d in delays),
        maturity=stream.label.maturity_span if stream.predicts else None,
    )  # fmt: skip


def _delay(periods: EvenPeriods, number: int, delays: Sequence[LabelDelay]) -> DelayAt:
    at, days = periods.start(number), sorted(d.delay / _DAY for d in delays)
    if not days:
        return DelayAt(at=at, median=None, nine_in_ten=None)
    tenths = quantiles(days, n=10, method="inclusive") if len(days) > 1 else [days[0]] * 9
    return DelayAt(at=at, median=tenths[4], nine_in_ten=tenths[8])
