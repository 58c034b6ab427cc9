"""Made reviews as files: six columns, words by frequency, some quotes, line ends and emoji, all from a seed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

COLUMNS = ("reviewId", "userName", "content", "score", "at", "reviewCreatedVersion")
SETTINGS = """
[streams.reviews]
task = "classification"
id = "reviewId"
time = "at"
time_format = "%Y-%m-%d %H:%M:%S"
text = ["content"]
slices = ["reviewCreatedVersion"]

[streams.reviews.label]
column = "score"
classes = { negative = "<=2", positive = ">=4" }
"""
_BLOCK = 20_000
_SYLLABLES = ("ba", "ri", "to", "ne", "lo", "mi", "sa", "ku", "de", "vo", "pa", "el", "un", "is", "or", "an")
_MARKS = (", ", " ", " ", " ", " ", " ", " ", ". ", " ", " ")
_ASIDES = (' "really" ', "\n", " \U0001f600 ", " tr\u00e8s ", " caf\u00e9 ", "\n\n")  # quotes, line ends, beyond ASCII
_SPAN = 30_000_000  # seconds
_START = np.datetime64("2024-01-01T00:00:00", "s")


def write_csv(file: Path, rows: int, ids: str, seed: int = 7, *, backwards: bool = False) -> Path:
    """Reviews as CSV, if they are not there yet; `ids`: "random" or "sequential"; `backwards`: the last one first."""
    if file.exists():
        return file
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerow(COLUMNS)
        blocks = list(range(0, rows, _BLOCK))
        for start in reversed(blocks) if backwards else blocks:
            made = _block(start, min(_BLOCK, rows - start), ids, seed)
            text = io.StringIO()
            csv.writer(text).writerows(reversed(list(made)) if backwards else made)
            out.write(text.getvalue())
    part.replace(file)
    return file


def write_shuffled(file: Path, source: Path, seed: int = 7) -> Path:
    """The rows of a CSV file in another CSV file, in no order."""
    if not file.exists():
        with source.open(encoding="utf-8", newline="") as handle:
            names, *rows = csv.reader(handle)
        order = np.random.default_rng(seed).permutation(len(rows)).tolist()
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([names, *(rows[k] for k in order)])
    return file


def write_parquet(file: Path, source: Path) -> Path:
    """The rows of a CSV file as Parquet, all text but the stars."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.exists():
        with source.open(encoding="utf-8", newline="") as handle:
            names, *rows = csv.reader(handle)
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        table = pa.table({n: pa.array(map(int, v)) if n == "score" else pa.array(v) for n, v in columns.items()})
        pq.write_table(table, file)
    return file


def _block(start: int, rows: int, ids: str, seed: int) -> Iterator[tuple[str, ...]]:
    draw = np.random.default_rng([seed, start])
    words = np.array(["".join(_SYLLABLES[(k >> s) & 15] for s in (0, 4, 8)[: 1 + k % 3]) for k in range(4096)])
    lengths = np.minimum(draw.lognormal(2.3, 0.9, rows).astype(int) + 1, 200)
    chosen = words[np.minimum(draw.zipf(1.3, lengths.sum()) - 1, 4095)]
    marks = np.array(_MARKS)[draw.integers(0, len(_MARKS), lengths.sum())]
    aside = draw.random(rows)
    kinds = draw.integers(0, len(_ASIDES), rows)
    stars, versions = draw.choice(5, rows, p=(0.2, 0.08, 0.1, 0.17, 0.45)) + 1, draw.integers(0, 40, rows)
    numbers = draw.integers(0, 2**63, (rows, 2))
    times = _START + np.arange(start, start + rows) * 97 % _SPAN * np.timedelta64(1, "s")
    shown = np.char.replace(times.astype(str), "T", " ")
    at = 0
    for k in range(rows):
        end = at + lengths[k]
        text = "".join(np.char.add(chosen[at:end], marks[at:end])).strip() or "ok"
        text = text + _ASIDES[kinds[k]] + chosen[at] if aside[k] < 0.15 else text
        own = f"{numbers[k, 0]:016x}-{numbers[k, 1]:016x}" if ids == "random" else f"review-{start + k:09d}"
        yield own, f"user {numbers[k, 1] % 200_003}", text, str(stars[k]), shown[k], f"7.{versions[k]}.0"
        at = end
