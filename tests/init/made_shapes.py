"""What shapes of files are made of: columns that carry the truth of what they are.

A shape is a function of `Made` that is registered by `shape(language)`. Its columns say, each, what a careful person
would take them for: `roles` and `kinds` are sets where people would differ, and `truth` is what they read in the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.init.made_files import Csv, FileKind
from tests.init.made_values import HIGH as HIGH
from tests.init.made_values import LOW as LOW
from tests.init.made_values import MID as MID
from tests.init.made_values import ROWS, Made, Spelling, spelt
from trueup.feedback.values import number as number_in

FEATURES = frozenset({"text", "numeric", "categorical"})


@dataclass(frozen=True)
class Column:
    """One column with its truth. part: time, id, answer, target (a regression's answer) or "".

    truth: by part the moments (UTC), or classes (None: no label); else numbers that are spelt in an odd way.
    """

    name: str
    cells: Sequence[Any]
    roles: frozenset[str]
    kinds: frozenset[str]
    part: str = ""
    truth: Sequence[Any] | None = None
    grain: str = ""
    sentinels: frozenset[float] = frozenset()

    @property
    def numbers(self) -> list[float | None]:
        """What a person reads in the cells as numbers: the truth where it is told, else those with a decimal point."""
        return list(self.truth) if self.truth and not self.part else [number_in(str(cell)) for cell in self.cells]

    def but(self, roles: str = "", kinds: str = "") -> Column:
        """The same where people would see other roles or kinds in it."""
        return replace(self, roles=_set(roles) or self.roles, kinds=_set(kinds) or self.kinds)

    def spelling(self, numbers: Sequence[float]) -> Column:
        """The same where the cells spell these numbers in an odd way."""
        return replace(self, truth=numbers)


@dataclass(frozen=True)
class Shape:
    """A file and its truth.

    asks: what the file alone does not decide, so that `init` must ask (time, answer, format, missing).
    free: what may be asked, or left open without a word, as people would differ.
    moments: event times where several columns make one. also: other names of columns, as of a second header row.
    extra: rows of the file that are no records (further header rows, a total), at most.
    """

    file: FileKind
    columns: tuple[Column, ...]
    asks: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    moments: Sequence[datetime] | None = None
    also: Mapping[str, str] = field(default_factory=dict)
    extra: int = 0

    def parts(self, part: str) -> tuple[Column, ...]:
        """The columns of a part, in order."""
        return tuple(c for c in self.columns if c.part == part)


@dataclass(frozen=True)
class ShapeMaker:
    """A registered shape: area is the file it stands in, export what it is made after."""

    name: str
    area: str
    language: str
    export: str
    make: Callable[[Made], Shape]

    def shape(self) -> Shape:
        """The shape, the same at every call."""
        return self.make(Made(self.name))


SHAPES: dict[str, ShapeMaker] = {}


def shape(language: str = "en") -> Callable[[Callable[[Made], Shape]], Callable[[Made], Shape]]:
    """Register a function as a shape in a language; its docstring says after which export."""

    def register(make: Callable[[Made], Shape]) -> Callable[[Made], Shape]:
        area = make.__module__.rsplit(".", 1)[-1].removeprefix("shapes_")
        SHAPES[make.__name__] = ShapeMaker(make.__name__, area, language, (make.__doc__ or "").strip(), make)
        return make

    return register


def table(*columns: Column, file: FileKind | None = None, asks: str = "", free: str = "", **more: Any) -> Shape:
    """A shape of these columns; a CSV file where no other kind is named."""
    return Shape(file or Csv(), columns, asks=_set(asks), free=_set(free), **more)


# ---- columns ----

def _set(names: str) -> frozenset[str]:
    return frozenset(n.strip() for n in names.split("|") if n.strip())


def _column(name: str, cells: Sequence[Any], roles: str, kinds: str, **more: Any) -> Column:
    return Column(name, cells, _set(roles), _set(kinds), **more)


def time(name: str, moments: Sequence[datetime], how: Spelling = "%Y-%m-%d %H:%M:%S", grain: str = "s") -> Column:
    """The event time. grain: the least that its spelling tells (s, min, h, D, M)."""
    return _column(name, spelt(moments, how), "time", "time", part="time", truth=moments, grain=grain)


def stamp(name: str, moments: Sequence[datetime | None], how: Spelling = "%Y-%m-%d %H:%M:%S") -> Column:
    """Another time, never to be learnt from; since when the answer is known at best."""
    return _column(name, spelt(moments, how), "left out|arrived", "time")


def ident(name: str, cells: Sequence[Any]) -> Column:
    """What names the row."""
    return _column(name, cells, "id", "id|code|url", part="id")


def key(name: str, cells: Sequence[Any]) -> Column:
    """A reference to something else (a customer, a product), never to be learnt from as it stands."""
    return _column(name, cells, "left out|slices", "id|code|category|number")


def answer(name: str, cells: Sequence[Any], classes: Sequence[Any]) -> Column:
    """What is to be predicted: a class for each row, None where there is no label."""
    return _column(name, cells, "label", "category|number|text", part="answer", truth=classes)


def target(name: str, cells: Sequence[float]) -> Column:
    """What is to be predicted, as a number."""
    return _column(name, cells, "label", "number", part="target")


def text(name: str, cells: Sequence[Any]) -> Column:
    return _column(name, cells, "text", "text")


def title(name: str, cells: Sequence[Any]) -> Column:
    """Short words of a person, of which people would learn or not."""
    return _column(name, cells, "text|left out|categorical|slices", "text|category")


def number(name: str, cells: Sequence[Any], sentinel: float | None = None) -> Column:
    """A quantity; cells that are no numbers are missing, a sentinel is to be asked about."""
    less = frozenset() if sentinel is None else frozenset({sentinel})
    return _column(name, cells, "numeric|categorical", "number", sentinels=less)


def ordinal(name: str, cells: Sequence[Any]) -> Column:
    """A number of few values, which people would take for a number or a category."""
    return number(name, cells).but("numeric|categorical|slices", "number|category")


def category(name: str, cells: Sequence[Any]) -> Column:
    """One of a few values, known when the prediction is made."""
    return _column(name, cells, "categorical|slices", "category")


def flag(name: str, cells: Sequence[Any]) -> Column:
    return _column(name, cells, "categorical|slices|numeric", "category|number")


def loose(name: str, cells: Sequence[Any], kinds: str = "category|text|code|id") -> Column:
    """Known in time but of doubtful use (a place, a device, a product): learnt from, looked at or left out."""
    return _column(name, cells, "categorical|slices|left out|text|numeric", kinds)


def person(name: str, cells: Sequence[Any]) -> Column:
    """Who it was, never to be learnt from."""
    return _column(name, cells, "left out|slices", "text|category|code|id")


def later(name: str, cells: Sequence[Any], kinds: str = "number|category") -> Column:
    """Known only after the prediction, or written by who labelled."""
    return _column(name, cells, "left out", kinds)


def leak(name: str, cells: Sequence[Any], kinds: str = "number|category|text|code") -> Column:
    """It gives the answer away."""
    return _column(name, cells, "left out", kinds)


def version(name: str, cells: Sequence[Any]) -> Column:
    return _column(name, cells, "slices|left out", "version")


def url(name: str, cells: Sequence[Any]) -> Column:
    return _column(name, cells, "left out", "url")


def nested(name: str, cells: Sequence[Any]) -> Column:
    return _column(name, cells, "left out", "nested")


def constant(name: str, cell: Any, rows: int = ROWS) -> Column:
    return _column(name, [cell] * rows, "left out", "constant|empty" if cell is None else "constant")


def empty(name: str, rows: int = ROWS) -> Column:
    return _column(name, [None] * rows, "left out", "empty")
