"""Objects within records: their fields become columns by dotted names, and what cannot be flattened says so."""

from __future__ import annotations

import json
from collections.abc import Mapping

from trueup.feedback.typed_values import written


class Nested(str):
    """An object, or a list of objects, where a value is wanted: its JSON. A declared column refuses the row with it."""

    __slots__ = ()


class NameClash(ValueError):
    """A record that names one field twice: `a.b` as a key, and `b` within an object `a`."""


def flat(record: Mapping[str, object]) -> dict[str, object]:
    """A record with the fields of its objects by dotted name, and each object itself as `Nested`.

    Raises:
        NameClash: two fields would have one name.
    """
    if not any(isinstance(value, dict | list) for value in record.values()):
        return dict(record)
    found: dict[str, object] = {}
    _add(found, record, "")
    return found


def _add(found: dict[str, object], record: Mapping[str, object], prefix: str) -> None:
    for key, value in record.items():
        name = f"{prefix}{key}"
        if name in found:
            raise NameClash(f"the field '{name}' is given twice: as a key, and within an object")
        if isinstance(value, dict):
            found[name] = Nested(_json(value))
            _add(found, value, f"{name}.")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            found[name] = Nested(_json(value))
        else:
            found[name] = value


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=written)


def first_field(value: Nested) -> str:
    """The name of an object's first field; "" of a list or an empty object."""
    held = json.loads(value)
    return next(iter(held), "") if isinstance(held, dict) else ""


def fields_of(column: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that are fields of an object named `column`."""
    return tuple(c for c in columns if c.startswith(f"{column}."))
