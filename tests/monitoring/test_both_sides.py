"""What pictures show of a signal: every value counted once, common bins, and never more than a few kilobytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_comparisons import compared, halves, made_records, made_stream
from trueup.monitoring.check import Check
from trueup.monitoring.distribution import POOLED_LEVEL, Distribution, Shows
from trueup.monitoring.signals.both_sides import binned, counted_levels
from trueup.monitoring.signals.measure import measure

values = st.lists(st.floats(-1e300, 1e300) | st.integers(-20, 20) | st.just(float("nan")), max_size=60)


@given(values, values)
def test_every_number_is_counted_once(reference: list[float], current: list[float]) -> None:
    """Both sides share rising bins, and each finite value of either lies in exactly one, outliers in the outer ones."""
    found = binned(*(np.sort(np.array(side, dtype=float)) for side in (reference, current)))
    if found is None:
        return
    assert list(found.edges) == sorted(set(found.edges))
    assert len(found.reference) == len(found.current) == len(found.edges) - 1
    for side, held in ((reference, found.reference), (current, found.current)):
        assert sum(float(count or 0) for count in held) == np.isfinite(np.array(side, dtype=float)).sum()
    assert 0 <= found.beyond <= 1


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=1, max_size=60), st.booleans())
def test_levels_are_pooled_and_never_lost(counts: list[tuple[int, int]], ordered: bool) -> None:
    """At most twelve levels are named, the rest is one, totals stay, and names differ."""
    before, now = (np.array(side) for side in zip(*counts, strict=True))
    names = [f"{'x' * 80}{place}" for place in range(len(counts))]
    found = counted_levels(before, now, names, ordered=ordered)
    assert len(found.names) == len(set(found.names)) <= 12
    assert (sum(found.reference), sum(found.current)) == (before.sum(), now.sum())  # type: ignore[arg-type]
    assert (POOLED_LEVEL in found.names) == (len(counts) > 12)


def test_a_lumpy_number_keeps_its_order() -> None:
    """Numbers of few values stand as numbers do, not by the alphabet."""
    found = counted_levels(np.array([5, 3, 9]), np.array([1, 1, 1]), ["10", "2", "1"], ordered=True)
    assert found.names == ("1", "2", "10")


@given(
    st.builds(
        Distribution, shows=st.sampled_from(Shows), reference=st.lists(st.none() | st.floats(0, 9)).map(tuple),
        current=st.just(()), names=st.lists(st.text()).map(tuple), ordered=st.booleans(),
        breached=st.lists(st.text()).map(tuple), beyond=st.floats(0, 1),
    )
)  # fmt: skip
def test_it_is_kept_as_it_was(held: Distribution) -> None:
    """What is read back from JSON is what was written."""
    assert Distribution.from_json(json.loads(json.dumps(held.as_json()))) == held


@pytest.fixture(scope="module")
def broken() -> Any:
    """The signals of a window whose numbers, levels, words and labels moved."""
    rows = made_records(3600, np.random.default_rng(5))
    before, now = halves(rows, 3000)
    moved = now.features.assign(size=now.features["size"] * 1.4 + 1, kind="new", words=now.features["words"] + " fire")
    stream = made_stream(slices=("place",))
    return measure(stream, compared(before, type(now)(moved, now.meta)))[0]


def test_each_breach_has_its_picture(broken: Any) -> None:
    """Numbers, levels, texts and slices each bring what their picture shows; the sentences stay as they were."""
    shown = {s.code: s.distribution for s in broken}
    wanted = {"DRF-IN-size": Shows.BINS, "DRF-IN-kind": Shows.LEVELS, "DRF-TEXT": Shows.WORDS,
              "DRF-TEXT-length": Shows.LEVELS, "DRF-SCORE": Shows.BINS, "DQ-MISSING-gap": Shows.LEVELS}  # fmt: skip
    assert {code: shown[code].shows for code in wanted} == wanted
    assert "fire" in shown["DRF-TEXT"].names
    (text,) = (s for s in broken if s.code == "DRF-TEXT")
    assert [c.what for c in text.contributors] == list(shown["DRF-TEXT"].names[:5])


def test_a_check_keeps_no_distribution_in_its_document(broken: Any) -> None:
    """The store's document of a check stays what it was; what pictures show of all its signals is a few kilobytes."""
    check = Check(report_id="r", counted=True, signals=broken)
    assert not any("distribution" in signal for signal in check.as_json()["signals"])
    assert Check.from_json(check.as_json()).as_json() == check.as_json()
    kept = {s.code: s.distribution.as_json() for s in broken if s.distribution}
    assert len(json.dumps(kept)) < 10_000
