"""What a record's content is, and which side of the split it falls on (invariant 2)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trueup.storage.arrow_columns import one_array
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

_UNIT = "\x1f"  # ASCII unit separator: keeps ("ab", "c") and ("a", "bc") apart
_SPACE = 32
_FOLDED = bytes(_SPACE if chr(code).isspace() else ord(chr(code).lower()) for code in range(128)) + bytes(128)
_AT_ONCE = 2_000  # values that are Python's own at a time: the processor's cache holds them
_NO_ROWS = np.zeros(1, np.int64)


def normalise(text: str) -> str:
    """Text as the split sees it: NFKC, casefolded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def hash64(text: str, key: bytes = b"") -> int:
    """A stable signed 64-bit hash of a text (BLAKE2b), keyed where a key is given."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big", signed=True)


def canonical(value: object) -> str:
    """One way of writing a value, whatever file it came from: 1, 1.0 and "1" are alike, missing is empty."""
    if value is None or (isinstance(value, float | datetime) and value != value):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.integer | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return str(value)


def hashes(texts: pa.StringArray, key: bytes = b"") -> np.ndarray:
    """`hash64` of each of n texts, int64 of shape (n,)."""
    return _digests(texts.cast(pa.binary()), key)


def _digests(values: pa.BinaryArray, key: bytes = b"") -> np.ndarray:
    begun = blake2b(digest_size=8, key=key)  # a copy of it takes two thirds of the time of a new one
    digests = []
    for start in range(0, len(values), _AT_ONCE):
        for value in values.slice(start, _AT_ONCE).to_numpy(zero_copy_only=False):
            own = begun.copy()
            own.update(value)
            digests.append(own.digest())
    return np.frombuffer(b"".join(digests), dtype=">i8").astype(np.int64)


def _canonical(table: pa.Table, column: str) -> pa.StringArray:
    """A column as `canonical` writes its values."""
    if column not in table.column_names:
        return pa.array([""] * table.num_rows, pa.string())
    values = one_array(table.column(column))
    if pa.types.is_string(values.type):
        return values.fill_null("")
    distinct = values.dictionary_encode()
    written = pa.array([canonical(value) for value in distinct.dictionary.to_pylist()], pa.string())
    return written.take(distinct.indices).fill_null("")


def _joined(table: pa.Table, columns: Sequence[str]) -> pa.StringArray:
    parts = [_canonical(table, column) for column in columns]
    if len(parts) == 1:
        return parts[0]
    return pc.binary_join_element_wise(*parts, _UNIT) if parts else pa.array([""] * table.num_rows, pa.string())


def content_keys(stream: StreamSettings, table: pa.Table) -> np.ndarray:
    """Hash of each row's content, int64 of shape (n,): its normalised text, or all features where it has none."""
    texts = _joined(table, stream.text or stream.features)
    ascii_only = pc.string_is_ascii(texts)
    keys = np.empty(len(texts), dtype=np.int64)
    where = ascii_only.to_numpy(zero_copy_only=False)
    keys[where] = _digests(normalised_ascii(texts if where.all() else texts.filter(ascii_only)))
    if not where.all():
        rest = texts.filter(pc.invert(ascii_only)).to_pylist()
        keys[~where] = hashes(pa.array([normalise(text) for text in rest], pa.string()))
    return keys


def normalised_ascii(texts: pa.StringArray) -> pa.BinaryArray:
    """`normalise` of n ASCII texts, as bytes: all of them at once, in the one buffer that holds them."""
    _, ends, held = texts.buffers()
    offsets = np.frombuffer(ends, np.int32, len(texts) + 1, texts.offset * 4).astype(np.int64) if ends else _NO_ROWS
    data = np.frombuffer(held, np.uint8)[offsets[0] : offsets[-1]] if held else np.empty(0, np.uint8)
    offsets = offsets - offsets[0]
    data = np.frombuffer(data.tobytes().translate(_FOLDED), np.uint8)
    space = data == _SPACE
    after_space = np.empty_like(space)
    after_space[1:] = space[:-1]
    after_space[offsets[:-1][offsets[:-1] < len(data)]] = True
    data, offsets = _without(data, offsets, np.flatnonzero(space & after_space))
    last = offsets[1:][np.diff(offsets) > 0] - 1
    data, offsets = _without(data, offsets, last[data[last] == _SPACE])
    return pa.BinaryArray.from_buffers(
        pa.binary(), len(texts), [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    )


def _without(data: np.ndarray, offsets: np.ndarray, dropped: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes and the places where rows begin, without the bytes at `dropped` (ascending)."""
    if not len(dropped):
        return data, offsets
    return np.delete(data, dropped), offsets - np.searchsorted(dropped, offsets)


def group_keys(stream: StreamSettings, table: pa.Table, content: np.ndarray) -> np.ndarray:
    """Hash of each row's unit of the split: its `group` columns, else (or where empty) its content."""
    if not stream.group:
        return content
    values = _joined(table, stream.group)
    blank = pc.equal(values, _UNIT * (len(stream.group) - 1)).to_numpy(zero_copy_only=False)
    return np.where(blank, content, hashes(values))


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
    distinct, place = np.unique(groups, return_inverse=True)
    return (hashes(pa.array(distinct, pa.int64()).cast(pa.string()), key) < limit)[place]


def fingerprints(stream: StreamSettings, table: pa.Table, times: np.ndarray) -> np.ndarray:
    """Hash of what a record says (declared columns and time): tells a resent record from another under the same id."""
    stamps = pa.array([""] * table.num_rows, pa.string()) if stream.time_columns == () else _stamps(times)
    return hashes(pc.binary_join_element_wise(stamps, _joined(table, stream.features), _UNIT))


def _stamps(times: np.ndarray) -> pa.StringArray:
    """Times as numpy writes them to the microsecond."""
    written = pa.array(times.astype("datetime64[us]")).cast(pa.string())  # ten times as fast as strftime
    return pc.replace_substring(written, " ", "T", max_replacements=1)


def seed_of(stream: StreamSettings, as_of: datetime) -> int:
    """One seed for all that is drawn for a stream at a time, so that a resumed cycle comes to the same end."""
    return hash64(f"{stream.name}|{iso(as_of)}") & 0x7FFFFFFF
