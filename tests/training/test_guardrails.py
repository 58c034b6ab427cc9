"""A guardrail is one line in a list: from there it reaches the gate, the mails, the explanation and the docs check."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_commands import Shell
from tests.house.test_docs import gate_codes, gate_codes_in_the_docs
from tests.made_deployments import BROKEN, ONE_CANDIDATE, TRAINED, WEEK, deployed, plain_mail, take_in
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.training.gate import guardrails
from trueup.training.gate.context import GateContext
from trueup.training.gate.guardrails import GUARDRAILS, Guardrail, Need
from trueup.training.gate.result import GateTest


def _dummy(context: GateContext) -> GateTest:
    said = f"the dummy refuses whatever is compared with a {context.paired.opponent}"
    return GateTest(code="GATE-DUMMY", passed=False, value=2.0, bound=1.0, said=said)


@pytest.fixture(scope="module", autouse=True)
def listed() -> Iterator[None]:
    """The dummy stands in the public list, and nowhere else; it needs a champion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guardrails, "GUARDRAILS", (*GUARDRAILS, Guardrail("GATE-DUMMY", _dummy, (Need.CHAMPION,))))
        yield


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, dict[str, Any], list[str]]:
    """A first champion and a challenger that the dummy refuses: the shell, the cycle's document, and all mails."""
    folder: Path = tmp_path_factory.mktemp("dummy")
    app = deployed(folder, more=ONE_CANDIDATE)  # its first champion meets the dummy too
    train_now(app, app.stream("reviews"), TRAINED)
    take_in(app, folder, 2, TRAINED, WEEK, BROKEN)
    done = run_cycle(app, app.stream("reviews"), TRAINED + WEEK)
    mails = [plain_mail(app, alert) for alert in app.outbox.newest("reviews")]
    app.close()
    return Shell(folder), done, mails


@pytest.mark.slow
def test_it_refuses_a_challenger_and_stands_in_the_gate(refused: tuple[Shell, dict[str, Any], list[str]]) -> None:
    """Behind the guardrails that were there, before the version is read back."""
    _, done, _ = refused
    codes = [test["code"] for test in done["gate"]["tests"]]
    assert codes[-4:] == ["GATE-LATENCY", "GATE-SIZE", "GATE-DUMMY", "GATE-LOADS"]
    assert [test["code"] for test in done["gate"]["tests"] if not test["passed"]] == ["GATE-DUMMY"]
    assert done["promotion"] is None


def test_it_does_not_apply_to_a_first_champion(refused: tuple[Shell, dict[str, Any], list[str]]) -> None:
    """Without a champion its need is not given, so nobody who adds a test refuses every stream's first version."""
    shell, _, _ = refused
    found = shell("models explain -s reviews").document["because"]
    (test,) = (test for test in found["tests"] if test["code"] == "GATE-DUMMY")
    assert (test["passed"], test["value"], test["said"]) == (True, None, "Not applied: there is no champion yet")


def test_the_mails_and_the_explanation_tell_of_it(refused: tuple[Shell, dict[str, Any], list[str]]) -> None:
    """In the refusal's mail, and as what the refused version would have needed; what passed is a number there."""
    shell, _, mails = refused
    refusals = [mail for mail in mails if "GATE-DUMMY" in mail]
    assert any("the dummy refuses whatever is compared with a champion" in mail for mail in refusals)
    (two,) = shell("models explain -s reviews").document["others"]
    needed = two["needed"][0]
    assert needed.startswith("GATE-DUMMY: ")
    assert needed.endswith("the dummy refuses whatever is compared with a champion.")


def test_the_docs_check_misses_its_row() -> None:
    """A guardrail without a row in docs/gate.md is named by the check of the docs."""
    assert gate_codes() - gate_codes_in_the_docs() == {"GATE-DUMMY"}
