"""Which rows go into the store, and why the others do not. Pure: no file, no clock, no store.

Text is kept as it came, except NUL characters, which PostgreSQL cannot store and no reader can see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np

from trueup.feedback.chunks import Chunk, object_array
from trueup.feedback.exact import Ruined
from trueup.feedback.labels import HUGE, labelled, resolve
from trueup.feedback.missing_marks import marks_of
from trueup.feedback.nested import Nested, first_field
from trueup.feedback.number_notation import number_columns, otherwise_written, with_points
from trueup.feedback.row_ids import hashed_ids
from trueup.feedback.schema_check import expected_columns
from trueup.feedback.text_table import TextTable
from trueup.feedback.times.time_columns import arrivals, event_times, joined
from trueup.feedback.times.time_formats import declared_format
from trueup.feedback.values import MISSING_NUMBER, encodable, escaped, infinite, number, plain
from trueup.storage.arrow_columns import table_of
from trueup.storage.incoming import Incoming, Refused
from trueup.storage.row_ids import HashedColumns, hashed_columns
from trueup.storage.stream import OrderTime, StreamSettings
from trueup.storage.timepoints import utc

MAX_TEXT = 100_000                   # characters of any one value
MAX_ID = 500                         # a longer id does not fit an index of PostgreSQL
MAX_VERSION = 200                    # a longer name of a version does not fit MLflow
FUTURE = timedelta(days=1)           # clocks of senders run ahead by hours, not by more


class Reason(StrEnum):
    """Why a row was refused; the codes are stable. conflict and unknown_record are decided by the store."""

    BROKEN_LINE = "broken_line"          # no row can be made of the line
    BAD_UNICODE = "bad_unicode"          # bytes that are no UTF-8, or half a surrogate pair
    TOO_LONG = "too_long"                # a value longer than MAX_TEXT, an id than MAX_ID, a version than MAX_VERSION
    NO_ID = "no_id"                      # the id column is empty
    NO_TEXT = "no_text"                  # every text column is empty
    NO_FEATURES = "no_features"          # every feature is missing
    WRONG_TYPE = "wrong_type"            # no finite number in a numeric column, none within HUGE in a label
    UNREADABLE_TIME = "unreadable_time"  # empty, or not in the declared format
    TIME_TOO_EARLY = "time_too_early"    # before 1970, where no record of any stream is: a clock that was never set
    TIME_IN_FUTURE = "time_in_future"    # it begins more than FUTURE after now: it would hold up every window
    UNKNOWN_KIND = "unknown_kind"        # feedback of a kind that is not known
    NO_VALUE = "no_value"                # feedback that says nothing
    NO_CLASS = "no_class"                # a corrected label, or a sent prediction, that is no class of the stream
    CONFLICT = "conflict"
    UNKNOWN_RECORD = "unknown_record"


@dataclass(frozen=True)
class Validated:
    """What a chunk came to: the rows that go in, and those that do not."""

    accepted: Incoming
    refused: tuple[Refused, ...]


class _Faults:
    """The first fault of each row, in the order in which they are looked for."""

    def __init__(self, rows: int) -> None:
        self.reason = np.full(rows, None, dtype=object)
        self.detail = np.full(rows, "", dtype=object)

    def add(self, where: np.ndarray, reason: Reason, detail: str, values: np.ndarray | None = None) -> None:
        """Mark rows; `{}` in the detail stands for the row's value."""
        for k in np.flatnonzero(where & (self.reason == None)):  # noqa: E711  elementwise
            self.reason[k] = reason
            self.detail[k] = detail if values is None else detail.replace("{}", _shown(values[k]))


def validate(stream: StreamSettings, chunk: Chunk, now: datetime, hashed: HashedColumns | None = None) -> Validated:
    """Split a chunk of raw rows into what goes into the store and what is refused, each with its first fault.

    Numbers that are blank (or say so: nan, null, NA) are missing, not wrong. `now` judges times in the future.
    `hashed` is what an id is a hash of where rows have none; None: what the stream declares.
    """
    rows = len(chunk)
    faults = _Faults(rows)
    _check_kinds(stream, chunk.table, faults)
    chunk = with_points(stream.format, chunk, number_columns(stream))
    table = _cleaned(stream, chunk.table, faults)
    whole = Chunk(table, chunk.lines, chunk.raw, chunk.broken, chunk.typed)
    ids = _ids(stream, table, faults) if stream.id else None
    if stream.text:
        empty = np.logical_and.reduce([_blank(table[c]) for c in stream.text])
        faults.add(empty, Reason.NO_TEXT, f"no text: {_named(stream.text)} is empty")
    times = _times(stream, whole, faults, now)
    if ids is None:
        ids = hashed_ids(hashed or hashed_columns(stream), stream, chunk.table, times)
    labels, known_at = _labels(stream, whole, times, faults)
    _predictions(stream, table, faults)
    # Numbers last: a column may be both a feature and part of the time, which is read from its text.
    numbers = {c: _numbers(c, table[c], faults) for c in stream.numeric}
    absent = {c: np.isnan(numbers[c]) if c in numbers else table[c] == None for c in stream.features}  # noqa: E711
    missing = np.logical_and.reduce(list(absent.values()))
    faults.add(missing, Reason.NO_FEATURES, f"no features: {_named(stream.features)} are all empty")
    good = np.flatnonzero(faults.reason == None)  # noqa: E711
    accepted = Incoming(
        ids=ids[good],
        times=times[good] if len(times) else times,
        table=table_of({c: values[good] for c, values in table.with_columns(numbers).columns.items()}),
        labels=labels[good],
        known_at=known_at[good],
        labelled=labelled(stream, labels[good], known_at[good]),
        lines=chunk.lines[good],
        raw=chunk.raw.take(good),
    )
    bad = np.flatnonzero(faults.reason != None)  # noqa: E711
    refused = [
        Refused(int(chunk.lines[k]), faults.reason[k].value, faults.detail[k], chunk.raw[k], _moment(times, k, now))
        for k in map(int, bad)
    ]
    return Validated(accepted, tuple(sorted([*chunk.broken, *refused], key=lambda r: r.line)))


def _check_kinds(stream: StreamSettings, table: TextTable, faults: _Faults) -> None:
    """Mark cells that are no value of their column: an object, a number in another notation, an id that Excel cut."""
    numbers = number_columns(stream)
    for column in expected_columns(stream):
        if column not in table:
            continue
        values = table[column]
        kinds = set(map(type, values))
        if Nested in kinds:
            objects = np.array([isinstance(v, Nested) for v in values], dtype=bool)
            example = next((field for v in values[objects] if (field := first_field(v))), "")
            advice = f"name one of its fields, such as '{column}.{example}'" if example else "send single values"
            detail = f"column '{column}' must hold a single value, not an object or a list ({{}}); {advice}"
            faults.add(objects, Reason.WRONG_TYPE, detail, values)
        if Ruined in kinds and column not in (*numbers, *stream.time_columns, stream.label.arrived):
            cut = np.array([isinstance(v, Ruined) for v in values], dtype=bool)
            detail = f"column '{column}': Excel rounded '{{}}' to 15 digits; export the column as text"
            faults.add(cut, Reason.WRONG_TYPE, detail, values)
        if column in numbers:
            marks = f"decimal '{stream.format.decimal}' and thousands '{stream.format.thousands}'"
            detail = f"column '{column}': '{{}}' is not a number with {marks}, as the stream's format says"
            faults.add(otherwise_written(stream.format, values), Reason.WRONG_TYPE, detail, values)


def _cleaned(stream: StreamSettings, table: TextTable, faults: _Faults) -> TextTable:
    """Every column, NUL taken out of text, all else written plainly, without what stands for no value.

    Of declared columns, values that cannot be stored are marked; of others they are written out.
    """
    declared = expected_columns(stream)
    cleaned = {}
    for column in dict.fromkeys([*table.columns, *declared]):
        values: list[str | None] = table[column].tolist() if column in table else [None] * len(table)
        present = "".join(v for v in values if v is not None)
        if not present.isascii() and not encodable(present):
            wrong = np.array([v is not None and not encodable(v) for v in values], dtype=bool)
            if column in declared:
                detail = f"column '{column}' holds characters that are not valid UTF-8; export it again as UTF-8"
                faults.add(wrong, Reason.BAD_UNICODE, detail)
            else:
                values = [escaped(v) if bad and v is not None else v for v, bad in zip(values, wrong, strict=True)]
        if len(present) > MAX_TEXT and column in declared:
            long = np.array([v is not None and len(v) > MAX_TEXT for v in values], dtype=bool)
            faults.add(long, Reason.TOO_LONG, f"column '{column}' is longer than {MAX_TEXT:,} characters")
        if "\x00" in present:
            values = [None if v is None else v.replace("\x00", "") or None for v in values]
        write = _as_text if column in stream.text else plain
        values = [write(v) for v in values]
        if column in declared and (marks := marks_of(stream, column)):
            values = [None if v is None or marks.mark(v) else v for v in values]
        cleaned[column] = object_array(values)
    return TextTable(cleaned, len(table))


def _as_text(value: str | None) -> str | None:
    return None if value is None else str(value)


def _ids(stream: StreamSettings, table: TextTable, faults: _Faults) -> np.ndarray:
    """Each row's own id."""
    ids = table[stream.id]
    faults.add(_blank(ids), Reason.NO_ID, f"column '{stream.id}' (the id) is empty")
    long = np.array([v is not None and len(v) > MAX_ID for v in ids], dtype=bool)
    faults.add(long, Reason.TOO_LONG, f"column '{stream.id}' (the id) is longer than {MAX_ID} characters")
    return ids


def _numbers(column: str, values: np.ndarray, faults: _Faults) -> np.ndarray:
    """float64 of shape (n,), NaN where missing; what is no finite number is marked."""
    numbers = np.array([np.nan if v is None else number(v) for v in values], dtype=float)
    said = np.array([v is not None and v.lower() not in MISSING_NUMBER for v in values], dtype=bool)
    wrong = np.isnan(numbers) & said
    faults.add(wrong, Reason.WRONG_TYPE, f"column '{column}' must be a finite number, not '{{}}'", values)
    return numbers


def _times(stream: StreamSettings, chunk: Chunk, faults: _Faults, now: datetime) -> np.ndarray:
    """Event times, or an empty array where the store gives them by intake order."""
    if isinstance(stream.time, OrderTime):
        return np.empty(0, dtype="datetime64[us]")
    times = event_times(stream, chunk)
    texts = joined(chunk.table, stream.time_columns)
    column = "', '".join(stream.time_columns)
    declared = declared_format(stream.time_format)
    faults.add(_blank(texts), Reason.UNREADABLE_TIME, f"column '{column}' (the time) is empty")
    skipped = f"column '{column}': the time '{{}}' does not exist: the clocks of its zone skip that hour"
    faults.add(times.skipped, Reason.UNREADABLE_TIME, skipped, texts)
    disputed = f"column '{column}': '{{}}' has a different meaning in each of {declared}"
    faults.add(times.disputed, Reason.UNREADABLE_TIME, disputed, texts)
    unread = f"column '{column}': '{{}}' does not follow {declared}"
    faults.add(np.isnat(times.last), Reason.UNREADABLE_TIME, unread, texts)
    earlier = f"column '{column}': '{{}}' is before 1970; the sender's clock was probably never set"
    faults.add(times.last < np.datetime64(0, "us"), Reason.TIME_TOO_EARLY, earlier, texts)
    latest = np.datetime64(utc(now + FUTURE).replace(tzinfo=None), "us")
    faults.add(times.first > latest, Reason.TIME_IN_FUTURE, f"column '{column}': '{{}}' is in the future", texts)
    return times.last


def _moment(times: np.ndarray, k: int, now: datetime) -> datetime | None:
    """A row's own time, where it has one that can be."""
    if not len(times) or np.isnat(times[k]) or times[k] < np.datetime64(0, "us"):
        return None
    moment: datetime = times[k].astype("datetime64[us]").item().replace(tzinfo=UTC)
    return moment if moment <= now + FUTURE else None


def _labels(stream: StreamSettings, chunk: Chunk, times: np.ndarray, faults: _Faults) -> tuple[np.ndarray, np.ndarray]:
    """Raw labels (None where missing), and since when each is known (NaT where it is not, or time is intake order)."""
    unknown = np.full(len(chunk), np.datetime64("NaT", "us"))
    if not stream.label.column:
        return object_array([None] * len(chunk)), unknown
    labels = chunk.table[stream.label.column]
    if stream.is_regression:
        numbers = _numbers(stream.label.column, labels, faults)
        beyond = f"column '{stream.label.column}' (the label) must lie within ±{HUGE:g}, not '{{}}'"
        faults.add(np.abs(numbers) > HUGE, Reason.WRONG_TYPE, beyond, labels)
        labels = np.where(np.isnan(numbers), np.array(None, object), labels)
    elif stream.label.column in number_columns(stream):
        beyond_all = {v for v in set(labels) if v is not None and infinite(v)}
        unbounded = np.array([v in beyond_all for v in labels], dtype=bool)
        said = f"column '{stream.label.column}' (the label) must be a finite number, not '{{}}'"
        faults.add(unbounded, Reason.WRONG_TYPE, said, labels)
    if isinstance(stream.time, OrderTime):
        return labels, unknown
    known_at = times
    if stream.label.arrived:
        texts, arrived = joined(chunk.table, [stream.label.arrived]), arrivals(stream, chunk).last
        wrong = np.isnat(arrived) & ~_blank(texts)
        detail = f"column '{stream.label.arrived}' (when the label was known): '{{}}' cannot be read as a time"
        faults.add(wrong, Reason.UNREADABLE_TIME, detail, texts)
        known_at = np.maximum(times, arrived)
    return labels, np.where(_blank(labels), unknown, known_at)


def _predictions(stream: StreamSettings, table: TextTable, faults: _Faults) -> None:
    """Mark what a service sent as its answer and is none; an empty one says that it has not answered."""
    sent = stream.prediction
    if not sent.column:
        return
    answers = table[sent.column]
    wrong = ~_blank(answers) & (resolve(stream, answers) == None)  # noqa: E711  elementwise
    reason, what = Reason.NO_CLASS, f"matches no class of the stream ({', '.join(stream.label.classes)})"
    if stream.is_regression:
        reason, what = Reason.WRONG_TYPE, f"is not a number within ±{HUGE:g}"
    faults.add(wrong, reason, f"column '{sent.column}' (the prediction): '{{}}' {what}", answers)
    if sent.score:
        scores = table[sent.score]
        chances = _numbers(sent.score, scores, faults)
        beyond = f"column '{sent.score}' (the prediction's score) must be a probability from 0 to 1, not '{{}}'"
        faults.add((chances < 0) | (chances > 1), Reason.WRONG_TYPE, beyond, scores)
    if sent.version:
        names = table[sent.version]
        long = np.array([v is not None and len(v) > MAX_VERSION for v in names], dtype=bool)
        detail = f"column '{sent.version}' (the prediction's version) is longer than {MAX_VERSION} characters"
        faults.add(long, Reason.TOO_LONG, detail)


def prediction_faults(stream: StreamSettings, table: TextTable) -> np.ndarray:
    """Where a service sent as its answer what is none, bool of shape (n,)."""
    faults = _Faults(len(table))
    _predictions(stream, table, faults)
    return np.asarray(faults.reason != None)  # noqa: E711  elementwise


def _blank(values: np.ndarray) -> np.ndarray:
    return np.array([v is None or not v.strip() for v in values], dtype=bool)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _named(columns: tuple[str, ...]) -> str:
    return ", ".join(f"'{c}'" for c in columns)
