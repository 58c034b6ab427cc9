"""What is wrong with settings, a line each: the key or the variable, and the value without a login."""

from __future__ import annotations

import json
import os
from typing import Any

from pydantic import ValidationError

from trueup.storage.errors import ConfigError
from trueup.storage.secrets import without_secrets

_TRIED = frozenset({"int", "str", "OrderTime"})  # what a value of several types is read as
_SHOWN = 100  # characters of a wrong value


def refused_settings(faults: dict[str, str]) -> ConfigError:
    """What is wrong at each place, a line each."""
    said = ".\n".join(f"{place}: {what}" for place, what in faults.items())
    return ConfigError(f"{said}. Nothing was done.")


def faults_of(error: ValidationError, file: str) -> dict[str, str]:
    """The faults by place, one each: a value of several types fails once for every type."""
    faults: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_context=False):
        faults.setdefault(place_of(_written(fault["loc"]), file), _said(fault))
    return faults


def place_of(loc: tuple[int | str, ...], file: str) -> str:
    """Where a wrong value was written: the variable, where one set it or a table that it stands in; else the file."""
    variables = {key.upper(): key for key in settings_variables()}
    for end in range(len(loc), 0, -1):
        name = "TRUEUP_" + "__".join(str(part) for part in loc[:end]).upper()
        if name in variables:
            return f"the variable {variables[name]}"
    parts = (str(part) for part in loc)
    place = ".".join(part if part.isprintable() else repr(part) for part in parts) or "settings"
    return f"{file}: {place}" if file else place


def settings_variables() -> list[str]:
    """The names of the variables that are written as those of settings are."""
    return sorted(key for key in os.environ if key.upper().startswith("TRUEUP_") and "__" in key)


def is_json(text: str) -> bool:
    """Whether a variable's value could be a list or a table."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "this key is unknown"
    said = " ".join(error["msg"].removeprefix("Value error, ").split())
    shown = shown_value(error["input"])
    return said if isinstance(error["input"], dict) or shown in said else f"{said} (it is {shown})"


def shown_value(value: object) -> str:
    """A wrong value as its own line can show it: short, and without a login."""
    try:
        said = without_secrets(repr(value))
    except ValueError:  # a number of thousands of digits is not written
        return "a number too large"
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def _written(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where a fault stands in the file: without the types that were tried, which pydantic counts as places."""
    return tuple(part for k, part in enumerate(loc) if k < 3 or not (part in _TRIED or "[" in str(part)))
