"""Feedback as it comes in: which items say something about a record, and which are refused. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from trueup.feedback.chunks import Chunk
from trueup.feedback.labels import HUGE, class_names, class_of, quantity
from trueup.feedback.validation import Reason, validate
from trueup.feedback.values import number
from trueup.storage.incoming import FeedbackItem, Refused
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

# The columns of feedback as a schema of their own, so that they are cleaned and dated like those of a record.
FEEDBACK_SCHEMA = StreamSettings(name="feedback", time="at", categorical=("record_id", "kind", "value", "user"))
_THUMBS = {"up": "up", "1": "up", "true": "up", "down": "down", "0": "down", "-1": "down", "false": "down"}


@dataclass(frozen=True)
class ValidatedFeedback:
    """What a chunk of feedback came to."""

    items: tuple[FeedbackItem, ...]
    refused: tuple[Refused, ...]


def validate_feedback(stream: StreamSettings, chunk: Chunk, now: datetime) -> ValidatedFeedback:
    """Split a chunk with the columns record_id, kind, value, user, at. Whether the record exists the store decides."""
    clean = validate(FEEDBACK_SCHEMA, chunk, now)
    items, refused = [], list(clean.refused)
    columns = [clean.accepted.table[c] for c in FEEDBACK_SCHEMA.categorical]
    for k, (record_id, kind, value, user) in enumerate(zip(*columns, strict=True)):
        at = clean.accepted.times[k].item().replace(tzinfo=UTC)
        line, raw = int(clean.accepted.lines[k]), clean.accepted.raw[k]
        said = _judged(stream, record_id, (kind or "").lower(), value)
        if isinstance(said, _Fault):
            refused.append(Refused(line, said.reason.value, said.detail, raw, at))
            continue
        kind = kind.lower()
        identity = "\x1f".join([record_id, kind, said, user or "", str(iso(at))])
        items.append(
            FeedbackItem(
                id=blake2b(identity.encode("utf-8"), digest_size=12).hexdigest(),
                record_id=record_id, kind=kind, value=said, user=user or "", at=at,
                label=said if kind == "label" else None, line=line, raw=raw,
            )
        )
    return ValidatedFeedback(tuple(items), tuple(sorted(refused, key=lambda r: r.line)))


@dataclass(frozen=True)
class _Fault:
    reason: Reason
    detail: str


def _judged(stream: StreamSettings, record_id: str | None, kind: str, value: str | None) -> str | _Fault:
    """The value as it is kept, or what is wrong with it."""
    if record_id is None:
        return _Fault(Reason.NO_ID, "column 'record_id' is empty; say which record is meant")
    if kind not in _KINDS:
        return _Fault(Reason.UNKNOWN_KIND, f"kind '{kind[:60]}' is none of {', '.join(_KINDS)}")
    if value is None:
        return _Fault(Reason.NO_VALUE, "column 'value' is empty")
    return _KINDS[kind](stream, value)


def _label(stream: StreamSettings, value: str) -> str | _Fault:
    if stream.is_regression:
        return value if quantity(value) is not None else _Fault(
            Reason.WRONG_TYPE, f"'{value[:60]}' is no label of a regression: a number within ±{HUGE:g}"
        )
    if class_of(stream.label, value) is not None:
        return value
    return _Fault(
        Reason.NO_CLASS,
        f"'{value[:60]}' is no class of the stream ({', '.join(class_names(stream.label))}) and no value of its rules",
    )


def _thumb(stream: StreamSettings, value: str) -> str | _Fault:
    return _THUMBS.get(value.lower()) or _Fault(Reason.WRONG_TYPE, f"a thumb is up or down, not '{value[:60]}'")


def _number(stream: StreamSettings, value: str) -> str | _Fault:
    return value if number(value) is not None else _Fault(Reason.WRONG_TYPE, f"'{value[:60]}' is not a finite number")


_KINDS: dict[str, Callable[[StreamSettings, str], str | _Fault]] = {
    "label": _label, "thumb": _thumb, "rating": _number, "vote": _number,
}
