"""Label resolution: from what a record or a person says to the class or number that a model learns.

Raw values are stored; the policy is applied when they are read, so that a changed rule holds for the past as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from trueup.feedback.chunks import object_array
from trueup.feedback.class_rules import ClassRule, class_rules
from trueup.feedback.ratings import rating
from trueup.feedback.typed_values import written
from trueup.feedback.values import folded, number, plain
from trueup.storage.stream import LabelPolicy, OrderTime, StreamSettings

HUGE = 1e100  # of a regression's label: beyond it squares, and sums of them, are no finite numbers any more


def class_names(policy: LabelPolicy) -> tuple[str, ...]:
    """The declared classes in their order; empty where the values are the classes."""
    return tuple(policy.classes)


def class_of(policy: LabelPolicy, raw: object) -> str | None:
    """The class of a raw value (a classification stream's), or None where it is missing or matches no class.

    Values are compared without case and white space. One that a rule names comes first, then the name of a class itself
    (people correct labels by class name), then the comparisons, which also read ratings as people write them: 4/5 and
    ★★★★☆ are 4. Without declared classes the value is its own class, written plainly: 1, 1.0 and "1" are "1", and
    "Yes " is "yes".

    Raises:
        ConfigError: the policy's rules cannot be read.
    """
    value = plain(written(raw))
    if value is None:
        return None
    said = folded(value)
    if not policy.classes:
        return said
    rules = class_rules(policy)
    ways = tuple(dict.fromkeys((said, _rated(said, rules))))
    named = next((r.name for way in ways for r in rules if r.exact and r.matches(way)), None)
    if named is None:
        named = next((name for name in policy.classes if folded(name) == said), None)
    return named or next((r.name for r in rules if not r.exact and r.matches(ways[-1])), None)


def _rated(said: str, rules: tuple[ClassRule, ...]) -> str:
    """The number of a rating, as text, where it is on the rules' scale; else the value as it is.

    The scale holds the largest number of the rules, and not twice as much, or is 5: rules about 2 and 4 say nothing of
    8/10.
    """
    found, bounds = rating(said), [value for r in rules if (value := number(r.operand)) is not None]
    if found is None or not bounds:
        return said
    if found[1] is not None and not max(bounds) <= found[1] < max(2 * max(bounds), 5.5):
        return said
    return plain(repr(found[0])) or said


def resolve(stream: StreamSettings, raw: Iterable[object]) -> np.ndarray:
    """The labels of n raw values: object array of shape (n,) of str (classification) or float (regression), or None.

    Raises:
        ConfigError: the policy's rules cannot be read.
    """
    values = list(raw)
    given = [k for k, value in enumerate(values) if value is not None]  # few, where most records have no label
    means = _meanings(stream, (values[k] for k in given))
    found = np.full(len(values), None, object)
    found[given] = object_array([means[values[k]] for k in given])
    return found


def _meanings(stream: StreamSettings, values: Iterable[object]) -> dict[object, str | float | None]:
    """The label of each different raw value."""
    one = _number_of if stream.is_regression else lambda value: class_of(stream.label, value)
    return {value: one(value) for value in dict.fromkeys(values)}


def labelled(stream: StreamSettings, labels: np.ndarray, known_at: np.ndarray) -> np.ndarray:
    """Whether each raw label is known and is a class or number by today's rules."""
    values = labels.tolist()
    is_label = {value: label is not None for value, label in _meanings(stream, values).items()}
    known = np.fromiter(map(is_label.__getitem__, values), bool, len(values))
    return known if isinstance(stream.time, OrderTime) else known & ~np.isnat(known_at)


def quantity(text: str | None) -> float | None:
    """The label that a text writes, of a regression: a number of at most HUGE either way, or None."""
    value = number(text)
    return None if value is None or abs(value) > HUGE else value


def _number_of(raw: object) -> float | None:
    return quantity(plain(written(raw)))
