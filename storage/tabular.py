"""Values that show themselves as a table: as a DataFrame, and in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from trueup.storage.escaping import for_html
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")
Document = Mapping[str, Any]  # a value as JSON can hold it, before it is written
_SHOWN = 20  # rows of a table in a notebook; a DataFrame has all


class Tabular:
    """A result that is a table as well: `to_frame()` has all of it, a notebook shows its beginning.

    A dataclass that says nothing else is a table of one row, its fields.
    """

    def caption(self) -> str:
        """One line that says what the table is."""
        return type(self).__name__

    def records(self) -> Sequence[Mapping[str, Any]]:
        """The table's rows, each a value by column name."""
        return [_fields_of(self)]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a DataFrame, one column a field; times stay datetimes, enums become text."""
        import pandas as pd

        rows = [{name: _cell(value) for name, value in row.items()} for row in self.records()]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        rows = self.records()
        head = f"<p><b>{for_html(self.caption())}</b></p>"
        if not rows:
            return f"{head}<p>none</p>"
        names = list(rows[0])
        columns = "".join(f"<th>{for_html(name)}</th>" for name in names)
        body = "".join(
            f"<tr>{''.join(f'<td>{for_html(_text(row.get(name)))}</td>' for name in names)}</tr>"
            for row in rows[:_SHOWN]
        )
        more = f"<p>{len(rows) - _SHOWN} more rows; to_frame() has all</p>" if len(rows) > _SHOWN else ""
        return f"{head}<table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>{more}"


class Listing(tuple[_T, ...], Tabular, Generic[_T]):
    """Frozen values of one kind, newest first unless it says otherwise."""

    def caption(self) -> str:
        return f"{len(self)} {type(self[0]).__name__}" if self else "nothing"

    def records(self) -> Sequence[Mapping[str, Any]]:
        return [_fields_of(one) for one in self]


class Page(Listing[_T]):
    """The newest of those that were asked for; total: how many there are."""

    total: int

    def __new__(cls, found: Iterable[_T], total: int | None = None) -> Page[_T]:
        made = super().__new__(cls, found)
        made.total = len(made) if total is None else total
        return made

    def caption(self) -> str:
        return f"{super().caption()}, of {self.total:,}" if self.total > len(self) else super().caption()


def _fields_of(value: Any) -> Mapping[str, Any]:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value) if field.repr}
    return value if isinstance(value, Mapping) else {"value": value}


def _cell(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _text(value: Any) -> str:
    """A cell as people read it."""
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return iso(value) or ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_text, value))
    return str(value)
