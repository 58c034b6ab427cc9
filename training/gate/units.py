"""GATE-UNIT: the challenger was asked for by a column that looks as if its unit had changed."""

from __future__ import annotations

from collections.abc import Mapping

from trueup.training.gate.result import GateTest


def unit_test(changes: Mapping[str, str]) -> GateTest:
    """GATE-UNIT, which fails: a person decides whether to mend the feed or to learn the new unit.

    Args:
        changes: by column the conversion that it looks like; one at least.
    """
    told = ", ".join(f"column '{column}' ({conversion})" for column, conversion in changes.items())
    verb = "looks" if len(changes) == 1 else "look"
    said = (
        f"{told} {verb} like a change of unit. Mend the source if it is one: a model that learnt both units is "
        "wrong on one of them"
    )
    return GateTest(code="GATE-UNIT", passed=False, value=float(len(changes)), bound=0.0, said=said)
