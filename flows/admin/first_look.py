"""What settings make of the file they were written from: its first records, what they refuse, what is next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from trueup.feedback.chunks import Chunk, RawRows
from trueup.feedback.inference.summary import TableSummary
from trueup.feedback.labels import resolve
from trueup.feedback.row_ids import EqualRows
from trueup.feedback.text_table import TextTable
from trueup.feedback.validation import validate
from trueup.storage.incoming import Incoming
from trueup.storage.row_ids import hashed_columns
from trueup.storage.stream import OrderTime, StreamSettings

_SHOWN = 3          # records
_FIRST_LABELS = 1000  # of a first champion, where the file has twice as many


@dataclass(frozen=True)
class FirstRecord:
    """One record as the settings read it; time: None where the intake order is the time. text: of its features."""

    time: datetime | None
    label: str | None
    text: str


@dataclass(frozen=True)
class WouldRefuse:
    """Rows of a reason; `detail` is that of the first of them."""

    reason: str
    rows: int
    detail: str


@dataclass(frozen=True)
class FirstLook:
    """records: the first that are taken. looked_at: rows, of which `refused` would go to quarantine, by reason, and
    `repeats` equal an earlier one in all that is declared, where no id tells them apart.

    labels: class → records, or {"": labelled} of a regression. unmatched: the commonest label values that match no
    class, with their records. ready: the day by which a first champion would have enough labels, if the file has them.
    """

    records: tuple[FirstRecord, ...]
    looked_at: int
    repeats: int
    refused: tuple[WouldRefuse, ...]
    labels: dict[str, int]
    unlabelled: int
    unmatched: tuple[tuple[str, int], ...]
    ready: str | None


def look_at(stream: StreamSettings, table: TableSummary, now: datetime) -> FirstLook:
    """The sampled rows of a file as an intake under these settings would judge them; nothing is stored."""
    typed = frozenset(c.name for c in table.columns if c.typed == "time")
    sample = TextTable({name: table.sample[name].to_numpy() for name in table.sample}, len(table.sample))
    chunk = Chunk(sample, table.lines, RawRows(sample), (), typed)
    rows = validate(stream, chunk, now)
    equal = EqualRows(hashed_columns(stream), stream)
    repeats = 0 if stream.id or not sum(map(len, equal.tapped([chunk]))) else equal.repeats()[0]
    taken = rows.accepted
    labels = resolve(stream, taken.labels)
    reasons = Counter(r.reason for r in rows.refused)
    details = {r.reason: r.detail for r in reversed(rows.refused)}
    known = [label for label in labels if label is not None]
    counted = {"": len(known)} if stream.is_regression else dict(Counter(known).most_common())
    unmatched = Counter(
        raw for raw, label in zip(taken.labels, labels, strict=True) if raw is not None and label is None
    )
    return FirstLook(
        records=_records(stream, taken, labels),
        looked_at=len(table.sample),
        repeats=repeats,
        refused=tuple(WouldRefuse(reason, n, details[reason]) for reason, n in reasons.most_common()),
        labels=counted,
        unlabelled=len(labels) - len(known),
        unmatched=tuple(unmatched.most_common(5)),
        ready=_ready(stream, taken, len(table.sample) / max(table.rows, 1)),
    )


def _records(stream: StreamSettings, taken: Incoming, labels: np.ndarray) -> tuple[FirstRecord, ...]:
    shown = []
    for k in range(min(_SHOWN, len(taken.lines))):
        time = taken.times[k].astype("M8[us]").item().replace(tzinfo=UTC) if len(taken.times) else None
        values = [taken.table[c][k].as_py() for c in stream.text or stream.features[:3]]
        said = " · ".join(str(v) for v in values if v is not None and v == v)
        label = labels[k]
        shown.append(FirstRecord(time, None if label is None else str(label), said))
    return tuple(shown)


def _ready(stream: StreamSettings, taken: Incoming, share: float) -> str | None:
    """The day at whose end a first champion has enough to learn from: 1,000 labels, or half of a shorter file's."""
    if isinstance(stream.time, OrderTime) or not taken.labelled.any():
        return None
    known = np.sort(np.maximum(taken.known_at, taken.times)[taken.labelled])
    enough = min(int(_FIRST_LABELS * share), len(known) // 2)
    if enough < 1 or len(known) / share < 2 * stream.policy.min_labels:
        return None
    return str(known[enough].astype("M8[D]"))


def next_commands(
    source: str, stream: str, look: FirstLook | None, undecided: Sequence[str], *, predicts: bool
) -> tuple[str, ...]:
    """What to type next, in order; `undecided`: the keys that a person has to set before."""
    as_of = f" --as-of {look.ready}" if look and look.ready else ""
    ingest = f"trueup ingest {source} --stream {stream}"
    train = f"trueup train --stream {stream}{as_of}{'' if predicts else '  # takes what is known as the reference'}"
    if undecided:
        return (f"decide {', '.join(undecided)} in trueup.toml", ingest, train)
    return (ingest, train)
