"""Whether a file's columns, and the schema itself, can be followed: asked before any row is read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from trueup.feedback.class_rules import class_rules
from trueup.feedback.times.time_check import check_time_formats
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.stream import OrderTime, SentPrediction, StreamSettings
from trueup.storage.timepoints import utc


def required_columns(stream: StreamSettings) -> tuple[str, ...]:
    """Every column without which a file of records cannot be taken in, in the order of the schema."""
    named = (stream.id, *stream.time_columns, *stream.features, *stream.group)
    return tuple(dict.fromkeys(c for c in named if c))


def expected_columns(stream: StreamSettings) -> tuple[str, ...]:
    """Every column that the schema speaks of: the required, slices, the user's, the label's, a sent prediction's."""
    label = (stream.label.column, stream.label.arrived)
    named = (*required_columns(stream), *stream.slices, stream.user, *label, *stream.prediction.columns)
    return tuple(dict.fromkeys(c for c in named if c))


def as_brought(stream: StreamSettings, columns: Sequence[str], name: str) -> tuple[StreamSettings, tuple[str, ...]]:
    """The schema as a file with these columns can follow it, and what it lacks, in sentences.

    Without the label's column its records are unlabelled; without a slice that is missing in them; without the user's
    they are nobody's; without the prediction's nobody answered them yet.

    Raises:
        InputError: the label is there, but not since when it is known: taken as known at once, it would leak.
    """
    label = stream.label
    lacking = [c for c in stream.slices if c not in columns]
    notes = [f"{name} has no column '{column}' (a slice); its records are stored without it" for column in lacking]
    if stream.user and stream.user not in columns:
        notes.append(f"{name} has no column '{stream.user}' (the user); trueup erase --user does not find its records")
    if label.column and label.column not in columns:
        notes.append(f"{name} has no column '{label.column}' (the label); its records are stored without a label")
        stream = stream.model_copy(update={"label": label.model_copy(update={"column": "", "arrived": ""})})
    elif label.arrived and label.arrived not in columns:
        raise InputError(
            f"{name}: column '{label.arrived}' (since when the label is known) is missing, while the label "
            f"'{label.column}' is there: labels would count before they were known. Nothing was stored. Add the "
            "column, or leave the label out of the file."
        )
    sent = stream.prediction
    if sent.column and sent.column not in columns:
        notes.append(f"{name} has no column '{sent.column}' (the prediction); its records have no prediction yet")
        stream = stream.model_copy(update={"prediction": SentPrediction()})
    else:
        absent = [c for c in sent.columns if c not in columns]
        notes += [f"{name} has no column '{c}' (of the prediction); its records are stored without it" for c in absent]
    return stream, tuple(notes)


def check_schema(stream: StreamSettings) -> None:
    """Refuse a schema that intake cannot follow: when the settings are read, and before any row is.

    Raises:
        ConfigError: a class rule, the time's format, language, zone or start cannot be read, two formats differ,
            or `arrived` stands beside a time by intake order.
    """
    class_rules(stream.label)
    check_time_formats(stream.time_format, stream.time_locale, stream.time_zone)
    check_time_formats(stream.feedback.time_format, stream.feedback.time_locale, stream.feedback.time_zone)
    if isinstance(stream.time, OrderTime):
        _check_start(stream.time.start)
    if stream.label.arrived and isinstance(stream.time, OrderTime):
        raise ConfigError(
            f"label.arrived = '{stream.label.arrived}' cannot be used: the stream's time is the order of intake, with "
            "which a time by the clock cannot be compared; leave arrived out, or name a time column"
        )


def _check_start(start: str) -> None:
    try:
        utc(datetime.fromisoformat(start))
    except (ValueError, OverflowError):
        raise ConfigError(
            f"time.start = '{start}' is not a time, so no row could be dated; write ISO 8601, such as 1996-05-07 or "
            "1996-05-07T00:30:00"
        ) from None
