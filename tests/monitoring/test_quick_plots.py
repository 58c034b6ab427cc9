"""The quick plots are Evidently's own to the digit, and a stored run says what Evidently's own JSON says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.monitoring.report.quick_plots import plotted_once, quick_plots
from trueup.monitoring.report.stored_runs import joined_runs, stored_run

COUNTS = st.integers(0, 10**6)
PLACES = st.floats(-1e300, 1e300) | st.just(float("nan"))
MEANS = st.floats(allow_infinity=False)
pytestmark = pytest.mark.long


def as_written(figure: Any) -> str:
    from evidently.legacy.utils import NumpyEncoder

    return json.dumps(figure.to_plotly_json(), cls=NumpyEncoder)


def both_ways(name: str, **given: Any) -> tuple[str, str]:
    """One plot as Evidently makes it, and as it is made quickly."""
    from evidently.metrics import column_statistics

    theirs = as_written(getattr(column_statistics, name)(**given))
    with quick_plots():
        return theirs, as_written(getattr(column_statistics, name)(**given))


def bars(names: list[Any], counts: list[int]) -> Any:
    from evidently.legacy.metric_results import HistogramData

    return HistogramData(x=pd.Series(names), count=pd.Series(counts))


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_bars_are_evidentlys(data: st.DataObject) -> None:
    """Counts and shares of either side, of numbers and of levels, with a reference and without."""
    from evidently.legacy.options import ColorOptions

    kind = data.draw(st.sampled_from([PLACES, st.text("ab<é", max_size=3)]))

    def side() -> Any:
        held = data.draw(st.lists(st.tuples(kind, COUNTS), min_size=1, max_size=6))
        return bars(*map(list, zip(*held, strict=True)))

    reference = {"hist_ref": side()} if data.draw(st.booleans()) else {}
    theirs, ours = both_ways(
        "plot_distr_with_perc_button", hist_curr=side(), **reference, xaxis_name="", yaxis_name="Count",
        yaxis_name_perc="Percent", same_color=False, color_options=ColorOptions(), subplots=False, to_json=False,
    )  # fmt: skip
    assert ours == theirs


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(MEANS, MEANS), min_size=1, max_size=6), MEANS, MEANS, st.text("ab<é", max_size=3))
def test_a_course_is_evidentlys(held: list[tuple[float, float]], line: float, std: float, name: str) -> None:
    """Means and their spread, where there is none, and where a single value has none."""
    from evidently.legacy.options import ColorOptions

    mean, spread = zip(*held, strict=True)
    parts = pd.DataFrame({"per": range(len(held)), "mean": mean, "std": spread})
    theirs, ours = both_ways(
        "plot_agg_line_data", curr_data={"current (mean)": parts}, ref_data=None, line=line, std=std,
        xaxis_name="Index binned", xaxis_name_ref=None, yaxis_name=f"{name} (mean +/- std)",
        color_options=ColorOptions(), return_json=False, line_name="reference (mean)",
    )  # fmt: skip
    assert ours == theirs


def test_a_stored_run_is_what_evidently_writes() -> None:
    """Widgets, results and their order are those of `Snapshot.dumps`, and Evidently loads them."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.core.report import Snapshot
    from evidently.metrics import ValueDrift
    from evidently.presets import ValueStats

    rng = np.random.default_rng(1)
    definition = DataDefinition(numerical_columns=["a"], categorical_columns=["c"])
    now, before = (
        Dataset.from_pandas(
            pd.DataFrame({"a": rng.normal(size=n), "c": rng.choice(list("xyzw"), n)}), data_definition=definition
        )
        for n in (40, 60)
    )
    metrics = [ValueDrift(column="a"), ValueStats(column="a"), ValueStats(column="c")]
    with quick_plots(), plotted_once():
        run = Report(metrics, include_tests=True).run(now, before)
    written = joined_runs([stored_run(run)], "made", datetime(2024, 6, 1, tzinfo=UTC))
    theirs, ours = json.loads(run.dumps()), json.loads(written)
    for part in ("metric_results", "top_level_metrics", "widgets"):
        assert json.dumps(ours[part]) == json.dumps(theirs[part])
    assert ours.keys() == theirs.keys()
    assert len(Snapshot.loads(written).tests_results) == len(run.tests_results) > 0
