"""What goes into the store, and what became of it: the values between intake and storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Incoming:
    """n validated records on their way into the store, all arrays of shape (n,).

    table: every source column as text, declared numeric ones as float64; null where missing.
    times: event times; empty where the stream's time is its intake order.
    labels: the raw value of the label's column, or None. known_at: when it was known, NaT where it is not yet.
    labelled: whether that value is known and is a class or number by today's rules.
    """

    ids: np.ndarray
    times: np.ndarray
    table: pa.Table
    labels: np.ndarray
    known_at: np.ndarray
    labelled: np.ndarray
    lines: np.ndarray
    raw: Sequence[str]


@dataclass(frozen=True)
class Refused:
    """A row that does not go in, with its reason and its raw content.

    at: its own time, where that can be read. identity: what makes it the same fault when it comes again; empty: its raw
    content.
    """

    line: int
    reason: str
    detail: str
    raw: str
    at: datetime | None = None
    identity: str = ""


@dataclass(frozen=True)
class FeedbackItem:
    """What a person said about one record; `label` is the raw label value where kind is label."""

    id: str
    record_id: str
    kind: str
    value: str
    user: str
    at: datetime
    label: str | None
    line: int
    raw: str


@dataclass(frozen=True)
class Appended:
    """What became of a batch. labelled: of the accepted, those that came with a label. revised: of records stored
    before, those that changed. erased: left out, since their record or user was erased."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    labelled: int = 0
    revised: int = 0
    erased: int = 0

    def __add__(self, other: Appended) -> Appended:
        return Appended(
            self.accepted + other.accepted,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            self.labelled + other.labelled,
            self.revised + other.revised,
            self.erased + other.erased,
        )


@dataclass(frozen=True)
class QuarantineItem:
    """A refused row as it was kept."""

    id: str
    stream: str
    kind: str
    source: str
    line: int
    reason: str
    detail: str
    raw: str
    received_at: datetime
    released_at: datetime | None
    happened_at: datetime | None
