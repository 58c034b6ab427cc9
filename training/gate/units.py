"""GATE-UNIT: the challenger was asked for by a column that looks as if its unit had changed."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.training.gate.result import GateTest


def unit_test(changes: Mapping[str, str]) -> GateTest:
    """GATE-UNIT, which fails: a person decides whether to fix the feed or to learn the new unit.

    Args:
        changes: by column the conversion that it looks like; one at least.
    """
    told = ", ".join(f"column '{column}' ({conversion})" for column, conversion in changes.items())
    said = (
        f"the unit of {told} has probably changed. If so, fix the source: a model trained on both units is wrong on "
        "one of them"
    )
    return GateTest(code="GATE-UNIT", passed=False, value=float(len(changes)), bound=0.0, said=said)
