"""The rules by which raw values belong to classes, as the settings write them. Importing this is light."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import eq, ge, gt, le, lt, ne

from trueup.feedback.values import folded, number, plain
from trueup.storage.errors import ConfigError
from trueup.storage.stream import LabelPolicy

_COMPARE = {"<=": le, ">=": ge, "!=": ne, "==": eq, "=": eq, "<": lt, ">": gt}
_RULE = re.compile(r"\s*(<=|>=|!=|==|=|<|>)?\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True)
class ClassRule:
    """One condition under which a raw value belongs to a class: `operator` is a key of _COMPARE, `operand` folded."""

    name: str
    operator: str
    operand: str

    def matches(self, raw: str) -> bool:
        """Whether a raw value, written plainly and folded, fulfils the condition.

        What is no number is neither above nor below.
        """
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
        ConfigError: a rule cannot be read, two classes claim the same value, or are called the same but for their case.
    """
    return _parsed(tuple((n, (r,) if isinstance(r, str) else tuple(r)) for n, r in policy.classes.items()))


@lru_cache(maxsize=256)
def _parsed(classes: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[ClassRule, ...]:
    rules = tuple(_rule(name, text) for name, texts in classes for text in texts)
    names = [folded(name) for name, _ in classes]
    twice = [name for (name, _), bare in zip(classes, names, strict=True) if names.count(bare) > 1]
    if twice:
        raise ConfigError(
            f"label.classes: {' and '.join(repr(c) for c in twice)} are the same class, since labels are compared "
            "without case and white space; write their values under one name"
        )
    for probe in _probes(rules):
        claimed = list(dict.fromkeys(r.name for r in rules if r.matches(probe)))
        if len(claimed) > 1:
            raise ConfigError(
                f"label.classes: the value {probe} belongs to {' and '.join(repr(c) for c in claimed)} at once, so its "
                "label would depend on the order of the rules; write rules that do not overlap"
            )
    return rules


def _rule(name: str, text: str) -> ClassRule:
    match = _RULE.fullmatch(text)
    operator, operand = (match[1] or "=", plain(match[2])) if match else ("=", None)
    if operand is None or operand[0] in "<>=!" or (operator in ("<", "<=", ">", ">=") and number(operand) is None):
        raise ConfigError(
            f"label.classes: the rule '{text}' of class '{name}' cannot be read, so no record could get that label; "
            "write a comparison with a number, such as '<=2', a value, or a list of values"
        )
    return ClassRule(name, operator, folded(operand))


def _probes(rules: tuple[ClassRule, ...]) -> list[str]:
    """Values that between them meet every combination of rules: each bound, and a point on either side of it."""
    bounds = sorted({value for r in rules if (value := number(r.operand)) is not None})
    between = [(a + b) / 2 for a, b in pairwise(bounds)]
    ends = [bounds[0] - 1, bounds[-1] + 1] if bounds else []
    words = [r.operand for r in rules if number(r.operand) is None]
    return [str(plain(repr(value + 0.0))) for value in [*bounds, *between, *ends]] + words
