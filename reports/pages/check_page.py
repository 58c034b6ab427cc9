"""The page of one check: a verdict in words, the metric over time, each breach in a picture, then Evidently's plots."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.distribution import POOLED_LEVEL, Shows
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.reports.pages.check_words import ESTIMATE, by_gravity, check_verdict
from trueup.reports.pages.frame import PageFrame, hash_of_script, page_template, whole_page
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable
from trueup.reports.pictures.distributions import LevelShares, distribution_pair, in_one_order, levels_pair
from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.metric_over_time import Happening, MetricAt, Spell, metric_over_time
from trueup.reports.pictures.what_moved import MovedWord, SliceMetric, slices_by_harm, words_moved
from trueup.storage.formatting import capitalised, counted_noun, figure, metric_name, p_value_figure, percent
from trueup.storage.slugs import slug
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from markupsafe import Markup

_OF_METRIC = (METRIC, ESTIMATE)  # told beside the metric's own picture
_SHARES = frozenset({  # whose contributors are shares of the records
    "DRF-IN", "DRF-TEXT", "DRF-TEXT-length", "DRF-TEXT-unseen", "DRF-SCORE", "DRF-CLASS", "DRF-LABEL", "DQ-MISSING",
})  # fmt: skip
_TITLES = {
    Shows.BINS: "Share of the values, reference and current",
    Shows.LEVELS: "Share of the records, reference and current",
    Shows.WORDS: "Share of texts that hold a word, change in points",
    Shows.SLICES: "",  # the picture names the metric
}
_COURSE = "metric"
_EFFORT = 6


@dataclass(frozen=True, kw_only=True)
class EvidentlyPlots:
    """Where Evidently's plots of the check are.

    href: the relative address of their own page, which the frame takes when it is opened. inside: that page itself, for
    a page that stands alone. why_not: why there are none. shares_origin: whether the frame keeps this page's origin,
    which a browser wants where pages are opened from a folder; the plots' own policy guards it in either case.
    """

    href: str = ""
    inside: bytes = b""
    why_not: str = ""
    shares_origin: bool = True


@dataclass(frozen=True, kw_only=True)
class CheckPageFacts:
    """All that the page of a check shows; every text of an outsider in it is already masked where it has to be.

    metric: as settings name it; empty: nothing is predicted. points: the metric in the last windows, oldest first, this
    check's last. done: what the cycle did, in a sentence. csv_stem: what the names of the CSV files beside the page
    begin with; empty: there are none.
    """

    frame: PageFrame
    stream: str
    report_id: str
    as_of: datetime
    champion: int
    metric: str
    lower_is_better: bool
    is_regression: bool
    check: Check
    points: tuple[MetricAt, ...]
    incidents: tuple[Spell, ...] = ()
    promotions: tuple[Happening, ...] = ()
    retrains: tuple[Happening, ...] = ()
    done: str = ""
    plots: EvidentlyPlots
    csv_stem: str = ""


@dataclass(frozen=True)
class ShownSignal:
    """A signal as the page tells it: title, what it measures, small figures, and its picture where there is one."""

    signal: Signal
    title: str
    measures: str
    figures: tuple[tuple[str, str], ...]
    drawing: Drawing | None
    note: str


def check_page(facts: CheckPageFacts, drawings: Sequence[Drawing] | None = None) -> bytes:
    """The page, UTF-8; the same bytes for the same facts. drawings: those of `check_drawings`, if made already."""
    from markupsafe import Markup

    plots = facts.plots
    drawn = {drawing.name: drawing for drawing in (check_drawings(facts) if drawings is None else drawings)}
    script = page_template("plots.js").render() if plots.href or plots.inside else ""
    body = page_template("check.html").render(
        facts=facts,
        verdict=check_verdict(facts.check, is_regression=facts.is_regression),
        window=_window(facts.check),
        course=drawn.get(_COURSE),
        of_metric=[s for s in facts.check.signals if s.code in _OF_METRIC],
        breached=[_shown(signal, drawn.get(slug(signal.code))) for signal in _breached(facts)],
        fine=_table(facts.check.signals, Verdict.OK, "Signals that are ok"),
        unjudged=_table(facts.check.signals, Verdict.INSUFFICIENT, "Signals that are not judged"),
        metric=capitalised(metric_name(facts.metric)),
        packed=packed_plots(plots.inside),
        to_minute=to_minute,
    )
    scripts = (script,) if script else ()
    return whole_page(facts.frame, Markup(body), scripts=scripts, allowed=plots_hashes(plots.inside))


def check_drawings(facts: CheckPageFacts) -> tuple[Drawing, ...]:
    """The pictures of the page, whose numbers a site keeps as CSV beside it."""
    made = (_course(facts), *(_drawing(signal, facts) for signal in _breached(facts)))
    return tuple(drawing for drawing in made if drawing is not None)


def packed_plots(inside: bytes) -> Markup:
    """The plots' page as `plots.js` unpacks it when it is opened; empty for none."""
    from markupsafe import Markup

    return Markup(base64.b64encode(gzip.compress(inside, _EFFORT, mtime=0)).decode() if inside else "")


def plots_hashes(inside: bytes) -> tuple[str, ...]:
    """The scripts of the plots' page, which inherits the policy of the page that holds it."""
    scripts = re.findall(r"<script>(.*?)</script>", inside.decode(), re.DOTALL)
    return tuple(hash_of_script(script) for script in scripts)


def _window(check: Check) -> str:
    """The window in words."""
    sizes = [s.n_current for s in check.signals if kind_of(s.code).side == "inputs"]
    size = max(sizes, default=0)
    named = counted_noun(size, "record") if size else "No records"
    if check.first_time is None or check.last_time is None:
        return named
    first, last = (to_minute(datetime.fromisoformat(at)) for at in (check.first_time, check.last_time))
    return f"{named}, {first} to {last}"


def _course(facts: CheckPageFacts) -> Drawing | None:
    if not facts.metric or not facts.points:
        return None
    return metric_over_time(
        facts.points, metric=facts.metric, incidents=facts.incidents, promotions=facts.promotions,
        retrains=facts.retrains, name=_COURSE,
    )  # fmt: skip


def _breached(facts: CheckPageFacts) -> list[Signal]:
    return [signal for signal in by_gravity(facts.check.breached) if signal.code not in _OF_METRIC]


def _shown(signal: Signal, drawing: Drawing | None) -> ShownSignal:
    kind = kind_of(signal.code)
    held = signal.distribution
    note = f"{percent(held.beyond)} of the values lie beyond the outer bins and are counted in them." if (
        held is not None and held.beyond
    ) else ""  # fmt: skip
    measures = f"{capitalised(kind.title)}, {counted_noun(signal.n_reference, 'record')} against {signal.n_current:,}"
    return ShownSignal(signal, capitalised(kind.phrase_of(signal.code)), measures, _figures(signal), drawing, note)


def _drawing(signal: Signal, facts: CheckPageFacts) -> Drawing | None:
    held = signal.distribution
    if held is None:
        return _of_contributors(signal)
    name, title = slug(signal.code), _TITLES[held.shows]
    if not held.current and not held.reference:
        return None
    if held.shows is Shows.BINS:
        reference, current = ([float(v or 0) for v in side] for side in (held.reference, held.current))
        return distribution_pair(held.edges, reference, current, name=name, title=title)
    both = list(zip(held.names, held.reference, held.current, strict=True))
    if held.shows is Shows.WORDS:
        words = [MovedWord(word=w, before=float(before or 0), now=float(now or 0)) for w, before, now in both]
        return words_moved(words, name=name, title=title)
    if held.shows is Shows.SLICES:
        slices = [
            SliceMetric(words=w, before=before, now=now, records=n, breached=w in held.breached)
            for (w, before, now), n in zip(both, held.records, strict=True)
        ]
        return slices_by_harm(slices, metric=facts.metric, lower_is_better=facts.lower_is_better, name=name)
    levels = in_one_order({w: float(v or 0) for w, v, _ in both}, {w: float(v or 0) for w, _, v in both})
    if held.ordered:
        levels = tuple(sorted(levels, key=lambda level: held.names.index(level.words)))
    levels = tuple(sorted(levels, key=lambda level: level.words == POOLED_LEVEL))
    return levels_pair(levels, name=name, title=title)


def _of_contributors(signal: Signal) -> Drawing | None:
    """What a check of before kept: the words, levels or ranges that moved most."""
    name, code = slug(signal.code), kind_of(signal.code).code
    if not signal.contributors or code not in _SHARES:
        return None
    if code == "DRF-TEXT":
        words = [MovedWord(word=c.what, before=c.before, now=c.now) for c in signal.contributors]
        return words_moved(words, name=name, title=_TITLES[Shows.WORDS])
    levels = [LevelShares(words=c.what, reference=c.before, current=c.now) for c in signal.contributors]
    return levels_pair(levels, name=name, title=_TITLES[Shows.LEVELS])


def _figures(signal: Signal) -> tuple[tuple[str, str], ...]:
    interval = signal.interval
    pairs = (
        ("Value", figure(signal.value) if signal.value is not None else ""),
        ("Effect", figure(signal.effect) if signal.effect is not None else ""),
        ("Interval of the effect", f"{figure(interval[0])} to {figure(interval[1])}" if interval else ""),
        ("p", p_value_figure(signal.p_value) if signal.p_value is not None else ""),
        ("Threshold", figure(signal.threshold) if signal.threshold is not None else ""),
    )
    return tuple((name, value) for name, value in pairs if value)


def _table(signals: Sequence[Signal], verdict: Verdict, caption: str) -> PageTable | None:
    rows = [s for s in signals if s.verdict is verdict]
    if not rows:
        return None
    judged = verdict is not Verdict.INSUFFICIENT
    figures = ("Value", "p", "Threshold") if judged else ()
    columns = (PageColumn("Signal"), PageColumn("What was found"), *(PageColumn(n, number=True) for n in figures))
    return PageTable(caption, columns, tuple(_row(signal, judged=judged) for signal in rows))


def _row(signal: Signal, *, judged: bool) -> tuple[PageCell, ...]:
    told = (PageCell(signal.code, more=capitalised(kind_of(signal.code).title)), PageCell(signal.said))
    if not judged:
        return told
    return (
        *told,
        PageCell(figure(signal.value), sort=signal.value),
        PageCell(p_value_figure(signal.p_value), sort=signal.p_value),
        PageCell(figure(signal.threshold), sort=signal.threshold),
    )
