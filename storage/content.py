"""What a record's content is, and which side of the split it falls on (invariant 2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

_UNIT = "\x1f"  # ASCII unit separator: keeps ("ab", "c") and ("a", "bc") apart


def normalise(text: str) -> str:
    """Text as the split sees it: NFKC, casefolded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def hash64(text: str, key: bytes = b"") -> int:
    """A stable signed 64-bit hash of a text (BLAKE2b), keyed where a key is given."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)


def canonical(value: object) -> str:
    """One way of writing a value, whatever file it came from: 1, 1.0 and "1" are alike, missing is empty."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.integer | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return str(value)


def _joined(frame: pd.DataFrame, columns: Iterable[str]) -> list[str]:
    parts = [frame[c].map(canonical) if c in frame else pd.Series("", index=frame.index) for c in columns]
    return [_UNIT.join(row) for row in zip(*parts, strict=True)]


def content_keys(stream: StreamSettings, frame: pd.DataFrame) -> np.ndarray:
    """Hash of each row's content, int64 of shape (n,): its normalised text, or all features where it has none."""
    columns = stream.text or stream.features
    return np.array([hash64(normalise(value)) for value in _joined(frame, columns)], dtype=np.int64)


def group_keys(stream: StreamSettings, frame: pd.DataFrame, content: np.ndarray) -> np.ndarray:
    """Hash of each row's unit of the split: its `group` columns, else (or where empty) its content."""
    if not stream.group:
        return content
    values = _joined(frame, stream.group)
    blank = _UNIT * (len(stream.group) - 1)
    return np.array(
        [fallback if value == blank else hash64(value) for value, fallback in zip(values, content, strict=True)],
        dtype=np.int64,
    )


def split_of(stream: StreamSettings) -> dict[str, Any]:
    """The settings that decide the side of a record: with others, two of one group could fall on different sides."""
    training = stream.training
    return {
        "training.evaluation_share": training.evaluation_share,
        "training.split_salt": training.split_salt,
        "group": list(stream.group),
    }


def evaluation_side(stream: StreamSettings, groups: np.ndarray) -> np.ndarray:
    """Boolean mask: which rows fall on the evaluation side, by a keyed hash of their group."""
    key = blake2b(f"{stream.name}{_UNIT}{stream.training.split_salt}".encode(), digest_size=16).digest()
    limit = int(stream.training.evaluation_share * 2**64) - 2**63
    side = {group: hash64(str(group), key) < limit for group in np.unique(groups)}
    return np.array([side[group] for group in groups], dtype=bool)


def fingerprints(stream: StreamSettings, frame: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """Hash of what a record says (declared columns and time): tells a resent record from another under the same id."""
    stamps = [""] * len(frame) if stream.time_columns == () else times.astype("datetime64[us]").astype(str)
    texts = _joined(frame, stream.features)
    said = [hash64(f"{stamp}{_UNIT}{text}") for stamp, text in zip(stamps, texts, strict=True)]
    return np.array(said, dtype=np.int64)


def seed_of(stream: StreamSettings, as_of: datetime) -> int:
    """One seed for all that is drawn for a stream at a time, so that a resumed cycle comes to the same end."""
    return hash64(f"{stream.name}|{iso(as_of)}") & 0x7FFFFFFF
