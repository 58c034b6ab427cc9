"""Pictures: equal input draws equal bytes, no words of an outsider become markup, nothing lies outside."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.monitoring.check import Verdict
from trueup.reports.pictures import marks
from trueup.reports.pictures.axes import calendar, nice, runs
from trueup.reports.pictures.course import (
    DelayAt,
    Volume,
    delay_over_time,
    sparkline_drawing,
    volume_over_time,
)
from trueup.reports.pictures.distributions import distribution_pair, in_one_order, levels_pair
from trueup.reports.pictures.drawing import Drawing
from trueup.reports.pictures.drivers import DriverBar, answer_drivers
from trueup.reports.pictures.heat_map import CheckColumn, signal_heat_map
from trueup.reports.pictures.metric_over_time import Happening, MetricAt, Spell, metric_over_time
from trueup.reports.pictures.palette import picture_css
from trueup.reports.pictures.what_moved import MovedWord, SliceMetric, by_harm, slices_by_harm, words_moved
from trueup.storage.colours import CATEGORIES, PALETTE

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2024, 3, 1, tzinfo=UTC)
HOSTILE = (
    "w" * 3_000, "</text><script>alert(1)</script>", "\u202eevil", "שלום עולם", "\u200b\u200b", "a" + "\u0301" * 80,
    "漢字" * 60, "\ufdfd" * 9, '" onload="alert(1)', "&lt;", "=1+1", "\ud800", "", "\x00\x1b[31m", "👩\u200d👧" * 20,
)  # fmt: skip
WORDS = st.one_of(st.integers(0, len(HOSTILE) - 1).map(HOSTILE.__getitem__), st.text(max_size=40))
FIGURES = st.one_of(st.none(), st.floats(), st.floats(0, 1))
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
DRAWN: dict[str, st.SearchStrategy[Drawing]] = {
    "metric": st.builds(
        lambda points, spells, promoted, trained: metric_over_time(
            sorted(points, key=lambda p: p.at), metric="mae", incidents=spells, promotions=promoted, retrains=trained
        ),
        st.lists(st.builds(MetricAt, at=MOMENTS, measured=FIGURES, low=FIGURES, high=FIGURES, estimated=FIGURES,
                           bound=FIGURES, href=st.sampled_from(("", "checks/a.html"))), max_size=12),
        st.lists(st.builds(Spell, start=MOMENTS, end=st.none() | MOMENTS, words=WORDS), max_size=3),
        st.lists(st.builds(Happening, at=MOMENTS, words=WORDS, short=WORDS), max_size=4),
        st.lists(st.builds(Happening, at=MOMENTS, words=WORDS), max_size=4),
    ),
    "heat map": st.builds(
        signal_heat_map,
        st.lists(WORDS, max_size=6, unique=True),
        st.lists(st.builds(CheckColumn, at=MOMENTS,
                           verdicts=st.dictionaries(WORDS, st.sampled_from(Verdict), max_size=4),
                           href=st.just("checks/a.html")), max_size=20),
    ),
    "volume": st.builds(
        volume_over_time,
        st.lists(st.builds(lambda at, n, m: Volume(start=at, end=at + timedelta(days=7), records=n, labels=min(n, m)),
                           MOMENTS, st.integers(0, 10**12), st.integers(0, 10**12)), max_size=9),
    ),
    "delay": st.builds(
        lambda points: delay_over_time(sorted(points, key=lambda p: p.at)),
        st.lists(st.builds(DelayAt, at=MOMENTS, median=FIGURES, nine_in_ten=FIGURES), max_size=9),
    ),
    "distribution": st.builds(
        lambda edges, counts, title: distribution_pair(
            sorted(edges), [c for c, _ in counts][: len(edges) - 1], [c for _, c in counts][: len(edges) - 1],
            name="d", title=title,
        ),
        st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=9, unique=True),
        st.lists(st.tuples(st.floats(0, 1e9) | st.just(math.nan), st.floats(0, 1e9)), min_size=8, max_size=8),
        WORDS,
    ),
    "levels": st.builds(
        lambda before, now, title: levels_pair(in_one_order(before, now), name="l", title=title),
        st.dictionaries(WORDS, st.floats(0, 1e9) | st.just(math.inf), max_size=14),
        st.dictionaries(WORDS, st.floats(0, 1e9), max_size=9),
        WORDS,
    ),
    "drivers": st.builds(
        lambda bars, answer: answer_drivers(bars, sides=("against it", answer), without="without it"),
        st.lists(st.builds(DriverBar, name=WORDS, by=st.floats(-9, 9), change=st.just("99.99 %")), max_size=14),
        WORDS,
    ),
    "words": st.builds(
        lambda words, title: words_moved(words, name="w", title=title),
        st.lists(st.builds(MovedWord, word=WORDS, before=st.floats(), now=st.floats(0, 1)), max_size=14),
        WORDS,
    ),
    "slices": st.builds(
        lambda slices: slices_by_harm(slices, metric="f1_macro"),
        st.lists(st.builds(SliceMetric, words=WORDS, before=FIGURES, now=FIGURES, records=st.integers(0, 10**9),
                           breached=st.booleans()), max_size=15),
    ),
    "sparkline": st.builds(sparkline_drawing, st.lists(FIGURES, max_size=60)),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRAWN)
@settings(max_examples=examples(15), deadline=None)
@given(data=st.data())
def test_whatever_is_drawn_stays_a_picture(kind: str, data: st.DataObject) -> None:
    """It is well-formed, holds only known elements and no handler, and no mark lies outside of it."""
    drawing = data.draw(DRAWN[kind])
    root = ElementTree.fromstring(drawing.svg)
    assert root.find(f"{SVG}title") is not None
    wide, high = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for mark in root.iter():
        assert mark.tag.removeprefix(SVG) in {"svg", "title", "desc", "g", "a", "path", "rect", "circle", "text"}
        assert not any(name.startswith("on") or name == "style" for name in mark.attrib)
        for x, y in _corners(mark):
            assert (0 <= x <= wide, 0 <= y <= high) == (True, True), ElementTree.tostring(mark)
        if mark.tag == f"{SVG}text":
            left, right = _reach(mark)
            assert (left >= -1, right <= wide + 1) == (True, True), mark.text
    assert all(len(row) == len(drawing.columns) for row in drawing.rows)
    drawing.csv().decode()


def _corners(mark: ElementTree.Element) -> list[tuple[float, float]]:
    at = mark.attrib
    if mark.tag == f"{SVG}rect":
        x, y = float(at["x"]), float(at["y"])
        return [(x, y), (x + float(at["width"]) - 1, y + float(at["height"]) - 1)]
    if mark.tag == f"{SVG}circle":
        return [(float(at["cx"]), float(at["cy"]))]
    if mark.tag == f"{SVG}path":
        return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.e+-]+) (-?[\d.e+-]+)", at["d"])]
    return []


def _reach(mark: ElementTree.Element) -> tuple[float, float]:
    wide, x = marks.breadth(mark.text or "") * marks.EM, float(mark.attrib["x"])
    classes = mark.get("class", "").split()
    return (x - wide, x) if "end" in classes else (x - wide / 2, x + wide / 2) if "middle" in classes else (x, x + wide)


def test_equal_input_draws_equal_bytes() -> None:
    """Nothing of clock, chance or order of a set enters a drawing."""
    points = [MetricAt(at=START + timedelta(days=k), measured=0.9 - k / 100, bound=0.8) for k in range(9)]
    assert metric_over_time(points, metric="mae") == metric_over_time(list(points), metric="mae")


def test_one_order_over_all_windows() -> None:
    """The order of levels comes from the reference alone; a new one stands last, a gone one keeps its place."""
    before = {"good": 70.0, "bad": 20.0, "neutral": 10.0}
    first = [level.words for level in in_one_order(before, {"bad": 9, "good": 1})]
    later = [level.words for level in in_one_order(before, {"angry": 5, "neutral": 9, "good": 1})]
    assert first == ["good", "bad", "neutral"]
    assert later == ["good", "bad", "neutral", "angry"]


def test_a_new_level_a_gone_one_and_an_empty_side_are_said() -> None:
    """None of the three looks like a share of nought that always was."""
    drawing = levels_pair(in_one_order({"a": 1, "b": 1}, {"a": 1, "c": 1}), name="l", title="Classes")
    assert "gone: 50 %" in drawing.svg
    assert "new: 50 %" in drawing.svg
    assert "no current" in levels_pair(in_one_order({"a": 1}, {}), name="l", title="Classes").svg
    assert "no reference records" in distribution_pair([0, 1, 2], [], [1, 2], name="d", title="Length").svg


def test_unequal_bins_keep_areas_comparable() -> None:
    """A bin three times as wide with three times the records is no taller; the table holds the shares themselves."""
    drawing = distribution_pair([0, 1, 4], [1, 3], [1, 3], name="d", title="Length")
    levels = {y for path in re.findall(r'd="(M[^"]+)" class="line-current"', drawing.svg)
              for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path) if path.count("L") > 1}  # fmt: skip
    assert len(levels) == 2, "the base and one height"
    assert "share for each 1" in drawing.svg
    assert [row[2] for row in drawing.rows] == [0.25, 0.75]


def test_time_is_an_axis_and_gaps_are_seen() -> None:
    """Distances are those of time, and no line joins what is unusually far apart or skips a check without figure."""
    days = [0, 1, 2, 30, 31]
    assert runs([START + timedelta(days=d) for d in days], [True] * 5) == [[0, 1, 2], [3, 4]]
    assert runs([START + timedelta(days=d) for d in range(3)], [True, False, True]) == [[0], [2]]
    points = [MetricAt(at=START + timedelta(days=d), measured=0.9) for d in days]
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', metric_over_time(points, metric="mae").svg)]
    assert (places[3] - places[0]) / (places[1] - places[0]) == pytest.approx(30, rel=0.02)


def test_checks_of_one_moment_are_seen_and_break_no_line() -> None:
    """A check and then a cycle of the same time show interval and bound; over many such times the line is one."""
    twice = [START + timedelta(days=30 * k) for k in (0, 0, 1, 1, 2, 2)]
    assert runs(twice, [True] * 6) == [[0, 1, 2, 3, 4, 5]]

    def lines(moments: list[datetime]) -> list[str]:
        points = [MetricAt(at=at, measured=0.9, low=0.85, high=0.95, estimated=0.91, bound=0.8) for at in moments]
        return re.findall("<path.*?/>", metric_over_time(points, metric="mae").svg)

    assert lines(twice[:2]) == lines(twice[:1])


def test_a_year_of_hourly_checks_is_a_small_heat_map() -> None:
    """Checks that share a column show their worst; the link leads to the check that breached."""
    checks = [
        CheckColumn(at=START + timedelta(hours=k), href=f"checks/{k}.html",
                    verdicts={"DRF-LABEL": Verdict.BREACHED if k == 4_000 else Verdict.OK})
        for k in range(8_760)
    ]  # fmt: skip
    drawing = signal_heat_map(["DRF-LABEL"], checks)
    assert len(drawing.svg) < 40_000
    assert drawing.svg.count("<a ") <= 62
    assert 'href="checks/4000.html"' in drawing.svg
    assert "breached DRF-LABEL" in drawing.svg


def test_codes_that_begin_alike_are_told_apart() -> None:
    """A long code is cut in its middle: which column it is of stands at its end."""
    codes = [f"DQ-MISSING-{column}" for column in ("humidity", "holiday", "windspeed", "workingday", "weathersit")]
    svg = signal_heat_map(codes, [CheckColumn(at=START, verdicts=dict.fromkeys(codes, Verdict.OK))]).svg
    shown = re.findall(r'class="end"[^>]*>([^<]*)<', svg)
    assert len(set(shown)) == len(codes)
    assert all(len(cut) >= 10 and code.startswith(cut.split("…")[0]) for cut, code in zip(shown, codes, strict=True))


def test_slices_stand_by_harm() -> None:
    """A small fall for many counts more than a large one for few; for errors a rise is the fall."""
    many = SliceMetric(words="many", before=0.9, now=0.88, records=4_000)
    few = SliceMetric(words="few", before=0.9, now=0.6, records=100)
    assert [part.words for part in by_harm([few, many], lower_is_better=False)] == ["many", "few"]
    assert [part.words for part in by_harm([few, many], lower_is_better=True)] == ["few", "many"]


def test_a_csv_holds_no_formula() -> None:
    """A word that a spreadsheet would compute is written as text."""
    drawing = words_moved([MovedWord(word="=HYPERLINK(1)", before=0, now=0.1)], name="w", title="Words")
    assert drawing.csv().decode().splitlines()[1].startswith("'=HYPERLINK")


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12))
def test_ticks_are_few_and_inside(low: float, wide: float) -> None:
    """At most six round values, each within the axis."""
    high = low + wide
    if high > low:
        found = nice(low, high)
        assert len(found) <= 6
        assert all(low - wide * 1e-6 <= value <= high + wide * 1e-6 for value in found)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=20_000)))
def test_calendar_ticks_are_few_and_inside(start: datetime, span: timedelta) -> None:
    """Between one and six moments, each within the axis, none twice."""
    found = [moment for moment, _ in calendar(start, start + span)]
    assert 1 <= len(found) <= 6
    assert all(start <= moment <= start + span for moment in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("side", ["light", "dark"])
def test_colours_are_seen(side: str) -> None:
    """Text has at least 4.5:1 against paper, lines and marks 3:1."""
    colour: Callable[[str], str] = lambda name: getattr(PALETTE[name], side)  # noqa: E731
    for name in ("ink", "muted", "incident", "promotion"):
        assert _contrast(colour(name), colour("paper")) >= 4.5, name
    for name in set(PALETTE) - {"paper", "grid"}:
        assert _contrast(colour(name), colour("paper")) >= 3, name
    for category in CATEGORIES:
        assert _contrast(getattr(category, side), colour("paper")) >= 3
    assert all(getattr(PALETTE[name], side) in picture_css() for name in PALETTE)


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_drawings_use_only_classes_that_the_style_has() -> None:
    """A class without a rule would be black on black."""
    styled = set(re.findall(r"\.([a-z][a-z0-9-]*)", picture_css()))
    points = [
        MetricAt(at=START + timedelta(days=k), measured=0.9, low=0.8, high=0.95, estimated=0.9, bound=0.7)
        for k in range(3)
    ]
    drawn = metric_over_time(points, metric="mae", incidents=[Spell(start=START, end=None, words="x")],
                             promotions=[Happening(at=START, words="v2", short="v2")],
                             retrains=[Happening(at=START, words="v3")]).svg  # fmt: skip
    drawn += slices_by_harm([SliceMetric(words="a", before=1, now=0.5, records=3, breached=True)], metric="mae").svg
    drawn += signal_heat_map(["A"], [CheckColumn(at=START, verdicts={"A": v}) for v in Verdict]).svg
    drawn += words_moved([MovedWord(word="a", before=0.1, now=0)], name="w", title="W").svg
    drawn += levels_pair(in_one_order({"a": 1}, {"a": 1}), name="l", title="L").svg
    used = {one for classes in re.findall(r'class="([^"]*)"', drawn) for one in classes.split()}
    assert used <= styled
