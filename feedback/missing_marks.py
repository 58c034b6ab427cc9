"""What stands for no value in a column: declared marks, and for times the usual words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trueup.feedback.chunks import Chunk, object_array
from trueup.feedback.values import MISSING_NUMBER, number, plain
from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class MissingMarks:
    """texts: values without surrounding white space. numbers: the same as numbers (-200 is also -200.0). words: whether
    what says "missing" of a number or time (NA, null, -) says so here."""

    texts: frozenset[str] = frozenset()
    numbers: frozenset[float] = frozenset()
    words: bool = False

    def __bool__(self) -> bool:
        return bool(self.texts) or self.words

    def mark(self, value: str) -> bool:
        """Whether a value stands for none."""
        text = plain(value) or ""
        return (
            text in self.texts
            or (self.words and text.lower() in MISSING_NUMBER)
            or (bool(self.numbers) and number(text) in self.numbers)
        )


def marks_of(stream: StreamSettings, column: str) -> MissingMarks:
    """The marks of a declared column."""
    declared = stream.missing.get(column, ()) if isinstance(stream.missing, dict) else stream.missing
    numbers = frozenset(x for mark in declared if (x := number(mark)) is not None)
    return MissingMarks(
        frozenset(mark.strip() for mark in declared), numbers if column in stream.numeric else frozenset(),
        column in (*stream.time_columns, stream.label.arrived),
    )  # fmt: skip


def without_marks(stream: StreamSettings, chunk: Chunk, columns: tuple[str, ...]) -> Chunk:
    """A chunk in some of whose columns the marks are empty cells."""
    marks = {c: m for c in columns if c in chunk.table and (m := marks_of(stream, c))}
    if not marks:
        return chunk
    changed = {
        column: object_array([None if v is None or mark.mark(v) else v for v in chunk.table[column]])
        for column, mark in marks.items()
    }
    return replace(chunk, table=chunk.table.with_columns(changed))
