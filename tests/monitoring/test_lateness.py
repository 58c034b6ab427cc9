"""A part of a feed that comes later than the rest is told from a change of its share."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from trueup.monitoring.lateness import LatePart, in_whole_units, latest_part

_DAY = np.timedelta64(86_400_000_000, "us")
WINDOW = timedelta(days=8)


def fed(lag: int, days: int = 30, bulk: int = 0) -> LatePart | None:
    """Two stores, 30 records a day each, one of them `lag` days late; the first `bulk` days come in at once."""
    rng = np.random.default_rng(1)
    day, store = (values.ravel() for values in np.meshgrid(np.arange(days), ["ios", "android"], indexing="ij"))
    day, store = np.repeat(day, 30), np.repeat(store.astype(object), 30)
    times = np.datetime64("2026-01-01", "us") + day * _DAY + (rng.random(len(day)) * _DAY.astype(int)).astype("m8[us]")
    receipt = np.maximum(day + np.where(store == "android", lag, 0), bulk)
    order = np.argsort(receipt, kind="stable")
    times, store, receipt = times[order], store[order], receipt[order]
    known = np.maximum.accumulate(times)[np.searchsorted(receipt, receipt, side="right") - 1]
    return latest_part({"store": store}, times, receipt, known, WINDOW)


@pytest.mark.parametrize("bulk", [0, 20])
def test_a_store_that_reports_five_days_late_is_named_with_the_span_to_set(bulk: int) -> None:
    """Also where most of the history came in at once."""
    late = fed(5, bulk=bulk)
    assert late is not None
    assert (late.column, late.value, late.setting) == ("store", "android", 'settle = "6d"')


def test_stores_that_report_alike_are_quiet() -> None:
    """Neither the order within a day nor one receipt of everything makes a part late."""
    assert fed(0) is None
    assert fed(0, bulk=40) is None


def test_one_backfill_is_no_lateness() -> None:
    """Two months of one store, brought once and long after, come no later again."""
    times = np.datetime64("2026-01-01", "us") + np.arange(600) * (_DAY // 10)
    store = np.where(np.arange(600) % 2, "ios", "android").astype(object)
    back = np.arange(300) * (_DAY // 10) + np.datetime64("2025-01-01", "us")
    receipt = np.concatenate([np.arange(600) // 20, np.full(300, 99)])
    known = np.concatenate([np.maximum.accumulate(times)[np.arange(600) // 20 * 20 + 19], np.full(300, times[-1])])
    values = np.concatenate([store, np.full(300, "android", dtype=object)])
    assert latest_part({"store": values}, np.concatenate([times, back]), receipt, known, WINDOW) is None


def test_a_part_too_small_to_move_a_signal_is_left_alone() -> None:
    """Of a hundred records one is late: a window lacks less than a fiftieth."""
    times = np.datetime64("2026-01-01", "us") + np.arange(9000) * (_DAY // 300)
    receipt = np.arange(9000) // 300
    known = np.maximum.accumulate(times)[receipt * 300 + 299]
    rare = np.arange(9000) % 150 == 0
    late = np.where(rare, times - 5 * _DAY, times)
    assert latest_part({"store": np.where(rare, "kiosk", "app").astype(object)}, late, receipt, known, WINDOW) is None


def test_spans_are_rounded_up_to_what_a_person_would_write() -> None:
    """Hours below two days, days from there."""
    assert [in_whole_units(timedelta(hours=h)) for h in (0.5, 26, 48, 121)] == ["1h", "26h", "2d", "6d"]
