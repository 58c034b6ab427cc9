"""Feedback as it comes in: which items say something about a record, and which are refused. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from trueup.feedback.chunks import Chunk
from trueup.feedback.labels import HUGE, class_names, class_of, quantity
from trueup.feedback.ratings import rating
from trueup.feedback.validation import Reason, validate
from trueup.feedback.values import folded, number, plain
from trueup.storage.feedback_mapping import FeedbackMapping
from trueup.storage.incoming import FeedbackItem, Refused
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

_THUMBS = {
    "up": ("up", "1", "+1", "true", "yes", "like", "liked", "good", "positive", "👍"),
    "down": ("down", "0", "-1", "false", "no", "dislike", "disliked", "bad", "negative", "👎"),
}
_THUMB_OF = {word: thumb for thumb, words in _THUMBS.items() for word in words}
_SHADES = dict.fromkeys([0xFE0F, *range(0x1F3FB, 0x1F400)])  # how dark a thumb is drawn
_TRUE = frozenset({"true", "1", "yes"})


@dataclass(frozen=True)
class ValidatedFeedback:
    """What a chunk of feedback came to. silent: rows that say nothing, by the mapping's `cancelled` and `ignore`."""

    items: tuple[FeedbackItem, ...]
    refused: tuple[Refused, ...]
    silent: int = 0


def feedback_schema(mapping: FeedbackMapping) -> StreamSettings:
    """The columns of feedback as a schema of their own, so that they are cleaned and dated like those of a record."""
    return StreamSettings(
        name="feedback",
        time=mapping.time,
        time_format=mapping.time_format,
        time_locale=mapping.time_locale,
        time_zone=mapping.time_zone,
        categorical=mapping.columns,
        format=mapping.format,
    )


def validate_feedback(stream: StreamSettings, chunk: Chunk, now: datetime) -> ValidatedFeedback:
    """Split a chunk of feedback, as the stream's mapping reads it. Whether the record exists the store decides."""
    mapping = stream.feedback
    clean = validate(feedback_schema(mapping), chunk, now)
    items, refused, silent = [], list(clean.refused), 0
    table = clean.accepted.table
    named = (mapping.record, mapping.value, mapping.user)
    given = [table[c].to_pylist() if c else [None] * len(table) for c in named]
    kinds = [mapping.always] * len(table) if mapping.always else table[mapping.kind].to_pylist()
    cancelled = table[mapping.cancelled].to_pylist() if mapping.cancelled else [None] * len(table)
    ignored = {folded(word) for word in mapping.ignore}
    for k, (record_id, value, user, kind, off) in enumerate(zip(*given, kinds, cancelled, strict=True)):
        if (off or "").lower() in _TRUE or (value is not None and folded(value) in ignored):
            silent += 1
            continue
        at = clean.accepted.times[k].item().replace(tzinfo=UTC)
        line, raw = int(clean.accepted.lines[k]), clean.accepted.raw[k]
        kind = (kind or "").lower()
        said = _judged(stream, record_id, kind, value)
        if isinstance(said, _Fault):
            refused.append(Refused(line, said.reason.value, said.detail, raw, at))
            continue
        identity = "\x1f".join([record_id, kind, said, user or "", str(iso(at))])
        items.append(
            FeedbackItem(
                id=blake2b(identity.encode("utf-8"), digest_size=12).hexdigest(),
                record_id=record_id, kind=kind, value=said, user=user or "", at=at,
                label=said if kind == "label" else None, line=line, raw=raw,
            )
        )
    return ValidatedFeedback(tuple(items), tuple(sorted(refused, key=lambda r: r.line)), silent)


@dataclass(frozen=True)
class _Fault:
    reason: Reason
    detail: str


def _judged(stream: StreamSettings, record_id: str | None, kind: str, value: str | None) -> str | _Fault:
    """The value as it is kept, or what is wrong with it."""
    if record_id is None:
        return _Fault(Reason.NO_ID, f"column '{stream.feedback.record}' (the record's id) is empty")
    if kind not in _KINDS:
        return _Fault(Reason.UNKNOWN_KIND, f"kind '{kind[:60]}' is not one of {', '.join(_KINDS)}")
    if value is None:
        return _Fault(Reason.NO_VALUE, f"column '{stream.feedback.value}' (the value) is empty")
    return _KINDS[kind](stream, value)


def _label(stream: StreamSettings, value: str) -> str | _Fault:
    if stream.is_regression:
        said = _number(stream, value)
        return said if isinstance(said, str) and quantity(said) is not None else _Fault(
            Reason.WRONG_TYPE, f"'{value[:60]}' cannot be a label of a regression, which is a number within ±{HUGE:g}"
        )
    if class_of(stream.label, value) is not None:
        return value
    return _Fault(
        Reason.NO_CLASS,
        f"'{value[:60]}' matches no class of the stream ({', '.join(class_names(stream.label))})",
    )


def _thumb(stream: StreamSettings, value: str) -> str | _Fault:
    thumb = _THUMB_OF.get(value.translate(_SHADES).lower())
    return thumb or _Fault(Reason.WRONG_TYPE, f"'{value[:60]}' is not a thumb: write up or down")


def _number(stream: StreamSettings, value: str) -> str | _Fault:
    if number(value) is not None:
        return value
    found = rating(value)
    said = f"'{value[:60]}' is neither a finite number nor a rating such as 4,5 or 5/5"
    return str(plain(repr(found[0]))) if found else _Fault(Reason.WRONG_TYPE, said)


_KINDS: dict[str, Callable[[StreamSettings, str], str | _Fault]] = {
    "label": _label, "thumb": _thumb, "rating": _number, "vote": _number,
}
