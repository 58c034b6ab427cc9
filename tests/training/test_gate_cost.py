"""What a challenger costs is compared with the champion, in proportion and above a floor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.made_gates import guardrails_of
from tests.made_rows import make_rows
from trueup.storage.policy import GatePolicy
from trueup.training.candidates.recipes import candidates
from trueup.training.evaluation.head_to_head import compare_with_constant
from trueup.training.gate.context import StoredModel
from trueup.training.gate.cost import latency_test, single_answers, size_test
from trueup.training.models.fitting import fit

BOUNDS = GatePolicy(latency_ratio=3, latency_floor_ms=10, size_ratio=3, size_floor_mb=10)


def test_a_challenger_out_of_proportion_is_too_slow() -> None:
    """Forty milliseconds against five; one slow answer among fifty is no slow model."""
    champion, challenger = np.full(50, 0.005), np.full(50, 0.04)
    test = latency_test(BOUNDS, champion, challenger)
    assert not test.passed
    assert (test.code, test.bound) == ("GATE-LATENCY", 15.0)
    assert test.value == pytest.approx(40)
    once = np.full(50, 0.006)
    once[7] = 5.0
    assert latency_test(BOUNDS, champion, once).passed


def test_under_the_floor_no_answer_is_too_slow() -> None:
    """Nine milliseconds are nothing, even against a tenth of one."""
    assert latency_test(BOUNDS, np.full(50, 0.0001), np.full(50, 0.009)).passed


def test_a_file_out_of_proportion_is_too_large() -> None:
    """Forty megabytes against one are refused, nine are not, and forty against thirty are not."""
    test = size_test(BOUNDS, 1_000_000, 40_000_000)
    assert not test.passed
    assert (test.code, test.value, test.bound) == ("GATE-SIZE", 40.0, 10.0)
    assert size_test(BOUNDS, 1_000_000, 9_000_000).passed
    assert size_test(BOUNDS, 30_000_000, 40_000_000).passed


def test_both_models_are_asked_the_same_records_in_turn() -> None:
    """Times belong to the model that took them: a clock that counts its readings gives both the same."""
    stream, rows = make_rows(300, 0, "table")
    model = fit(candidates(stream)[0], stream, rows, 0, 100).model
    ticks = iter(range(10_000))
    one, other = single_answers(stream, (model, model), rows.features, clock=lambda: float(next(ticks)))
    assert (one == 1.0).all()
    assert (other == 1.0).all()
    assert len(one) == len(other) == 50
    few, _ = single_answers(stream, (model, model), rows.features.iloc[:2])
    assert len(few) == 2


def test_without_a_champion_of_ours_there_is_no_cost_to_compare() -> None:
    """The first champion, and one whose model runs elsewhere: both tests stand there, and say why they do not apply."""
    stream, rows = make_rows(900, 0, "table")
    stream = stream.model_copy(update={"slices": ("c",)})
    fitted = fit(candidates(stream)[0], stream, rows.take(~rows.meta["evaluation"].to_numpy()), 0, 100)
    first = compare_with_constant(stream, fitted, rows)
    for elsewhere, why in ((False, "no champion yet"), (True, "model of another service")):
        paired = replace(first, opponent="champion") if elsewhere else first
        found = guardrails_of(stream, paired, challenger=StoredModel(fitted.model, 1000), reference=rows.features)
        assert found["GATE-SLICE-c"].said.startswith("Not applied: ") != elsewhere
        assert found["GATE-GOLDEN"].said == "Not applied: gate.golden names no file"
        for code in ("GATE-LATENCY", "GATE-SIZE"):
            assert found[code].passed
            assert found[code].said.startswith("Not applied: ")
            assert why in found[code].said
