"""Label resolution: from what a record or a person says to the class or number that a model learns.

Raw values are stored; the policy is applied when they are read, so that a changed rule holds for the past as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne

import numpy as np
import pandas as pd

from trueup.feedback.values import number, plain, written
from trueup.storage.errors import ConfigError
from trueup.storage.stream import LabelPolicy, StreamSettings

HUGE = 1e100  # of a regression's label: beyond it squares, and sums of them, are no finite numbers any more

_COMPARE = {"<=": le, ">=": ge, "!=": ne, "==": eq, "=": eq, "<": lt, ">": gt}
_RULE = re.compile(r"\s*(<=|>=|!=|==|=|<|>)?\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True)
class ClassRule:
    """One condition under which a raw value belongs to a class: `operator` is a key of _COMPARE."""

    name: str
    operator: str
    operand: str

    def matches(self, raw: str) -> bool:
        """Whether a raw value, written plainly, fulfils the condition. What is no number is neither above nor below."""
        value, bound = number(raw), number(self.operand)
        if value is not None and bound is not None:
            return bool(_COMPARE[self.operator](value, bound))
        if self.operator in ("=", "=="):
            return raw == self.operand
        return self.operator == "!=" and raw != self.operand

    @property
    def exact(self) -> bool:
        return self.operator in ("=", "==")


def class_rules(policy: LabelPolicy) -> tuple[ClassRule, ...]:
    """The policy's classes as conditions, in the order in which they are written.

    Raises:
        ConfigError: a rule cannot be read, or two classes claim the same value.
    """
    return _parsed(tuple((n, (r,) if isinstance(r, str) else tuple(r)) for n, r in policy.classes.items()))


def class_names(policy: LabelPolicy) -> tuple[str, ...]:
    """The declared classes in their order; empty where the values are the classes."""
    return tuple(policy.classes)


def class_of(policy: LabelPolicy, raw: object) -> str | None:
    """The class of a raw value (a classification stream's), or None where it is missing or matches no class.

    A value that a rule names comes first, then the name of a class itself (people correct labels by class name), then
    the comparisons. Without declared classes the value is its own class, written plainly: 1, 1.0 and "1" are "1".

    Raises:
        ConfigError: the policy's rules cannot be read.
    """
    value = plain(written(raw))
    if value is None or not policy.classes:
        return value
    rules = class_rules(policy)
    named = [r.name for r in rules if r.exact and r.matches(value)]
    if named:
        return named[0]
    if value in policy.classes:
        return value
    return next((r.name for r in rules if not r.exact and r.matches(value)), None)


def resolve(stream: StreamSettings, raw: pd.Series | np.ndarray) -> np.ndarray:
    """The labels of n raw values: object array of shape (n,) of str (classification) or float (regression), or None.

    Raises:
        ConfigError: the policy's rules cannot be read.
    """
    codes, values = pd.factorize(pd.Series(raw, dtype="object"), use_na_sentinel=True)
    one = _number_of if stream.is_regression else lambda value: class_of(stream.label, value)
    table = np.empty(len(values) + 1, dtype=object)
    table[:-1] = [one(value) for value in values]
    table[-1] = None
    return table[codes]


def quantity(text: str | None) -> float | None:
    """The label that a text writes, of a regression: a number of at most HUGE either way, or None."""
    value = number(text)
    return None if value is None or abs(value) > HUGE else value


def _number_of(raw: object) -> float | None:
    return quantity(plain(written(raw)))


@lru_cache(maxsize=256)
def _parsed(classes: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[ClassRule, ...]:
    rules = tuple(_rule(name, text) for name, texts in classes for text in texts)
    for probe in _probes(rules):
        claimed = list(dict.fromkeys(r.name for r in rules if r.matches(probe)))
        if len(claimed) > 1:
            raise ConfigError(
                f"label.classes: the value {probe} belongs to {' and '.join(repr(c) for c in claimed)} at once, so its "
                "label would depend on the order of the rules. Write rules that do not overlap."
            )
    return rules


def _rule(name: str, text: str) -> ClassRule:
    match = _RULE.fullmatch(text)
    operator, operand = (match[1] or "=", plain(match[2])) if match else ("=", None)
    if operand is None or operand[0] in "<>=!" or (operator in ("<", "<=", ">", ">=") and number(operand) is None):
        raise ConfigError(
            f"label.classes: the rule '{text}' of class '{name}' cannot be read, so no record could get that label. "
            "Write a comparison with a number, such as '<=2', a value, or a list of values."
        )
    return ClassRule(name, operator, operand)


def _probes(rules: tuple[ClassRule, ...]) -> list[str]:
    """Values that between them meet every combination of rules: each bound, and a point on either side of it."""
    bounds = sorted({value for r in rules if (value := number(r.operand)) is not None})
    between = [(a + b) / 2 for a, b in pairwise(bounds)]
    ends = [bounds[0] - 1, bounds[-1] + 1] if bounds else []
    words = [r.operand for r in rules if number(r.operand) is None]
    return [str(plain(written(value))) for value in [*bounds, *between, *ends]] + words
