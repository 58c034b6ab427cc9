"""What the gate found: one value a test, and all tests of a challenger with what they come to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

HOLDING = frozenset({"GATE-FEED", "GATE-UNIT"})  # who fails one of these, and none else, waits for a person
_OF_EVIDENCE = {"GATE-METRIC", "GATE-BETTER", "GATE-LOSS", "GATE-LINE"}
CONTRADICTED = 0.05  # a chance to be better, below which rows speak against the challenger


@dataclass(frozen=True, kw_only=True)
class GateTest:
    """One test: its figure, the bound it is compared with, and what that means in a sentence."""

    code: str
    passed: bool
    value: float | None
    bound: float | None
    said: str


@dataclass(frozen=True)
class Gate:
    """All tests of one challenger; `labels_needed` to see a gain worth having nine times in ten, where known.

    begins_line: promoted, it begins a line of its own, rather than being a step of the champion's (`not_worse`).
    """

    tests: tuple[GateTest, ...]
    labels_needed: int | None = None
    begins_line: bool = True

    @property
    def passed(self) -> bool:
        return all(test.passed or test.code in HOLDING for test in self.tests)

    @property
    def outcome(self) -> str:
        """"passed", "not enough evidence" (ask again with more labels), or "refused".

        More labels may help where nothing but their number stands against the challenger: they are too few to be
        judged by, or fewer than a gain worth having needs, and do not show the challenger to be worse.
        """
        if self.passed:
            return "passed"
        tests = {test.code: test for test in self.tests}
        failed = {test.code for test in self.tests if not test.passed} - HOLDING
        if "GATE-LABELS" in failed:
            return "not enough evidence"
        labels, better = tests.get("GATE-LABELS"), tests.get("GATE-BETTER")
        if not failed <= _OF_EVIDENCE or not (labels and better and self.labels_needed):
            return "refused"
        short = (labels.value or 0) < self.labels_needed
        return "not enough evidence" if short and (better.value or 0) > CONTRADICTED else "refused"

    def and_test(self, *tests: GateTest) -> Gate:
        return replace(self, tests=(*self.tests, *tests))

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "outcome": self.outcome,
            "labels_needed": self.labels_needed,
            **({} if self.begins_line else {"begins_line": False}),
            "tests": [asdict(test) for test in self.tests],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> Gate:
        tests = tuple(GateTest(**test) for test in value["tests"])
        return Gate(tests, value.get("labels_needed"), value.get("begins_line", True))


def inapplicable(code: str, why: str) -> GateTest:
    """A test that has nothing to judge: recorded, so that nobody takes it for forgotten, and in nobody's way."""
    return GateTest(code=code, passed=True, value=None, bound=None, said=f"Not applied: {why}")
