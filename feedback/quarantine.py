"""What was refused: to look at, and to release once the schema, or the record it speaks of, has come right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.feedback.chunks import chunk_of, row_of
from trueup.feedback.feedback_items import validate_feedback
from trueup.feedback.validation import Reason, validate
from trueup.storage.errors import InputError
from trueup.storage.incoming import Appended, QuarantineItem, Refused
from trueup.storage.records.appending import RecordStore
from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class Release:
    """What became of an item: stored, or still refused for `reason` with its `detail`."""

    id: str
    released: bool
    reason: str = ""
    detail: str = ""


def quarantined_item(store: RecordStore, stream: StreamSettings, item_id: str) -> QuarantineItem:
    """One refused item with its raw content.

    Raises:
        InputError: the stream's quarantine holds no such item.
    """
    item = store.quarantine.item(stream, item_id)
    if item is None:
        raise InputError(
            f"The quarantine of '{stream.name}' holds no item '{item_id}'; nothing was released. "
            f"See: trueup quarantine list --stream {stream.name}"
        )
    return item


def release_all(store: RecordStore, stream: StreamSettings, item_ids: Sequence[str], *, now: datetime) -> list[Release]:
    """Judge several items anew, in their order.

    Raises:
        InputError: one of them is not there; then none was released.
    """
    for item_id in item_ids:
        quarantined_item(store, stream, item_id)
    return [release(store, stream, item_id, now=now) for item_id in item_ids]


def release(store: RecordStore, stream: StreamSettings, item_id: str, *, now: datetime) -> Release:
    """Judge an item anew by today's schema; store it if it holds, else say why it is still refused.

    An item whose row is stored by now (it was sent again, corrected to the same row) counts as released. One whose
    record or user was erased is deleted.

    Raises:
        InputError: there is no such item.
    """
    item = quarantined_item(store, stream, item_id)
    if item.released_at is not None:
        return Release(item.id, released=True)
    outcome, refused = _store_again(store, stream, item, now)
    if outcome.accepted or outcome.duplicate or outcome.revised:
        store.quarantine.mark_released(stream, item.id, now)
        return Release(item.id, released=True)
    if outcome.erased:
        store.quarantine.forget(stream, item.id)
        return Release(item.id, False, "erased", "its record or user was erased, so the item was deleted")
    return Release(item.id, False, refused.reason, refused.detail)


def _store_again(
    store: RecordStore, stream: StreamSettings, item: QuarantineItem, now: datetime
) -> tuple[Appended, Refused]:
    """What the store made of the item, and why it is refused where it is."""
    as_before = Refused(item.line, item.reason, item.detail, item.raw)
    if item.reason == Reason.BROKEN_LINE:
        detail = f"{item.detail}; a broken line cannot be released: correct it at its source and ingest it again"
        return Appended(), Refused(item.line, item.reason, detail, item.raw)
    chunk = chunk_of([row_of(item.raw)], [item.line])
    source = f"quarantine {item.id}"
    if item.kind == "feedback":
        said = validate_feedback(stream, chunk, now)
        if said.refused:
            return Appended(), said.refused[0]
        return store.append_feedback(stream, said.items, [], source=source, now=now), as_before
    rows = validate(stream, chunk, now, store.hashed(stream))
    if rows.refused:
        return Appended(), rows.refused[0]
    # A row that passes here can still stand against a stored one, which only the store knows.
    return store.append(stream, rows.accepted, [], source=source, now=now), _conflict(item, as_before)


def _conflict(item: QuarantineItem, as_before: Refused) -> Refused:
    if item.reason == Reason.CONFLICT:
        return as_before
    detail = (
        "a record with this id is already stored with other content, and it is kept; to change its label, send "
        "feedback, and to store this record too, give it another id"
    )
    return Refused(item.line, Reason.CONFLICT.value, detail, item.raw)
