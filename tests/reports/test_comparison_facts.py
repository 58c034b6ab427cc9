"""A comparison survives the store, its pages hold no markup of outsiders, and periods are read as they are written."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.reports.comparison_facts import ComparisonFacts, FigureTable, PictureFacts, notebook_view
from trueup.reports.pages.check_page import EvidentlyPlots
from trueup.reports.pages.comparison_page import comparison_page
from trueup.reports.pages.frame import PageFrame
from trueup.storage.errors import UsageError
from trueup.storage.named_periods import is_period, parse_period
from trueup.training.evaluation.model_comparison import compare_models
from trueup.training.evaluation.paired import Paired

HOSTILE = "</table><script>alert(1)</script>"
FACTS = ComparisonFacts(
    title=f"reviews: {HOSTILE}",
    sides=("champion v1", f"challenger {HOSTILE}"),
    verdict="v2 is better.",
    tone="fine",
    details=(HOSTILE,),
    tables=(FigureTable(caption="Metric", columns=("figure", HOSTILE), rows=(("F1", 0.9), (HOSTILE, None))),),
    pictures=(
        PictureFacts(form="levels", name="labels", title="Labels",
                     values={"levels": [{"words": HOSTILE, "reference": 0.5, "current": 0.0}]}),
        PictureFacts(form="distribution", name="errors", title="Errors",
                     values={"edges": (0.0, 1.0, 2.0), "before": (1, 2), "now": (2, 1)}),
        PictureFacts(form="slices", name="slices", title="Slices",
                     values={"slices": [{"words": HOSTILE, "before": 0.9, "now": 0.8, "records": 40}],
                             "metric": "f1_macro", "lower_is_better": False}),
        PictureFacts(form="curves", name="roc", title="ROC",
                     values={"curves": [{"words": HOSTILE, "points": ((0, 0), (0.2, 0.9), (1, 1))}],
                             "across": "x", "up": "y", "dots": True}),
    ),
    notes=(HOSTILE,),
)  # fmt: skip


def test_a_comparison_survives_the_store() -> None:
    """What JSON kept reads back equal, and draws the same bytes."""
    held = ComparisonFacts.from_json(json.loads(json.dumps(FACTS.as_json())))
    assert held.title == FACTS.title
    assert held.tables == FACTS.tables
    assert [drawing.svg for drawing in held.drawings()] == [drawing.svg for drawing in FACTS.drawings()]


def test_a_page_of_figures_alone_is_whole() -> None:
    """Shares stand to the right as numbers do, no line ends within a month, and nothing is said of plots."""
    facts = replace(
        FACTS, sides=("2024-05", "2024-06"), pictures=(),
        tables=(FigureTable(caption="Columns", columns=("column", "missing, 2024-05"), rows=(("a", "0.8 %"),)),),
    )  # fmt: skip
    page = comparison_page(facts, PageFrame(title="made", made="now")).decode()
    assert 'class="number">missing, 2024\u201105</th>' in page
    assert 'class="number">0.8 %</td>' in page
    assert "Evidently" not in page


def test_no_words_of_outsiders_are_markup() -> None:
    """Neither on the page nor in a notebook, in a table, a picture or a title; and the page is the same each time."""
    page = comparison_page(FACTS, PageFrame(title=FACTS.title, made="now"), EvidentlyPlots(why_not=HOSTILE))
    assert b"<script>alert" not in page
    assert b"&lt;script&gt;alert" in page
    assert page == comparison_page(FACTS, PageFrame(title=FACTS.title, made="now"), EvidentlyPlots(why_not=HOSTILE))
    assert "<script" not in notebook_view(FACTS)


def test_what_is_no_comparison_is_said() -> None:
    """A damaged document raises what the public face turns into words."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        ComparisonFacts.from_json({"title": "x"})


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("2024-W23", "2024-06-03", "2024-06-09"), ("2024-02", "2024-02-01", "2024-02-29"),
     ("2024-05-01..2024-05-14", "2024-05-01", "2024-05-14"), ("2020-W53", "2020-12-28", "2021-01-03")],
)  # fmt: skip
def test_periods_are_read_as_written(text: str, first: str, last: str) -> None:
    """Weeks are ISO weeks, both ends belong to a period, and no report's id looks like one."""
    period = parse_period(text)
    assert (f"{period.start:%Y-%m-%d}", f"{period.end:%Y-%m-%d}") == (first, last)
    assert period.end + timedelta(microseconds=1) == datetime.fromisoformat(last).replace(tzinfo=UTC) + timedelta(
        days=1
    )
    assert is_period(text)
    assert not is_period("4b5f2024ab12")


@pytest.mark.parametrize("text", ["2024-W60", "2024-13", "2024-05-14..2024-05-01", "a..b", "..", "2024-05-01.."])
def test_what_is_no_period_is_said(text: str) -> None:
    """The message shows how one is written."""
    with pytest.raises(UsageError):
        parse_period(text)


def _paired(n: int, classes: tuple[str, ...], seed: int) -> Paired:
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    if classes:
        truth, before, now = (np.array([str(v) for v in rng.choice(classes, n)], dtype=object) for _ in range(3))
    else:
        truth, before, now = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)
    return Paired(
        opponent="champion", truth=truth, opponent_predicted=before, challenger_predicted=now, opponent_score=score,
        challenger_score=1 - score, unit=np.arange(n), evaluation=np.ones(n, dtype=bool), classes=classes,
        slices={"language": np.array(["de", "en", None, ""] * n, dtype=object)[:n]},
    )  # fmt: skip


@settings(max_examples=examples(25), deadline=None)
@given(
    n=st.integers(1, 300),
    classes=st.sampled_from([(), ("bad", "good"), ("a", "b", "c")]),
    seed=st.integers(0, 1_000),
)
def test_figures_of_two_models_fit_their_rows(n: int, classes: tuple[str, ...], seed: int) -> None:
    """Counts add up to the rows, curves stay in the unit square, and all of it is JSON."""
    found = compare_models("f1_macro" if classes else "mae", _paired(n, classes, seed))
    assert found.records == n
    for matrix in found.confusion:
        assert sum(map(sum, matrix)) <= n
    for side in found.errors:
        assert sum(side) == n
    for curve in (*found.roc, *found.calibration):
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in curve)
    json.dumps(found.__dict__, allow_nan=False, default=lambda value: value.__dict__)
