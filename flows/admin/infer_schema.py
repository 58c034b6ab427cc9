"""What each column of a file seems to be, for a first `trueup.toml` that a person corrects."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.resources import files
from itertools import combinations, islice

import numpy as np
import pandas as pd

from trueup.feedback.readers import opened
from trueup.feedback.times.fitting import fitting_formats
from trueup.feedback.times.reading import read_times
from trueup.feedback.times.time_columns import joined
from trueup.feedback.times.time_formats import ISO, grain
from trueup.feedback.values import number, plain
from trueup.flows.admin.late_parts import late_part_in
from trueup.flows.admin.settings_template import ORDER_STEP, Guess, stream_toml
from trueup.monitoring.lateness import LatePart
from trueup.storage.errors import InputError

_CHUNKS = 10           # of 5,000 rows: what is looked at
_WINDOW = 500          # records, where the rows are no series
_PAIRS = 2000          # of numeric columns that are held against the answer
_MOSTLY = 0.9          # of a column's values: so many that are times make it a time
_LABELS_NEEDED = 200   # `min_labels` as it stands by default
_LEVELS = 31           # a number with more distinct values than a month has days is a quantity
_TIME = re.compile(r"^(at|time|date|timestamp|created|submitted|posted)|_at$|time$|date$", re.IGNORECASE)
_ID = re.compile(r"(^|[_\s-])(id|uuid|guid|key)$|[a-z](Id|ID|UUID)$", re.IGNORECASE)
_HOUR = re.compile(r"^(hr|hour)s?$", re.IGNORECASE)
_LABELS = ("label", "target", "class", "sentiment", "outcome", "score", "stars", "rating", "ratings", "y")
_TEXT = re.compile(r"text|content|review|comment|body|title|summary|message|feedback", re.IGNORECASE)
_VERSION = re.compile(r"version|release|build|platform", re.IGNORECASE)
# Why a column is left out, by its name.
_LEFT_OUT = (
    (re.compile(r"vote|thumb|like|helpful|upvot|downvot", re.IGNORECASE),
     "a count made later than the prediction: it knows the future"),
    (re.compile(r"^(user|author|reviewer|customer|person|name|nick)|e-?mail|phone|address|place|city", re.IGNORECASE),
     "says who or where a person is"),
    (re.compile(r"repl(y|ied)|respon[sd]", re.IGNORECASE), "an answer to the record, so later than it"),
)


@dataclass(frozen=True)
class _Column:
    """What a sample says of a column: its values without the missing ones, as text and, where all are, as numbers."""

    name: str
    texts: tuple[str, ...]
    distinct: int
    numbers: np.ndarray | None
    formats: tuple[str, ...]      # time formats that read it; several mean that it is ambiguous
    mixed: tuple[str, ...] = ()   # a value of the only one of `formats` and one of another: the column mixes them

    @property
    def whole(self) -> bool:
        return self.numbers is not None and bool(np.all(self.numbers == np.round(self.numbers)))

    @property
    def words(self) -> float:
        return float(np.mean([len(t.split()) for t in self.texts[:2000]])) if self.texts else 0.0


def template() -> str:
    """The text of a commented `trueup.toml` with every key, for a stream of reviews."""
    return files("trueup.flows.admin").joinpath("template.toml").read_text(encoding="utf-8")


def guess_stream(path: str, name: str) -> str:
    """The text of a commented `trueup.toml` for one stream, its columns guessed from a file's first 50,000 rows.

    An ambiguous time is left for a person to decide, with the formats that it could be.

    Raises:
        InputError: the file cannot be read, or its fields are not separated by commas.
    """
    with opened(path, ()) as source:
        sign = next((s for s in ";\t|" if s in source.columns[0]), None) if len(source.columns) == 1 else None
        if sign:
            raise InputError(
                f"{path}: the header is one single column, since its fields are separated by {sign!r}. Nothing was "
                "written. Save the file with commas between the fields, and with a point in numbers, then try again."
            )
        chunks = list(islice(source.chunks(), _CHUNKS))
    table = pd.concat([chunk.table for chunk in chunks], ignore_index=True) if chunks else pd.DataFrame()
    typed = chunks[0].typed if chunks else frozenset()
    columns = [_column(str(c), table[c], typed=c in typed) for c in table.columns]
    guess = _clock(Guess(rows=len(table)), columns)
    guess = _arrived(_label(guess, columns), columns, table)
    guess = _features(guess, columns)
    step = None if guess.text else _step(guess, table)
    late = _late(guess, table)
    return stream_toml(replace(guess, series=step is not None, window=_window(step, len(table)), late=late), name)


def _column(name: str, values: pd.Series, *, typed: bool) -> _Column:
    texts = tuple(t for v in values if (t := plain(v)) is not None)
    numbers = [number(t) for t in texts]
    every = np.array(numbers, dtype=float) if texts and None not in numbers else None
    formats, mixed = ((ISO,), ()) if typed else _formats(texts, every)
    return _Column(name, texts, len(set(texts)), every, formats, mixed)


def _formats(texts: tuple[str, ...], numbers: np.ndarray | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The formats that read every value of a sample spread over the column.

    Where none does and most values are times: the commonest, with a value that it reads and one of another format.
    """
    sample = np.array(texts[:: max(1, len(texts) // 500)], dtype=object)
    if not len(sample) or (numbers is not None and not all(len(t) == 8 and t[:2] in ("19", "20") for t in sample)):
        return (), ()
    fitting = tuple(f for f in fitting_formats(sample[0]) if not np.isnat(read_times(sample, f).last).any())
    if fitting or not all(fitting_formats(t) for t in sample[:5]):
        return fitting, ()
    found = [fitting_formats(t) for t in sample]
    if sum(map(bool, found)) < _MOSTLY * len(sample):
        return (), ()
    commonest = Counter(f for fits in found for f in fits).most_common(1)[0][0]
    own = [t for t, fits in zip(sample, found, strict=True) if commonest in fits]
    foreign = [t for t, fits in zip(sample, found, strict=True) if fits and commonest not in fits]
    return (commonest,), (own[0], foreign[0]) if foreign else ()


def _clock(guess: Guess, columns: Sequence[_Column]) -> Guess:
    """The id and the time: of several times the fullest, then the one that is called so, then the first."""
    ids = [c for c in columns if c.distinct == guess.rows and _ID.search(c.name) and c.words < 2]
    times = sorted(
        (c for c in columns if c.formats), key=lambda c: (bool(c.mixed), -len(c.texts), not _TIME.search(c.name))
    )
    if not times:
        return replace(guess, id=ids[0].name if ids else "")
    chosen = times[0]
    hours = [c for c in columns if _HOUR.match(c.name) and c.whole and c.numbers is not None and c.numbers.max() < 24]
    daily = len(chosen.formats) == 1 and (grain(chosen.formats[0]) if chosen.formats[0] else _iso_grain(chosen)) == "D"
    if daily and hours and chosen.formats == (ISO,):
        return replace(guess, id=ids[0].name if ids else "", time=(chosen.name, hours[0].name), formats=(ISO,))
    return replace(
        guess, id=ids[0].name if ids else "", time=(chosen.name,), formats=chosen.formats, mixed=chosen.mixed
    )


def _step(guess: Guess, table: pd.DataFrame) -> timedelta | None:
    """The step of a time series: rows in order, mostly that far apart, or without a clock at all; None: it is none."""
    if not guess.time:
        return ORDER_STEP
    texts = joined(table, guess.time)
    steps = np.diff(read_times(texts, guess.formats[0]).last).astype(np.int64)
    sizes, counts = np.unique(steps[steps > 0], return_counts=True)
    if not len(counts) or counts.max() <= 0.8 * len(steps):
        return None
    return timedelta(microseconds=int(sizes[counts.argmax()]))


def _window(step: timedelta | None, rows: int) -> str:
    """Records, or for a series whole weeks, so that every window holds the same weekdays.

    Of as many records as a metric needs labels, but so that ten fit into the history; of 30 in any case.
    """
    if step is None:
        return str(_WINDOW)
    week = timedelta(days=7)
    weeks = min(math.ceil(_LABELS_NEEDED * step / week), rows * step // (10 * week))
    return f'"{7 * max(weeks, math.ceil(30 * step / week))}d"'


def _late(guess: Guess, table: pd.DataFrame) -> LatePart | None:
    if len(guess.formats) != 1 or guess.mixed:
        return None
    times = read_times(joined(table, guess.time), guess.formats[0]).last
    return late_part_in(table, times, (*guess.categorical, *guess.slices), _WINDOW)


def _iso_grain(column: _Column) -> str:
    return "D" if all(len(t) == 10 for t in column.texts) else ""


def _label(guess: Guess, columns: Sequence[_Column]) -> Guess:
    """The answer: a column that is called so, else the last one, if it is a number or a class."""
    free = [c for c in columns if c.name not in (guess.id, *guess.time) and not c.formats and c.distinct > 1]
    named = sorted((c for c in free if c.name.lower() in _LABELS), key=lambda c: _LABELS.index(c.name.lower()))
    last = [c for c in free[-1:] if c is columns[-1] and (c.numbers is not None or c.distinct <= 20)]
    for column in [*named, *last]:
        stars = column.whole and column.numbers is not None and set(column.numbers) <= {1, 2, 3, 4, 5}
        many = column.numbers is not None and column.distinct > 20
        return replace(guess, label=column.name, stars=stars and column.distinct > 2, regression=many)
    return guess


def _arrived(guess: Guess, columns: Sequence[_Column], table: pd.DataFrame) -> Guess:
    """A second time that nearly always comes after the record's: since then its label is known."""
    if len(guess.time) != 1 or not guess.label:
        return guess
    start = read_times(table[guess.time[0]].map(plain), guess.formats[0]).last
    for column in columns:
        if not column.formats or column.name in guess.time:
            continue
        later = read_times(table[column.name].map(plain), column.formats[0]).last
        both = ~np.isnat(start) & ~np.isnat(later)
        if set(column.formats) & {ISO, guess.formats[0]} and both.any() and (later[both] >= start[both]).mean() > 0.8:
            return replace(guess, arrived=column.name)
    return guess


def _features(guess: Guess, columns: Sequence[_Column]) -> Guess:
    """What a model may learn from, and why it may not from the rest."""
    parts = _parts_of(guess, columns)
    found: dict[str, list[str]] = {"text": [], "numeric": [], "categorical": [], "slices": []}
    left: list[tuple[str, str]] = []
    for column in columns:
        if column.name in (guess.id, guess.label, guess.arrived) or column.name == "".join(guess.time[:1]):
            continue
        kind = _kind(column, guess.rows)
        why = parts.get(column.name) or next((w for p, w in _LEFT_OUT if p.search(column.name)), None)
        if why or kind not in found:
            left.append((column.name, why or kind))
        else:
            found[kind].append(column.name)
    return replace(guess, **{k: tuple(v) for k, v in found.items()}, left=tuple(left))  # type: ignore[arg-type]


def _kind(column: _Column, rows: int) -> str:
    """text, numeric, categorical or slices; else the reason why it is none of them."""
    if column.distinct < 2:
        return "it has one value only"
    if column.formats:
        return "another time"
    if column.numbers is not None:
        if column.whole and len(column.numbers) == rows and np.all(np.diff(column.numbers) == 1):
            return "the row number"
        return "categorical" if column.whole and column.distinct <= _LEVELS else "numeric"
    if _VERSION.search(column.name):
        return "slices"
    if column.distinct == rows and column.words < 2:
        return "every row has its own value"
    if column.words >= 3 or (_TEXT.search(column.name) and column.distinct > 20):
        return "text"
    return "categorical" if column.distinct <= 50 else f"{column.distinct} values, too many for a category"


def _parts_of(guess: Guess, columns: Sequence[_Column]) -> dict[str, str]:
    """Columns that give the answer away: two numbers that add up to it."""
    numbers = {c.name: c.numbers for c in columns if c.numbers is not None and len(c.numbers) == guess.rows}
    answer = numbers.pop(guess.label, None) if guess.regression else None
    for a, b in islice(combinations(numbers, 2), _PAIRS):
        if answer is not None and np.array_equal(numbers[a] + numbers[b], answer):
            return dict.fromkeys((a, b), f"'{a}' and '{b}' add up to '{guess.label}', the answer")
    return {}
