"""The Evidently report shows our figures, and survives what ordinary data holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.made_rows import Kind, make_rows
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.report.evidently_frame import evidently_frame
from trueup.monitoring.report.frames import MOST_ROWS, sample_rows
from trueup.monitoring.report.render import RenderedReport, render
from trueup.storage.rows import Rows
from trueup.storage.stream import LabelPolicy, StreamSettings

pytestmark = [pytest.mark.long, pytest.mark.whole_reports]

AS_OF = datetime(2024, 6, 1, tzinfo=UTC)
CODES = ("DRF-TEXT", "DRF-IN-a", "DRF-IN-b", "DRF-IN-c", "DRF-SCORE", "DRF-CLASS", "DRF-LABEL")


def signal(code: str, p: float | None, verdict: Verdict, *, value: float | None = None, said: str = "") -> Signal:
    return Signal(
        code=code, name="made test", verdict=verdict, said=said or f"{code} said so.", value=value, p_value=p,
        threshold=0.001,
    )


BREACHED = tuple(signal(code, 0.0001234, Verdict.BREACHED) for code in CODES)


def sides(kind: Kind) -> tuple[StreamSettings, Rows, Rows]:
    """500 reference rows and 200 current ones, answered and labelled."""
    stream, rows = make_rows(700, 1, kind)
    predicted = rows.meta["label"].to_numpy().copy()
    if kind != "regression":
        predicted[::7] = "yes"
    rows = rows.with_meta(predicted=predicted, score=np.linspace(0, 1, len(rows)))
    return stream, rows.take(slice(0, 500)), rows.take(slice(500, None))


def drawn(
    stream: StreamSettings,
    reference: Rows,
    current: Rows,
    signals: tuple[Signal, ...] = BREACHED,
    *,
    title: str = "made",
) -> RenderedReport:
    return render(
        stream, reference, current, reference, current, current, signals,
        title=title, seed=1, as_of=AS_OF, quality_reference=reference,
    )


def drift_results(report: RenderedReport) -> dict[str, tuple[float, str]]:
    """By column: the score of Evidently's drift metric and the status of its test."""
    from evidently.core.report import Snapshot

    snapshot = Snapshot.loads(report.snapshot.decode())
    metrics = {
        m["config"]["column"]: m["value"] for m in snapshot.dict()["metrics"] if "ValueDrift" in m["config"]["type"]
    }
    tests = {t.metric_config.params["column"]: t.status.value for t in snapshot.tests_results}
    return {column: (value, tests[column]) for column, value in metrics.items()}


def test_drift_in_the_report_is_exactly_the_signals() -> None:
    """Each drift metric carries its signal's own p-value (or value) and verdict, whatever Evidently would have said."""
    stream, reference, current = sides("table")
    report = drawn(
        stream,
        reference,
        current,
        (
            signal("DRF-IN-a", 0.01234567, Verdict.BREACHED),
            signal("DRF-IN-b", 1e-9, Verdict.OK),
            signal("DRF-IN-c", None, Verdict.BREACHED, value=3.25),
            signal("DRF-SCORE", 0.5, Verdict.OK),
            signal("DRF-CLASS", 0.25, Verdict.BREACHED),
            signal("DRF-LABEL", 0.125, Verdict.OK),
        ),
    )
    assert drift_results(report) == {
        "a": (0.01234567, "FAIL"),
        "b": (1e-9, "SUCCESS"),
        "c": (3.25, "FAIL"),
        "prediction score": (0.5, "SUCCESS"),
        "prediction": (0.25, "FAIL"),
        "label": (0.125, "SUCCESS"),
    }
    assert report.notes == ()


@pytest.mark.slow
def test_two_reports_of_one_process_keep_their_own_figures() -> None:
    """The registry of tests is global in Evidently: a second report must not show the first one's p-value."""
    stream, reference, current = sides("table")
    first = drawn(stream, reference, current, (signal("DRF-IN-a", 0.25, Verdict.OK),))
    second = drawn(stream, reference, current, (signal("DRF-IN-a", 0.0005, Verdict.BREACHED),))
    assert drift_results(first)["a"] == (0.25, "SUCCESS")
    assert drift_results(second)["a"] == (0.0005, "FAIL")


def test_a_signal_without_a_figure_is_said_and_not_made_up() -> None:
    """Where a signal could not be measured the report shows no drift test for its column, and says which and why."""
    stream, reference, current = sides("table")
    report = drawn(stream, reference, current, (signal("DRF-IN-a", None, Verdict.INSUFFICIENT, said="Only 12 rows."),))
    assert drift_results(report) == {}
    assert any("'a'" in note and "Only 12 rows." in note for note in report.notes)


def test_words_of_outsiders_stay_data() -> None:
    """A review that closes a script element, or names one, ends up neither as an element nor as the end of one."""
    stream, reference, current = sides("text")
    evil = "</script><script>alert(1)</script><body>"
    current = Rows(current.features.assign(content=evil), current.meta)
    report = drawn(stream, reference, current, (signal("DRF-TEXT", 1e-9, Verdict.BREACHED, said=evil),), title=evil)
    page = evidently_frame(report.snapshot.decode(), script="lib.js")
    assert b"<script>alert(1)" not in page
    assert page.count(b"<body>") == 1


def changed(rows: Rows, **columns: Any) -> Rows:
    return Rows(rows.features.assign(**columns), rows.meta)


def cells(*values: Any) -> pd.Series:
    return pd.Series([values[k % len(values)] for k in range(200)], dtype=object)


DIRT: dict[str, tuple[Kind, Callable[[Rows], Rows]]] = {
    "a column all missing": ("table", lambda rows: changed(rows, a=np.nan)),
    "an empty window": ("table", lambda rows: rows.take(slice(0, 0))),
    "one record": ("table", lambda rows: rows.take(slice(0, 1))),
    "one record of numbers": ("regression", lambda rows: rows.take(slice(0, 1))),
    "a column on one side only": ("table", lambda rows: Rows(rows.features.drop(columns="a"), rows.meta)),
    "Decimals": ("table", lambda rows: changed(rows, a=cells(Decimal("1.5"), Decimal(2)))),
    "mixed objects": ("table", lambda rows: changed(rows, a=cells("x", 1, None, 2.5), c=cells(1, True, "z", None))),
    "nullable integers": ("table", lambda rows: changed(rows, a=pd.array([1, None] * 100, dtype="Int64"))),
    "infinities": ("table", lambda rows: changed(rows, a=np.r_[np.inf, -np.inf, np.arange(198.0)])),
    "figures that overflow": ("table", lambda rows: changed(rows, a=np.r_[1e300, -1e300, np.arange(198.0)])),
    "a level for every record": ("table", lambda rows: changed(rows, c=[f"level {k}" for k in range(200)])),
    "0/1 labels with NaN": (
        "table", lambda rows: rows.with_meta(label=cells(0, 1, None, np.nan), predicted=cells(0, 1))
    ),
    "nullable labels": ("table", lambda rows: rows.with_meta(label=pd.array([0, 1, None, 1] * 50, dtype="Int64"))),
    "one class": ("table", lambda rows: rows.with_meta(label="yes", predicted="yes")),
    "one class, two answers": ("table", lambda rows: rows.with_meta(label="no", predicted=cells("yes", "no"))),
    "an unseen class": ("table", lambda rows: rows.with_meta(label=cells("yes", "no", "new"))),
    "an unseen answer": ("table", lambda rows: rows.with_meta(predicted=cells("yes", "no", "new"))),
    "no labels": ("table", lambda rows: rows.with_meta(label=None)),
    "no answers": ("table", lambda rows: rows.with_meta(predicted=None, score=np.nan)),
    "texts all empty": ("text", lambda rows: changed(rows, content="  ")),
    "texts of signs": ("text", lambda rows: changed(rows, content="!!! 👍")),
    "half a surrogate pair": ("text", lambda rows: changed(rows, content="bad \ud800 half")),
    "very long texts": ("text", lambda rows: changed(rows, content="word " * 20_000)),
    "labels that are no numbers": (
        "regression", lambda rows: rows.with_meta(label=cells(None, np.nan, Decimal("1.5"), "x"), predicted=1.0)
    ),
    "labels all nought": ("regression", lambda rows: rows.with_meta(label=0.0, predicted=0.0)),
    "infinite answers": ("regression", lambda rows: rows.with_meta(predicted=np.inf)),
}


@pytest.mark.parametrize("name", [n if k < 4 else pytest.param(n, marks=pytest.mark.slow) for k, n in enumerate(DIRT)])
def test_dirt_never_loses_the_report(name: str) -> None:
    """Dirt that fails Evidently's whole report costs at most the plots it is in; page and snapshot stay readable."""
    from evidently.core.report import Snapshot

    kind, dirty = DIRT[name]
    stream, reference, current = sides(kind)
    report = drawn(stream, reference, dirty(current))
    json.loads(report.snapshot, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    loaded = Snapshot.loads(report.snapshot.decode())
    assert b"</html>" in evidently_frame(report.snapshot.decode(), script="lib.js")
    assert loaded.metric_results or report.notes
    assert not plotless([*loaded._widgets])


def plotless(widgets: list[Any]) -> list[str]:
    """Widgets whose plot is missing, at which Evidently's page stays blank as a whole."""
    found = [w.params["header"] for w in widgets if w.type == "rich_data" and w.params.get("graph") is None]
    found += [w.title for w in widgets if w.type == "big_graph" and not w.params.get("data")]
    for widget in widgets:
        found += plotless([*widget.widgets, *(tab.widget for tab in widget.tabs)])
    return found


def test_stop_words_only_cost_the_text_plot_and_are_said() -> None:
    """Evidently cannot compare texts without a vocabulary; the rest of the report stands, and a note says so."""
    stream, reference, current = sides("text")
    report = drawn(stream, changed(reference, content="the and of"), changed(current, content="the a is"))
    assert any("'content'" in note and "stop words" in note for note in report.notes)
    assert set(drift_results(report)) == {"prediction score", "prediction", "label"}


@pytest.mark.slow
def test_quality_stands_beside_the_reference() -> None:
    """The model's quality on labelled rows is in the snapshot: for classes and for numbers."""
    from evidently.core.report import Snapshot

    for kind, wanted in (("text", {"Accuracy", "F1Score", "RocAuc"}), ("regression", {"MAE", "RMSE"})):
        stream, reference, current = sides(kind)
        metrics = Snapshot.loads(drawn(stream, reference, current).snapshot.decode()).dict()["metrics"]
        assert wanted <= {m["config"]["type"].rsplit(":", 1)[-1] for m in metrics}


def test_a_column_is_plotted_once() -> None:
    """Evidently plots a column anew for its least, largest, mean … value; it is made once, and shown."""
    stream, reference, current = sides("table")
    stored = json.loads(drawn(stream, reference, current).snapshot)
    for column in stream.numeric:
        figures = [m for m in stored["metric_results"].values() if f"of '{column}'" in m.get("display_name", "")]
        assert sum(bool(m["widget"]) for m in figures if "value" in m) == 1
        assert [w for w in stored["widgets"] if (w["params"] or {}).get("header") == column and w["params"]["graph"]]


def test_global_randomness_is_left_alone() -> None:
    """Evidently seeds numpy's global generator; who else draws from it must not notice, and equal seeds draw alike."""
    stream, reference, current = sides("text")
    np.random.seed(7)
    expected = np.random.random(3)
    np.random.seed(7)
    drawn(stream, reference, current)
    assert np.array_equal(np.random.random(3), expected)


def test_large_windows_are_drawn_from_a_seeded_sample() -> None:
    """At most 5,000 rows a side are drawn, the same ones for the same seed, in their order."""
    _, rows = make_rows(300, 1, "table")
    many = rows.take(np.arange(30_000) % 300).with_meta(seq=np.arange(30_000))
    first, again, other = sample_rows(many, 1), sample_rows(many, 1), sample_rows(many, 2)
    assert len(first) == MOST_ROWS
    assert np.array_equal(first.meta["seq"], again.meta["seq"])
    assert not np.array_equal(first.meta["seq"], other.meta["seq"])
    assert first.meta["seq"].is_monotonic_increasing


@pytest.mark.slow
def test_a_report_of_real_reviews_is_lean(shared_data: Path) -> None:
    """5,000 real reviews against 500: the snapshot stays under 200 KB compressed, with nothing left out."""
    reviews = pd.read_csv(shared_data / "greenlight_play.csv").sort_values("at").tail(5500).reset_index(drop=True)
    stream = StreamSettings(
        name="greenlight", time="at", text=("content",), categorical=("reviewCreatedVersion",),
        label=LabelPolicy(column="score", classes={"negative": "<=2", "positive": ">=4"}),
    )
    label = np.where(reviews["score"] <= 2, "negative", np.where(reviews["score"] >= 4, "positive", None))
    _, made = make_rows(len(reviews), 1)
    rows = Rows(reviews[["content", "reviewCreatedVersion"]], made.meta).with_meta(
        label=label, predicted=np.where(pd.isna(label), "positive", label), score=np.linspace(0, 1, len(reviews))
    )
    signals = (*BREACHED, signal("DRF-IN-reviewCreatedVersion", 0.5, Verdict.OK))
    report = drawn(stream, rows.take(slice(0, 5000)), rows.take(slice(5000, None)), signals)
    assert report.notes == ()
    assert len(gzip.compress(report.snapshot)) < 200_000
