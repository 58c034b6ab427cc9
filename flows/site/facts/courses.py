"""How a stream's metric and signals went in a span of time, read from the store and thinned to what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from trueup.flows.app import App
from trueup.flows.audit.history import what_happened
from trueup.flows.check.metric_points import METRIC_CODES, metric_points
from trueup.flows.site.facts.check_pages import CheckPages
from trueup.monitoring.check import Verdict
from trueup.monitoring.signals.catalogue import CATALOGUE, METRIC, kind_of
from trueup.reports.pages.check_rows import CheckLine
from trueup.reports.pages.metric_course import POINTS_SHOWN, MetricHistory, worst_of_each
from trueup.reports.pages.signal_course import SignalHistory
from trueup.reports.pictures.heat_map import CheckColumn
from trueup.reports.pictures.metric_over_time import Happening, Spell
from trueup.storage.check_courses import CheckCourses, SignalPeriod, SignalValue
from trueup.storage.check_lists import CheckFilter
from trueup.storage.periods import EvenPeriods, periods_over
from trueup.storage.promotions import TRAINED, PromotionAttempt, PromotionState
from trueup.storage.stream import StreamSettings

_READ = 5_000  # values of a signal that are read for one picture
_ROWS = 60  # signals that one heat map shows


def metric_course(
    app: App, stream: StreamSettings, pages: CheckPages, since: datetime, until: datetime
) -> MetricHistory | None:
    """The metric in the counted checks with since ≤ time < until, or in all where none counted; None without any."""
    values, of = _values(app, stream.name, since, until)
    points = metric_points(values)
    if not points:
        return None
    periods = periods_over(points[0].at, points[-1].at, POINTS_SHOWN)
    thinned = tuple(points)
    if len(points) > POINTS_SHOWN:
        groups = [list(group) for _, group in groupby(points, key=lambda p: periods.number(p.at))]
        thinned = worst_of_each(groups, lower_is_better=stream.lower_is_better)
    history = app.promotions.history(stream.name)
    return MetricHistory(
        metric=stream.metric,
        points=tuple(replace(p, href=pages.href(p.href)) for p in thinned),
        incidents=_spells(app, stream.name, since, until),
        promotions=tuple(_promoted(p) for p in reversed(history) if _moved(p) and since <= p.as_of < until),
        retrains=tuple(_trained(p) for p in reversed(history) if p.kind in TRAINED and since <= p.as_of < until),
        span=(points[0].at, points[-1].at) if points[0].at < points[-1].at else None,
        note=_note(len(points), len(thinned), periods, of),
    )


def signal_course(
    app: App, stream: str, pages: CheckPages, since: datetime, until: datetime
) -> SignalHistory | None:
    """Each signal's verdict in the checks with since ≤ time ≤ until, by check or by period; None without a signal."""
    periods = periods_over(since, until, POINTS_SHOWN)
    found = CheckCourses(app.database).signal_periods(stream, periods, since, until)
    if not found:
        return None
    most = max(s.breached + s.ok + s.unjudged for s in found)
    columns = [
        _column(list(group), pages, None if most == 1 else periods.start(number))
        for number, group in groupby(sorted(found, key=lambda s: (s.number, s.code)), key=lambda s: s.number)
    ]
    note = "Each column is one check; choose it to open the check."
    if most > 1:
        note = (
            f"Each column is one {periods.words} of up to {most:,} checks and shows the worst verdict of each signal. "
            "Choose it to open the check that breached most."
        )
    codes = _in_order({s.code for s in found})
    if len(codes) > _ROWS:
        breached = {s.code for s in found if s.breached}
        codes = tuple(sorted(codes, key=lambda code: code not in breached))[:_ROWS]
        note += f" {_ROWS} of {len({s.code for s in found})} signals are shown, those that breached first."
    return SignalHistory(codes=codes, columns=tuple(columns), note=note)


def check_lines(
    app: App, stream: str, pages: CheckPages, asked: CheckFilter, limit: int
) -> tuple[tuple[CheckLine, ...], int]:
    """The newest `limit` checks that are asked for, newest first, and how many there are."""
    found, total = app.checks.page(asked, limit)
    metrics: dict[str, float | None] = {}
    if found:
        values = CheckCourses(app.database).values(stream, [METRIC], since=found[-1].as_of, limit=2 * limit)
        metrics = {value.report_id: value.value for value in values}
    lines = (
        CheckLine(
            as_of=c.as_of, href=pages.href(c.report_id), version=c.version, counted=c.counted, breached=c.breached,
            judged=c.verdict != "insufficient", metric=metrics.get(c.report_id),
        )
        for c in found
    )  # fmt: skip
    return tuple(lines), total


def _values(app: App, stream: str, since: datetime, until: datetime) -> tuple[list[SignalValue], str]:
    courses, codes = CheckCourses(app.database), METRIC_CODES
    counted = courses.values(stream, codes, counted=True, since=since, until=until, limit=2 * _READ)
    if counted:
        return counted, "counted checks"
    return courses.values(stream, codes, since=since, until=until, limit=2 * _READ), "checks"


def _note(all_points: int, shown: int, periods: EvenPeriods, of: str) -> str:
    if shown == all_points:
        return ""
    return f"{all_points:,} {of}; each point is the worst of one {periods.words}, with the interval of that check."


def _spells(app: App, stream: str, since: datetime, until: datetime) -> tuple[Spell, ...]:
    return tuple(
        Spell(start=i.opened_at, end=i.resolved_at, words=i.stem.removeprefix(f"{stream}: "))
        for i in reversed(app.incidents.newest(stream, limit=None))
        if i.opened_at < until and (i.resolved_at is None or i.resolved_at >= since)
    )


def _moved(attempt: PromotionAttempt) -> bool:
    return attempt.state is PromotionState.COMMITTED and attempt.to_version is not None


def _promoted(attempt: PromotionAttempt) -> Happening:
    over = "" if attempt.from_version is None else f" over v{attempt.from_version}"
    return Happening(at=attempt.as_of, words=f"v{attempt.to_version}{over}: {_in_words(attempt)}",
                     short=f"v{attempt.to_version}")  # fmt: skip


def _trained(attempt: PromotionAttempt) -> Happening:
    if attempt.to_version is None:
        return Happening(at=attempt.as_of, words="no version could be trained")
    return Happening(at=attempt.as_of, words=f"v{attempt.to_version} trained: {_in_words(attempt)}",
                     short=f"v{attempt.to_version}")  # fmt: skip


def _in_words(attempt: PromotionAttempt) -> str:
    return what_happened({"state": str(attempt.state), "kind": attempt.kind})


def _column(signals: Sequence[SignalPeriod], pages: CheckPages, start: datetime | None) -> CheckColumn:
    """One column: it leads to the check that stands for most of its breaches; start: None for that of one check."""
    breached = [s for s in signals if s.breached]
    leads = [s.report_id for s in breached or signals]
    chosen = max(breached or signals, key=lambda s: (leads.count(s.report_id), s.at))
    return CheckColumn(
        at=start or chosen.at, verdicts={s.code: _worst(s) for s in signals}, href=pages.href(chosen.report_id)
    )


def _worst(signal: SignalPeriod) -> Verdict:
    return Verdict.BREACHED if signal.breached else Verdict.OK if signal.ok else Verdict.INSUFFICIENT


def _in_order(codes: set[str]) -> tuple[str, ...]:
    """Codes as a check lists them."""
    order = {kind.code: place for place, kind in enumerate(CATALOGUE)}
    return tuple(sorted(codes, key=lambda code: (order.get(kind_of(code).code, len(order)), code)))
