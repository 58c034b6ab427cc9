"""The page of a check: the news first, each breach in a picture, Evidently's plots last and asleep; text stays text."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from trueup.monitoring.check import AnswerQuality, Check, Contributor, Signal, Verdict
from trueup.monitoring.distribution import Distribution, Shows
from trueup.monitoring.report.evidently_frame import evidently_frame
from trueup.reports.pages.check_page import CheckPageFacts, EvidentlyPlots, check_drawings, check_page
from trueup.reports.pages.check_words import check_verdict, done_in_words
from trueup.reports.pages.frame import PageFrame, hash_of_script
from trueup.reports.pictures.metric_over_time import MetricAt

AT = datetime(2024, 3, 11, tzinfo=UTC)
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
LONG = "L" * 3000


def signal(code: str, verdict: Verdict = Verdict.BREACHED, **more: object) -> Signal:
    told = {"name": "made", "said": f"{code} said so.", "value": 0.5, "p_value": 1e-9, "threshold": 0.001}
    return Signal(code=code, verdict=verdict, **{**told, **more})  # type: ignore[arg-type]


def levels(*names: str) -> Distribution:
    counts = tuple(float(k + 1) for k in range(len(names)))
    return Distribution(shows=Shows.LEVELS, names=names, reference=counts, current=counts[::-1])


METRIC = signal("PRF-METRIC", name="f1_macro", value=0.7, effect=0.2, interval=(0.1, 0.3), threshold=0.87)
ESTIMATE = signal("PRF-EST", name="estimated f1_macro", effect=0.1)
FINE_METRIC = replace(METRIC, verdict=Verdict.OK, value=0.9, effect=0.0)
BINS = Distribution(shows=Shows.BINS, edges=(0.0, 1.0, 2.0), reference=(3.0, 1.0), current=(1.0, 3.0), beyond=0.02)
WORDS = Distribution(shows=Shows.WORDS, names=("fire", EVIL), reference=(0.0, 0.1), current=(0.2, 0.0))
SLICES = Distribution(
    shows=Shows.SLICES, names=("worst", "other"), reference=(0.9, 0.9), current=(0.5, 0.89), records=(40, 60),
    breached=("worst",),
)  # fmt: skip
BREACHED = (
    signal("DRF-IN-price", distribution=BINS),
    signal("DRF-IN-kind", said=f"{EVIL} {LONG}", distribution=levels("a", LONG, EVIL)),
    signal("DRF-TEXT", distribution=WORDS),
    signal("PRF-SLICE-product", distribution=SLICES),
    METRIC,
)
QUIET = (signal("DRF-SCORE", Verdict.OK), signal("DQ-LABELS", Verdict.INSUFFICIENT, said="9 weeks are needed."))
POINTS = tuple(
    MetricAt(at=AT - timedelta(weeks=9 - k), measured=0.9 - 0.01 * k, low=0.85, high=0.95, bound=0.8) for k in range(10)
)


def facts(*signals: Signal, plots: EvidentlyPlots | None = None, **more: object) -> CheckPageFacts:
    told = {
        "frame": PageFrame("Check"), "stream": "made", "report_id": "r1", "as_of": AT, "champion": 3,
        "metric": "f1_macro", "lower_is_better": False, "is_regression": False, "points": POINTS,
        "check": Check(report_id="r1", counted=True, signals=signals, notes=("The reference is small.",)),
        "plots": plots or EvidentlyPlots(why_not="They were pruned."),
    }  # fmt: skip
    return CheckPageFacts(**{**told, **more})  # type: ignore[arg-type]


class Outline(HTMLParser):
    """The elements of a page in their order, with their attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def tags(self, *names: str) -> list[str]:
        return [tag for tag, _ in self.found if tag in names]


def test_the_news_stands_first_and_the_plots_last() -> None:
    """Verdict, metric, breaches the gravest first, what is fine, notes and plots follow each other."""
    page = check_page(facts(*BREACHED, *QUIET)).decode()
    order = ["Macro-F1 fell to 0.70, was 0.90.", 'id="quality"', "Macro-F1 over time", "PRF-SLICE-product", "DRF-TEXT",
             "DRF-IN-kind", "1 signal is ok", "1 not judged", "reference is small.", "were pruned."]  # fmt: skip
    places = [page.index(words) for words in order]
    assert places == sorted(places)


def test_each_breach_has_a_picture_with_its_numbers() -> None:
    """Numbers, levels, words and slices are drawn, and what a check of before kept is drawn from what moved most."""
    former = signal("DRF-CLASS", contributors=(Contributor("positive", 0.7, 0.5),))
    shown = facts(*BREACHED, former)
    titles = {drawing.name: drawing.title for drawing in check_drawings(shown)}
    assert len(titles) == 6, titles
    outline = Outline(check_page(shown))
    assert outline.tags("svg") == ["svg"] * 6
    assert all(attributes.get("role") == "img" for tag, attributes in outline.found if tag == "svg")


def test_headings_are_in_order_and_tables_have_heads() -> None:
    """For a screen reader: one h1, no level left out, caption and heads in every table, a title on the frame."""
    outline = Outline(check_page(facts(*BREACHED, *QUIET, plots=EvidentlyPlots(href="plots.html"))))
    headings = [int(tag[1]) for tag in outline.tags("h1", "h2", "h3", "h4")]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert len(outline.tags("table")) == len(outline.tags("caption"))
    assert all(attributes.get("scope") for tag, attributes in outline.found if tag == "th")
    assert [attributes["title"] for tag, attributes in outline.found if tag == "iframe"] == ["Evidently’s plots"]


def test_text_of_outsiders_stays_text() -> None:
    """No review, level or word becomes an element, and no script runs but those that the policy names by hash."""
    page = check_page(facts(*BREACHED, *QUIET)).decode()
    assert "<img" not in page
    assert "<script>alert" not in page
    policy = re.search(r'Policy" content="([^"]+)"', page)
    assert policy
    for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL):
        assert hash_of_script(script) in policy[1].replace("&#39;", "'").replace("&#x27;", "'")


def test_plots_sleep_in_the_page_until_they_are_opened() -> None:
    """A page that stands alone holds the plots packed, under 4 MB in all, and its frame loads nothing by itself."""
    widgets = [{"type": "counter", "title": EVIL, "size": 1, "id": "w", "params": {}, "widgets": [], "tabs": [],
                "additionalGraphs": []}]  # fmt: skip
    inside = evidently_frame(json.dumps({"widgets": widgets, "tests_widgets": []}))
    page = check_page(facts(*BREACHED, plots=EvidentlyPlots(inside=inside)))
    assert len(page) < 4_000_000
    packed = re.search(rb'id="packed-plots">([^<]+)</script>', page)
    assert packed
    assert gzip.decompress(base64.b64decode(packed[1])) == inside
    (frame,) = (attributes for tag, attributes in Outline(page).found if tag == "iframe")
    assert frame == {"title": "Evidently’s plots", "sandbox": "allow-scripts allow-downloads"}
    policy = page.decode().replace("&#39;", "'")
    for script in re.findall(r"<script>(.*?)</script>", inside.decode(), re.DOTALL):
        assert hash_of_script(script) in policy
    assert "unsafe-eval" not in policy


def test_on_a_site_the_plots_have_a_page_of_their_own() -> None:
    """The frame takes its address when it is opened, a link leads there without JavaScript, and numbers lie beside."""
    for shares, sandbox in ((True, "allow-scripts allow-downloads allow-same-origin"),
                            (False, "allow-scripts allow-downloads")):  # fmt: skip
        plots = EvidentlyPlots(href="r1-evidently.html", shares_origin=shares)
        found = Outline(check_page(facts(*BREACHED, plots=plots, csv_stem="r1"))).found
        (frame,) = (attributes for tag, attributes in found if tag == "iframe")
        assert (frame["data-src"], frame["sandbox"], frame.get("src")) == ("r1-evidently.html", sandbox, None)
        hrefs = [attributes.get("href") for tag, attributes in found if tag == "a"]
        assert {"r1-evidently.html", "r1-metric.csv"} <= set(hrefs)


def test_the_same_facts_make_the_same_bytes() -> None:
    """Nothing of a page depends on the clock, or on the order of a set."""
    assert check_page(facts(*BREACHED, *QUIET)) == check_page(facts(*BREACHED, *QUIET))


def test_a_stream_that_predicts_nothing_has_no_metric() -> None:
    """Its page is about the data alone."""
    page = check_page(facts(*QUIET, metric="", points=())).decode()
    assert 'id="quality"' not in page
    assert "No change found in the data." in page


@pytest.mark.parametrize(
    ("signals", "tone", "headline"),
    [
        ((), "still", "Not judged yet: too little data."),
        ((QUIET[1],), "still", "Not judged yet: too little data."),
        ((QUIET[0],), "fine", "No change found in the data."),
        ((FINE_METRIC,), "fine", "No problem found: the model answers as well as expected."),
        ((signal("DRF-IN-a"), FINE_METRIC), "warn", "'a' drifted."),
        ((signal("DRF-IN-a"), METRIC), "bad", "Macro-F1 fell to 0.70, was 0.90."),
        ((ESTIMATE,), "bad", "Estimated macro-F1 fell to 0.50, was 0.60."),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence(signals: tuple[Signal, ...], tone: str, headline: str) -> None:
    """What it means for users leads, then what moved; too little data is no good news."""
    found = check_verdict(Check(report_id="r", counted=True, signals=signals), is_regression=False)
    assert (found.tone, found.headline) == (tone, headline)


def test_wrong_answers_are_said_before_the_metric() -> None:
    """Where errors on labels are known, they lead, as a person pictures them."""
    answers = AnswerQuality(before=0.07, now=0.24, interval=None, labels=334, wanted=50, records_a_day=57.0)
    check = Check(report_id="r", counted=True, signals=BREACHED, answers=answers)
    found = check_verdict(check, is_regression=False)
    assert found.headline == "24 in 100 answers are wrong, was 7 in 100."
    assert found.more[0].endswith("; and 2 more, below.")


def test_what_the_cycle_did_is_said() -> None:
    """A promotion, a refused challenger, an alert and a wait each have a sentence; a quiet cycle has none."""
    retrain = {"decision": {"action": "retrain", "reasons": ["Retraining: DRF-TEXT confirmed."]}}
    promoted = {**retrain, "promotion": {"from_version": 1, "to_version": 2}}
    assert "replaced v1 as v2" in done_in_words(promoted)
    assert "did not pass" in done_in_words({**retrain, "gate": {"passed": False}})
    assert done_in_words(retrain) == "Retraining: DRF-TEXT confirmed."
    assert "alerted" in done_in_words({"decision": {"action": "alert"}})
    assert "DRF-TEXT" in done_in_words({"decision": {"action": "none", "watched": ["DRF-TEXT"]}})
    assert done_in_words({"decision": {"action": "none", "watched": []}}) == ""
