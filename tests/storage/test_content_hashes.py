"""Hashes of content, fingerprints and sides computed in columns are those of each row by itself."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.storage.content import (
    canonical,
    content_keys,
    evaluation_side,
    fingerprints,
    group_keys,
    hash64,
    hashes,
    normalise,
    normalised_ascii,
)
from trueup.storage.stream import StreamSettings
from trueup.storage.training_settings import Training

UNIT = "\x1f"
SIGNS = st.sampled_from("aB \t\n\x0b\x1c\x1f\xa0\u2003ßﬁİé😀-0.")
WORDS = st.none() | st.text(SIGNS, max_size=12) | st.text(max_size=8)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(float)
TICKS = st.integers(0, 253_402_300_799_999_999)
Row = tuple[object, ...]
ROWS = st.lists(st.tuples(WORDS, WORDS, NUMBERS, WORDS, TICKS), max_size=12)
SHAPES = (
    {"text": ("a",)}, {"text": ("a", "b")}, {"text": ("a",), "numeric": ("n",), "categorical": ("c", "gone")},
    {"numeric": ("n",)}, {"numeric": ("n",), "group": ("c",)}, {"text": ("a",), "group": ("b", "c")},
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@given(rows=ROWS, share=st.sampled_from((0.01, 0.2, 0.5)))
def test_in_columns_as_row_by_row(shape: dict[str, tuple[str, ...]], rows: list[Row], share: float) -> None:
    """Each value is canonical, joined with the others and hashed, whatever stands in the rows beside it."""
    stream = StreamSettings(name="s", id="id", time="at", training=Training(evaluation_share=share), **shape)
    names = ("a", "b", "n", "c")
    table = pa.table({
        name: pa.array([row[k] for row in rows], pa.float64() if name == "n" else pa.string())
        for k, name in enumerate(names)
    })  # fmt: skip
    times = np.array([row[4] for row in rows], dtype="datetime64[us]")

    def joined(row: Row, columns: tuple[str, ...]) -> str:
        held = dict(zip(names, row, strict=False))
        return UNIT.join(canonical(held.get(column)) for column in columns)

    content = [hash64(normalise(joined(row, stream.text or stream.features))) for row in rows]
    blank = UNIT * (len(stream.group) - 1)
    own = [joined(row, stream.group) for row in rows]
    groups = [c if not stream.group or text == blank else hash64(text) for c, text in zip(content, own, strict=True)]
    key = blake2b(f"s{UNIT}{stream.training.split_salt}".encode(), digest_size=16).digest()
    sides = [hash64(str(group), key) < int(share * 2**64) - 2**63 for group in groups]
    marks = [hash64(f"{t}{UNIT}{joined(row, stream.features)}") for t, row in zip(times.astype(str), rows, strict=True)]
    assert content_keys(stream, table).tolist() == content
    assert group_keys(stream, table, np.array(content, np.int64)).tolist() == groups
    assert evaluation_side(stream, np.array(groups, np.int64)).tolist() == sides
    assert fingerprints(stream, table, times).tolist() == marks


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=9), max_size=9), st.integers(0, 3))
def test_ascii_text_is_normalised_all_at_once(texts: list[str], skipped: int) -> None:
    """Also of a part of a longer array, and of empty and blank texts."""
    held = pa.array(texts, pa.string()).slice(skipped)
    assert normalised_ascii(held).cast(pa.string()).to_pylist() == [normalise(text) for text in texts[skipped:]]


@pytest.mark.parametrize("skipped", [0, 1])
def test_thousands_of_hashes_are_those_of_each_text(skipped: int) -> None:
    """However many values are Python's own at a time; also of a part of a longer array."""
    texts = [f"text {k}" for k in range(4_003)]
    held = pa.array(texts, pa.string()).slice(skipped)
    assert hashes(held, b"key").tolist() == [hash64(text, b"key") for text in texts[skipped:]]
