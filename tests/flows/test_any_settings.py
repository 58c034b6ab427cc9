"""Whatever stands under the known keys: settings, or one line a fault; never another exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from trueup.flows.settings import Settings, read_settings
from trueup.storage.errors import ConfigError
from trueup.storage.stream import StreamSettings

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "0d", "1d", "99999999999999d", "1e9d", "²", "0 9 31 2 *", "0 0 9 * * *", "R 9 * * *", "* * * * *", "UTC",
         "Europe/Berlin", "sqlite://", "sqlite:///a.db", "postgresql://u@h:x/d", "s3://b", "memory://m", "http://[", "://",
         "a::b://c", "file:", "file://", "\\x1b[31m", "a@b.org", "module:function", "..", "/", "~", "<=2", ">", "mae"]
    ),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.sampled_from([0, 1, 30, 500, 16**3000, -(10**400), 2**63])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=5
)


def table_of(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Some of a table's keys with odd values, its inner tables likewise; now and then no table at all."""
    keys = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        known = isinstance(inner, type) and issubclass(inner, BaseModel)
        keys[field.alias or name] = table_of(inner) if known else VALUES  # type: ignore[arg-type]
    return st.fixed_dictionaries({}, optional=keys) | VALUES


STREAM = table_of(StreamSettings).map(
    lambda odd: {**odd, "time": "at", "text": ["content"]} if isinstance(odd, dict) else odd
)
DEPLOYMENTS = st.fixed_dictionaries(
    {"streams": st.dictionaries(st.sampled_from(["r", "two"]) | TEXTS, STREAM | table_of(StreamSettings), max_size=2)},
    optional={name: table_of(field.annotation) for name, field in Settings.model_fields.items() if name != "streams"},  # type: ignore[arg-type]
)


@pytest.mark.parametrize("examples", [15, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_any_values_are_settings_or_one_line_each(examples: int) -> None:
    """Odd values under known keys are taken or refused by name, in lines that a terminal can show."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(DEPLOYMENTS)
    def whatever_is_drawn(values: dict[str, Any]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("trueup.flows.settings.tomllib.loads", lambda text: values)
            _settings_or_lines("as drawn")

    whatever_is_drawn()


@pytest.mark.parametrize("examples", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_any_text_is_settings_or_one_line_each(examples: int) -> None:
    """What is no TOML is refused as such, however deep or long."""

    @settings(max_examples=examples, deadline=None)
    @given(st.text() | st.sampled_from(["a = " + "9" * 5000, "[" * 3000, "a=" + "[" * 3000]))
    def whatever_is_drawn(text: str) -> None:
        _settings_or_lines(text)

    whatever_is_drawn()


def _settings_or_lines(text: str) -> None:
    try:
        read_settings(text, "trueup.toml")
    except ConfigError as error:
        said = str(error)
        assert said.endswith("Nothing was done.")
        assert all(line.startswith("trueup.toml") for line in said.splitlines())
