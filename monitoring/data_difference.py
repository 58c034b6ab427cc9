"""What differs between two sets of a stream's records: rows, columns, classes and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from trueup.monitoring.stats.words import words_of
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

FEWEST = 3  # records that a word stands in before it is named: rarer ones are typing errors and names
MOST_WORDS = 25


@dataclass(frozen=True, kw_only=True)
class RowsMoved:
    """Counts of records by id. kept: in both. changed, relabelled: of the kept, with other content or another label."""

    before: int
    now: int
    came: int
    went: int
    kept: int
    changed: int
    relabelled: int


@dataclass(frozen=True, kw_only=True)
class ColumnMoved:
    """A column of both sides; the label of a regression is one, "label".

    missing: shares in [0, 1]. middle: the median of a number, the words of a text's; the number of levels of what is
    neither. moved: the level whose share moved most, and its shares; empty: none.
    """

    column: str
    kind: str
    missing_before: float | None
    missing_now: float | None
    middle_before: float | None
    middle_now: float | None
    moved: str = ""
    moved_before: float | None = None
    moved_now: float | None = None


@dataclass(frozen=True, kw_only=True)
class ClassMoved:
    """Shares of a class, in [0, 1], of the labelled records; None: that side has none."""

    name: str
    before: float | None
    now: float | None


@dataclass(frozen=True, kw_only=True)
class WordMoved:
    """A word that only one side has, and how many of its records."""

    column: str
    word: str
    records: int


@dataclass(frozen=True, kw_only=True)
class DataDifference:
    """Two sides, the first named before the second. came, went: words of one side alone, the commonest first; of each
    at most `MOST_WORDS`, and how many there are in all."""

    sides: tuple[str, str]
    rows: RowsMoved
    columns: tuple[ColumnMoved, ...]
    classes: tuple[ClassMoved, ...]
    came: tuple[WordMoved, ...]
    went: tuple[WordMoved, ...]
    words_came: int
    words_went: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def data_difference(stream: StreamSettings, sides: tuple[str, str], before: Rows, now: Rows) -> DataDifference:
    """Compare two sets of records; nothing of it is a test, it says what is there."""
    came, words_came = _words(stream, before, now)
    went, words_went = _words(stream, now, before)
    return DataDifference(
        sides=sides,
        rows=_rows(before, now),
        columns=(
            *(_column(c, _kind(stream, c), before.features, now.features) for c in stream.columns),
            *([_column("label", "numeric", before.meta, now.meta)] if stream.is_regression else []),
        ),
        classes=() if stream.is_regression else _classes(before, now),
        came=came,
        went=went,
        words_came=words_came,
        words_went=words_went,
    )


def _rows(before: Rows, now: Rows) -> RowsMoved:
    held = {column: dict(zip(before.meta["id"], before.meta[column], strict=True)) for column in ("content", "label")}
    known = held["content"]
    kept = changed = relabelled = 0
    for record, content, label in zip(now.meta["id"], now.meta["content"], now.meta["label"], strict=True):
        if record in known:
            kept += 1
            changed += content != known[record]
            relabelled += _text(label) != _text(held["label"][record])
    return RowsMoved(
        before=len(before), now=len(now), came=len(now) - kept, went=len(before) - kept, kept=kept,
        changed=int(changed), relabelled=relabelled,
    )  # fmt: skip


def _kind(stream: StreamSettings, column: str) -> str:
    return "text" if column in stream.text else "numeric" if column in stream.numeric else "categorical"


def _column(column: str, kind: str, before: pd.DataFrame, now: pd.DataFrame) -> ColumnMoved:
    # a snapshot of an earlier schema may lack it
    parts = [side[column] if column in side else pd.Series([], dtype=object) for side in (before, now)]
    missing = [float(part.isna().mean()) if len(part) else None for part in parts]
    if kind == "categorical":
        counts = [Counter(map(str, part.dropna())) for part in parts]
        middles = [float(len(count)) if len(part) else None for count, part in zip(counts, parts, strict=True)]
        level, shares = _most_moved(counts)
        return ColumnMoved(
            column=column, kind=kind, missing_before=missing[0], missing_now=missing[1], middle_before=middles[0],
            middle_now=middles[1], moved=level, moved_before=shares[0], moved_now=shares[1],
        )  # fmt: skip
    numbers = [
        part.dropna().map(lambda text: len(str(text).split())) if kind == "text" else part.dropna() for part in parts
    ]
    middles = [float(np.median(part.astype(float))) if len(part) else None for part in numbers]
    return ColumnMoved(
        column=column, kind=kind, missing_before=missing[0], missing_now=missing[1], middle_before=middles[0],
        middle_now=middles[1],
    )  # fmt: skip


def _most_moved(counts: Sequence[Counter[str]]) -> tuple[str, tuple[float | None, float | None]]:
    before, now = (
        {level: n / count.total() for level, n in count.items()} if count else {} for count in counts
    )
    if not before or not now:
        return "", (None, None)
    level = max(sorted({*before, *now}), key=lambda one: abs(now.get(one, 0.0) - before.get(one, 0.0)))
    return level, (before.get(level, 0.0), now.get(level, 0.0))


def _classes(before: Rows, now: Rows) -> tuple[ClassMoved, ...]:
    counts = [Counter(str(label) for label in side.meta["label"] if label is not None) for side in (before, now)]
    return tuple(
        ClassMoved(name=name, before=_share(counts[0], name), now=_share(counts[1], name))
        for name in sorted({*counts[0], *counts[1]})
    )


def _share(count: Counter[str], name: str) -> float | None:
    return count[name] / count.total() if count else None


def _words(stream: StreamSettings, without: Rows, having: Rows) -> tuple[tuple[WordMoved, ...], int]:
    """The words that only the second side has, the commonest first, and how many there are."""
    found: list[WordMoved] = []
    for column in stream.text:
        if column not in without.features or column not in having.features:
            continue
        known: set[str] = set()
        for text in without.features[column].dropna():
            known |= words_of(text)
        counts = Counter(word for text in having.features[column].dropna() for word in words_of(text) - known)
        found += [WordMoved(column=column, word=w, records=n) for w, n in counts.items() if n >= FEWEST]
    found.sort(key=lambda one: (-one.records, one.column, one.word))
    return tuple(found[:MOST_WORDS]), len(found)


def _text(label: object) -> str | None:
    return None if label is None or label != label else str(label)
