"""Pages of the site for any facts: readable without eyes or script, text stays text, each picture with its numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.made_pages import faults_of, read_page
from tests.many import examples
from trueup.monitoring.check import Verdict
from trueup.monitoring.severity import Severity
from trueup.reports.pages.arrivals import ArrivalCourse
from trueup.reports.pages.check_rows import CheckLine
from trueup.reports.pages.comparison_rows import ComparisonLink
from trueup.reports.pages.frame import PageFrame, hash_of_script, page_policy, whole_page
from trueup.reports.pages.gate_rows import GateRow
from trueup.reports.pages.metric_course import MetricHistory, worst_of_each
from trueup.reports.pages.models_page import AnswersChanged, AttemptFacts, ModelsFacts, VersionLine, models_page
from trueup.reports.pages.month_page import MonthFacts, month_drawings, month_page
from trueup.reports.pages.overview_page import OverviewFacts, overview_page
from trueup.reports.pages.quarantine_page import QuarantineFacts, RefusedGroup, RefusedItem, quarantine_page
from trueup.reports.pages.signal_course import SignalHistory
from trueup.reports.pages.standing import IncidentLink, StreamGlance, Tone, standing_of
from trueup.reports.pages.stream_page import (
    ChampionEvidence,
    MonthLink,
    SlicePart,
    StreamFacts,
    stream_drawings,
    stream_page,
)
from trueup.reports.pictures.course import DelayAt, Volume
from trueup.reports.pictures.heat_map import CheckColumn
from trueup.reports.pictures.metric_over_time import MetricAt

AT = datetime(2024, 3, 11, tzinfo=UTC)
EVIL = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'{{ 7*7 }}'
texts = st.one_of(st.just(EVIL), st.text(max_size=30), st.just("L" * 3000))
figures = st.one_of(st.none(), st.floats(-1e6, 1e6))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
maybe = st.one_of(st.none(), moments)
counts = st.integers(0, 10**7)


def some(strategy: st.SearchStrategy, most: int = 3) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


incidents = st.builds(
    IncidentLink, id=st.just("a1"), said=texts, severity=st.sampled_from(Severity), opened_at=moments,
    resolved_at=maybe, taken_by=texts, href=st.just("incidents/a1.html"),
)  # fmt: skip
glances = st.builds(
    StreamGlance, stream=texts, href=st.just("s/index.html"), predicts=st.booleans(), is_regression=st.booleans(),
    metric=st.sampled_from(["f1_macro", "mae"]), value=figures, reference=figures,
    recent=some(st.floats(-1e6, 1e6)), verdict=st.one_of(st.none(), st.sampled_from(Verdict)), breached=some(texts),
    as_of=maybe, check_href=st.sampled_from(["", "checks/c.html"]), incidents=some(incidents),
    champion=st.one_of(st.none(), st.integers(1, 99)), champion_since=maybe, no_champion=texts, records=counts,
    last_cycle=maybe, next_cycle=maybe, overdue=st.booleans(), paused=texts,
)  # fmt: skip
points = st.builds(
    MetricAt, at=moments, measured=figures, low=figures, high=figures, estimated=figures, bound=figures,
    href=st.sampled_from(["", "checks/c.html"]),
)  # fmt: skip
histories = st.builds(
    MetricHistory, metric=st.sampled_from(["f1_macro", "mae"]),
    points=st.lists(points, min_size=1, max_size=4).map(lambda p: tuple(sorted(p, key=lambda one: one.at))), note=texts,
)  # fmt: skip
columns = st.builds(
    CheckColumn, at=moments, verdicts=st.dictionaries(texts, st.sampled_from(Verdict), max_size=3),
    href=st.sampled_from(["", "checks/c.html"]),
)  # fmt: skip
signals = st.builds(SignalHistory, codes=some(texts), columns=some(columns), note=texts)
checks = st.builds(
    CheckLine, as_of=moments, href=st.sampled_from(["", "checks/c.html"]), version=st.integers(1, 9),
    counted=st.booleans(), breached=some(texts), judged=st.booleans(), metric=figures,
)  # fmt: skip
gates = st.builds(GateRow, code=texts, passed=st.booleans(), value=figures, bound=figures, said=texts)
answers = st.builds(
    AnswersChanged, records=counts, before=st.floats(0, 1), now=st.floats(0, 1), repaired=counts, broken=counts
)
evidence = st.builds(
    ChampionEvidence, since=moments, over=st.one_of(st.none(), st.integers(1, 9)), how=texts, who=texts, why=texts,
    codes=some(texts), answers=st.one_of(st.none(), answers), tests=some(gates),
)  # fmt: skip
courses = st.builds(
    ArrivalCourse,
    volumes=some(st.builds(Volume, start=st.just(AT), end=st.just(AT + timedelta(days=1)), records=counts,
                           labels=counts)),
    delays=some(st.builds(DelayAt, at=moments, median=st.floats(0, 99), nine_in_ten=st.floats(0, 99))),
    period=st.just("day"), with_records=st.booleans(), maturity=st.one_of(st.none(), st.just(timedelta(days=3))),
)  # fmt: skip
months = st.builds(
    MonthLink, month=st.dates(date(1990, 1, 1), date(2040, 1, 1)), href=st.just("2024-03.html"), checks=counts,
    breached=counts,
)  # fmt: skip
compared = st.builds(ComparisonLink, words=texts, href=st.just("comparisons/a.html"), as_of=moments, made_at=moments)
streams = st.builds(
    StreamFacts, glance=glances, index=st.just("../index.html"), models_href=st.just("models.html"),
    quarantine_href=st.just("quarantine.html"), refused=counts, metric=st.one_of(st.none(), histories),
    recent=st.one_of(st.none(), signals), whole=st.one_of(st.none(), signals),
    arrivals=st.one_of(st.none(), courses),
    slices=some(st.builds(SlicePart, column=texts, value=texts, before=st.floats(0, 1), now=st.floats(0, 1),
                          breached=st.booleans(), records=st.one_of(st.none(), counts))),
    champion=st.one_of(st.none(), evidence), incidents=some(incidents), incidents_total=counts, months=some(months),
    comparisons=some(compared),
    checks=some(checks), checks_total=counts, made_at=maybe, csv=st.sampled_from(["", "index-"]),
)  # fmt: skip
# pages take long to shrink
fewer = settings(max_examples=examples(25), deadline=None, phases=(Phase.explicit, Phase.generate))


@fewer
@given(st.builds(OverviewFacts, streams=some(glances), made_at=maybe, csv=st.just("index-")))
def test_any_overview_can_be_read(facts: OverviewFacts) -> None:
    """Whatever streams there are, the page is whole, and what strangers wrote is no element of it."""
    page = overview_page(facts)
    assert not faults_of(page)
    assert not read_page(page).of("img")


@fewer
@given(streams)
def test_any_stream_can_be_read(facts: StreamFacts) -> None:
    """Every part of a stream's page may be missing or hostile; each picture has its numbers, and links to their CSV."""
    drawings = stream_drawings(facts)
    page = stream_page(facts, drawings)
    assert page == stream_page(facts)
    assert not faults_of(page)
    found = read_page(page)
    assert not found.of("img")
    shown = [d for d in drawings if d.rows and not (d.name == "metric" and not facts.glance.predicts)]
    linked = [a["href"] for a in found.of("a") if "download" in a]
    assert linked == ([f"index-{d.name}.csv" for d in shown] if facts.csv else [])


@fewer
@given(
    st.builds(
        MonthFacts, stream=texts, month=st.just(date(2024, 3, 1)), metric_name=st.just("f1_macro"),
        predicts=st.booleans(), index=st.just("../index.html"), stream_href=st.just("index.html"),
        before=st.sampled_from(["", "2024-02.html"]), after=st.just(""), metric=st.one_of(st.none(), histories),
        signals=st.one_of(st.none(), signals), incidents=some(incidents), checks=some(checks), checks_total=counts,
        csv=st.just("2024-03-"),
    )
)  # fmt: skip
def test_any_month_can_be_read(facts: MonthFacts) -> None:
    """A month's page is whole, with the CSV of each of its pictures."""
    page = month_page(facts)
    assert not faults_of(page)
    linked = [a["href"] for a in read_page(page).of("a") if "download" in a]
    assert linked == [f"2024-03-{d.name}.csv" for d in month_drawings(facts) if d.rows]


@fewer
@given(
    st.builds(
        ModelsFacts, stream=texts, metric=st.just("mae"), is_regression=st.booleans(),
        versions=some(st.builds(VersionLine, version=st.integers(1, 9), state=texts, recipe=texts, metric=figures,
                                labels=st.one_of(st.none(), counts), cut_off=moments, trained_as_of=moments)),
        attempts=some(st.builds(AttemptFacts, as_of=moments, from_version=st.one_of(st.none(), st.integers(1, 9)),
                                to_version=st.one_of(st.none(), st.integers(1, 9)), outcome=texts, who=texts,
                                why=texts, labels=counts, gain=figures, sure=st.one_of(st.none(), st.floats(0, 1)),
                                answers=st.one_of(st.none(), answers), tests=some(gates))),
        attempts_total=counts, stream_href=st.just("index.html"), index=st.just("../index.html"),
    )
)  # fmt: skip
def test_any_models_can_be_read(facts: ModelsFacts) -> None:
    """Versions that nothing is known of, gates without figures, attempts that trained nothing."""
    page = models_page(facts)
    assert not faults_of(page)
    assert not read_page(page).of("img")


@fewer
@given(
    st.builds(
        QuarantineFacts, stream=texts, stream_href=st.just("index.html"), index=st.just("../index.html"),
        groups=some(st.builds(RefusedGroup, kind=texts, reason=texts, waiting=counts, released=counts, first=moments,
                              last=moments,
                              newest=some(st.builds(RefusedItem, received_at=moments, where=texts, detail=texts,
                                                    raw=texts)))),
        masked=st.booleans(),
    )
)  # fmt: skip
def test_any_quarantine_can_be_read(facts: QuarantineFacts) -> None:
    """Refused rows are what strangers wrote, and stay text."""
    page = quarantine_page(facts)
    assert not faults_of(page)
    assert not read_page(page).of("img")


def glance(**more: object) -> StreamGlance:
    told = {
        "stream": "s", "href": "s/index.html", "predicts": True, "is_regression": False, "metric": "f1_macro",
        "value": 0.9, "reference": 0.9, "recent": (0.9,), "verdict": Verdict.OK, "breached": (), "as_of": AT,
        "check_href": "", "incidents": (), "champion": 1, "champion_since": AT, "no_champion": "", "records": 5,
        "last_cycle": AT, "next_cycle": AT + timedelta(hours=1), "overdue": False, "paused": "",
    }  # fmt: skip
    return StreamGlance(**{**told, **more})  # type: ignore[arg-type]


def incident(severity: Severity) -> IncidentLink:
    return IncidentLink(
        id="a1", said="more wrong answers since 11 March", severity=severity, opened_at=AT, resolved_at=None,
        taken_by="", href="s/incidents/a1.html",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "tone", "word"),
    [
        ({}, Tone.FINE, "all right"),
        ({"incidents": (incident(Severity.HIGH),), "overdue": True}, Tone.BAD, "incident"),
        ({"incidents": (incident(Severity.LOW),)}, Tone.WARN, "changed"),
        ({"overdue": True, "paused": "paused since …"}, Tone.BAD, "overdue"),
        ({"champion": None, "no_champion": "too few labels"}, Tone.BAD, "no model"),
        ({"paused": "paused since …"}, Tone.WARN, "paused"),
        ({"verdict": Verdict.BREACHED, "breached": ("DRF-TEXT",)}, Tone.WARN, "breached"),
        ({"verdict": Verdict.INSUFFICIENT}, Tone.STILL, "not judged"),
        ({"verdict": None}, Tone.STILL, "not checked"),
    ],
)
def test_the_gravest_is_said_of_a_stream(more: dict[str, object], tone: Tone, word: str) -> None:
    """One badge a stream: what hurts users comes before silence, silence before what is merely worth a look."""
    found = standing_of(glance(**more))
    assert (found.tone, found.word) == (tone, word)


def test_the_overview_answers_in_its_heading() -> None:
    """Everything is all right, or how many streams are not, with those first."""
    calm = read_page(overview_page(OverviewFacts(streams=(glance(),), made_at=AT)))
    assert "Everything is all right" in calm.words
    grave = glance(stream="bad", incidents=(incident(Severity.HIGH),))
    page = overview_page(OverviewFacts(streams=(glance(stream="good"), grave), made_at=AT)).decode()
    assert "1 of 2 streams is not all right" in page
    assert page.index(">bad<") < page.index(">good<")


def test_a_page_that_grew_old_says_so() -> None:
    """The time of the next cycle stands in the overview, and a reader's own clock shows the warning after it."""
    page = overview_page(OverviewFacts(streams=(glance(),), made_at=AT)).decode()
    assert f'hidden data-late="{(AT + timedelta(hours=1)).isoformat()}"' in page


def test_only_the_scripts_of_a_page_run() -> None:
    """The policy names each inline script by its hash and nothing else; a further one is named as well."""
    from markupsafe import Markup

    page = whole_page(PageFrame("x"), Markup("<h1>x</h1>"), scripts=("1+1",))
    assert hash_of_script("1+1") in str(read_page(page).of("meta"))
    assert hash_of_script("1+1") not in page_policy()
    assert "unsafe-inline" not in page_policy().partition("script-src")[2]


@given(st.lists(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=5), min_size=1, max_size=5))
def test_thinning_keeps_the_worst(groups: list[list[float | None]]) -> None:
    """Of each period the worst measured check is shown, whichever way is worse; none is invented."""
    known = [[MetricAt(at=AT, measured=value) for value in group] for group in groups]
    for lower_is_better, worst in ((False, min), (True, max)):
        shown = worst_of_each(known, lower_is_better=lower_is_better)
        for group, point in zip(groups, shown, strict=True):
            assert point.measured == worst((v for v in group if v is not None), default=None)
