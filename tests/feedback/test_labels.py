"""Labels: what a raw value means under a stream's rules."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.feedback.class_rules import class_rules
from trueup.feedback.labels import class_names, class_of, resolve
from trueup.storage.errors import ConfigError
from trueup.storage.stream import LabelPolicy, StreamSettings

STARS = LabelPolicy(column="score", classes={"negative": "<=2", "positive": ">=4"})


def _stream(policy: LabelPolicy, task: str = "classification") -> StreamSettings:
    return StreamSettings(name="s", task=task, time="at", text=("t",), label=policy)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "label"),
    [(1, "negative"), ("2.0", "negative"), (" 4 ", "positive"), (5.0, "positive"), (3, None), ("", None), (None, None),
     (float("nan"), None), ("five", None), ("inf", None), ("negative", "negative")],
)
def test_a_comparison_names_the_class_of_a_number(raw: object, label: str | None) -> None:
    """Stars become classes however they are written; what matches none, or is missing, is unlabelled."""
    assert class_of(STARS, raw) == label


def test_values_lists_and_inequality_are_rules_too() -> None:
    """A class may be a value, a list of values, or everything but a value."""
    policy = LabelPolicy(classes={"spam": ["junk", "scam", "1"], "fine": "=ok"})
    assert [class_of(policy, v) for v in ("scam", 1.0, "ok", "other")] == ["spam", "spam", "fine", None]
    five_or_not = LabelPolicy(classes={"five": "5", "other": "!=5"})
    assert [class_of(five_or_not, v) for v in ("5", "4", "five", "other")] == ["five", "other", "five", "other"]


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("4/5", "positive"), ("5.0 out of 5 stars", "positive"), ("4,5", "positive"), ("2,0", "negative"),
        ("★★★★☆", "positive"), ("★☆☆☆☆", "negative"), ("⭐⭐⭐⭐⭐", "positive"), ("Rated 1 out of 5", "negative"),
        ("2 Sterne", "negative"), ("3 von 5", None), ("8/10", None), ("2/10", None), ("6/5", None), ("👍", None),
        (" NEGATIVE", "negative"),
    ],
)  # fmt: skip
def test_a_rating_is_read_as_people_write_it(raw: str, label: str | None) -> None:
    """Stars, fractions and decimal commas are numbers to the comparisons; of another scale they say nothing."""
    assert class_of(STARS, raw) == label


def test_values_compare_without_case_and_white_space() -> None:
    """One class however it is typed, in the rules, by the class's name, and with the skin tone of a thumb."""
    policy = LabelPolicy(classes={"Negative": ["neg", "Not  Good", "👎"], "positive": "Pos"})
    said = ("NEG", " negative ", "not good", "👎🏽", "POS", "Positive")
    assert [class_of(policy, v) for v in said] == ["Negative"] * 4 + ["positive"] * 2
    with pytest.raises(ConfigError, match="the same class"):
        class_rules(LabelPolicy(classes={"Yes": "1", "yes": "2"}))


def test_without_rules_a_value_is_its_own_class() -> None:
    """1, 1.0 and "1" are one class; so are "Yes ", "YES" and "yes"."""
    policy = LabelPolicy(column="class")
    assert {class_of(policy, v) for v in (1, 1.0, "1", "1.0", np.int64(1))} == {"1"}
    assert {class_of(policy, v) for v in ("UP", "up ", " Up")} == {"up"}
    assert class_names(policy) == ()


@pytest.mark.parametrize(
    "classes", [{"a": "<=x"}, {"a": ""}, {"a": "<="}, {"a": "<=3", "b": ">=3"}, {"a": "up", "b": ["down", "up"]}]
)
def test_rules_that_cannot_hold_are_refused(classes: dict[str, str | list[str]]) -> None:
    """A rule without a number to compare with, or two classes that claim one value, is an error of the settings."""
    with pytest.raises(ConfigError, match=r"label\.classes"):
        class_rules(LabelPolicy(classes=classes))


def test_resolve_answers_for_a_whole_column() -> None:
    """The vectorised form gives what the single form gives, None included; regression gives numbers."""
    raw = pd.Series(["1", None, "5", "3", "x", "4.0"], dtype="object")
    assert resolve(_stream(STARS), raw).tolist() == ["negative", None, "positive", None, None, "positive"]
    numbers = resolve(_stream(LabelPolicy(column="cnt"), "regression"), pd.Series(["16", "2.5", None, "no", "1e200"]))
    assert numbers.tolist() == [16.0, 2.5, None, None, None]
    assert len(resolve(_stream(STARS), pd.Series([], dtype="object"))) == 0


@given(st.integers(-50, 50), st.integers(1, 20), st.lists(st.integers(-80, 80), max_size=20))
def test_two_sides_of_a_gap_never_meet(low: int, gap: int, values: list[int]) -> None:
    """For any bounds and values: below is below, above is above, and between is unlabelled, as number and as text."""
    policy = LabelPolicy(classes={"below": f"<={low}", "above": f">={low + gap}"})
    for value in values:
        expected = "below" if value <= low else "above" if value >= low + gap else None
        assert class_of(policy, value) == class_of(policy, f"{value}.0") == expected
