"""What the page of a check shows, read from the store and the archive, with personal data masked where it leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from trueup.flows.app import App
from trueup.flows.check.metric_points import METRIC_CODES, metric_points
from trueup.monitoring.check import Check, Signal
from trueup.monitoring.distribution import Distribution
from trueup.reports.masking import masked
from trueup.reports.pages.check_page import CheckPageFacts, EvidentlyPlots
from trueup.reports.pages.check_words import done_in_words
from trueup.reports.pages.frame import PageFrame
from trueup.reports.pictures.metric_over_time import Happening, MetricAt, Spell
from trueup.storage.check_courses import CheckCourses
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.promotions import PromotionState
from trueup.storage.timepoints import to_minute

WINDOWS_SHOWN = 30  # that the metric's picture goes back
_LONGEST = 4_000  # characters of a sentence


def check_facts(
    app: App,
    report_id: str,
    *,
    plots: EvidentlyPlots,
    mask: bool,
    crumbs: tuple[tuple[str, str], ...] = (),
    root: str = "",
    csv_stem: str = "",
    href_of: Callable[[str], str] = lambda _: "",
) -> CheckPageFacts:
    """The facts of a stored check.

    Args:
        mask: whether what outsiders wrote is masked.
        crumbs, root: the pages above, as `PageFrame` has them. csv_stem: as `CheckPageFacts` has it.
        href_of: the relative address of another check's page, by its id.

    Raises:
        InputError: there is no such check. StoreUnusable: what the store holds of it is damaged.
    """
    try:
        row = app.cycles.report(report_id)
        if row is None:
            raise InputError(f"There is no report '{report_id}'. List those there are: trueup reports list")
        check = Check.from_json(row["document"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreUnusable(
            f"What the store holds of report '{report_id}' cannot be read ({type(error).__name__}). Other reports are "
            "not affected. Restore the store from its backup to have the figures again."
        ) from error
    stream, as_of = app.stream(row["stream"]), row["as_of"]
    told: Callable[[str], str] = partial(masked, length=_LONGEST) if mask else str
    points = _points(app, stream.name, as_of, href_of) if stream.predicts else ()
    since = points[0].at if points else as_of
    cycle = app.cycles.find(stream.name, as_of) if row["cycle_id"] else None
    check = _with_distributions(check, kept_distributions(app, stream.name, report_id))
    return CheckPageFacts(
        frame=PageFrame(f"Check of {to_minute(as_of)}", crumbs, root),
        stream=stream.name, report_id=report_id, as_of=as_of, champion=row["version"],
        metric=stream.metric if stream.predicts else "", lower_is_better=stream.lower_is_better,
        is_regression=stream.is_regression, check=masked_check(check) if mask else check, points=points,
        incidents=_incidents(app, stream.name, since, as_of, told), plots=plots, csv_stem=csv_stem,
        promotions=_attempts(app, stream.name, since, as_of, PromotionState.COMMITTED),
        retrains=_attempts(app, stream.name, since, as_of, PromotionState.REFUSED),
        done=told(done_in_words(cycle.document)) if cycle and cycle.document else "",
    )  # fmt: skip


def kept_distributions(app: App, stream: str, report_id: str) -> dict[str, Distribution]:
    """What the pictures of a check show, by the code of the signal; empty where it cannot be read any more."""
    try:
        return app.report_files.distributions(stream, report_id)
    except StoreUnusable:  # costs the pictures alone
        return {}


def _with_distributions(check: Check, held: dict[str, Distribution]) -> Check:
    return replace(check, signals=tuple(replace(s, distribution=held.get(s.code)) for s in check.signals))


def _points(app: App, stream: str, as_of: datetime, href_of: Callable[[str], str]) -> tuple[MetricAt, ...]:
    """The metric and its estimate in the checks up to this one that judged them."""
    values = CheckCourses(app.database).values(
        stream, METRIC_CODES, until=as_of + timedelta(microseconds=1), limit=2 * WINDOWS_SHOWN
    )
    return tuple(replace(p, href=href_of(p.href)) for p in metric_points(values)[-WINDOWS_SHOWN:])


def _incidents(
    app: App, stream: str, since: datetime, until: datetime, told: Callable[[str], str]
) -> tuple[Spell, ...]:
    return tuple(
        Spell(start=i.opened_at, end=i.resolved_at, words=told(i.stem.removeprefix(f"{stream}: ")))
        for i in reversed(app.incidents.newest(stream, limit=None))
        if i.opened_at <= until and (i.resolved_at is None or i.resolved_at >= since)
    )


def _attempts(
    app: App, stream: str, since: datetime, until: datetime, state: PromotionState
) -> tuple[Happening, ...]:
    done = "promoted" if state is PromotionState.COMMITTED else "trained and not promoted"
    return tuple(
        Happening(at=a.as_of, words=f"v{a.to_version} {done}", short=f"v{a.to_version}")
        for a in reversed(app.promotions.history(stream, limit=None))
        if a.state is state and a.to_version is not None and since <= a.as_of <= until
    )


def masked_check(check: Check) -> Check:
    """The check with all that outsiders can have written masked: sentences, words, levels, notes."""
    notes = tuple(masked(note, _LONGEST) for note in check.notes)
    return replace(check, notes=notes, signals=tuple(_masked_signal(signal) for signal in check.signals))


def _masked_signal(signal: Signal) -> Signal:
    held = signal.distribution
    parts = tuple(replace(part, what=masked(part.what)) for part in signal.contributors)
    shown = None if held is None else replace(
        held, names=tuple(map(masked, held.names)), breached=tuple(map(masked, held.breached))
    )  # fmt: skip
    return replace(signal, said=masked(signal.said, _LONGEST), contributors=parts, distribution=shown)
