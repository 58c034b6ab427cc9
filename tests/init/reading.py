"""What `trueup init` says and writes of a file, and what would be read from the file by that."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import trueup
from trueup.feedback.labels import resolve
from trueup.feedback.readers import opened
from trueup.feedback.schema_check import required_columns
from trueup.feedback.validation import validate
from trueup.storage.stream import StreamSettings

STREAM = "made"
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # made files are older


@dataclass(frozen=True)
class Reading:
    """The rows that would be taken in. rows: (n,) positions within the file; times, labels: (n,); table: n rows.

    refused: reason → rows. lines: rows of the file that are no broken lines.
    """

    rows: np.ndarray
    times: np.ndarray
    labels: Sequence[Any]
    table: pd.DataFrame
    refused: Counter[str]
    lines: int

    def without(self, below: Sequence[Any], records: int) -> Reading:
        """The records alone: not the rows of a second header, as far as they were read, nor what follows the last."""
        rows = self.rows - (min(len(below), max(0, self.lines - records)))
        own = (rows >= 0) & (rows < records)
        labels = [label for label, keep in zip(self.labels, own, strict=True) if keep]
        times = self.times[own] if len(self.times) else self.times
        return replace(self, rows=rows[own], times=times, labels=labels, table=self.table[own])


@dataclass(frozen=True)
class Told:
    """What init said of one file. refusal: why it wrote nothing; spoken: whether that is a sentence of its own.

    reading: None where the settings cannot be used as they stand; unusable then says why.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    columns: Sequence[Mapping[str, Any]] = ()
    undecided: Sequence[Mapping[str, Any]] = ()
    rows: int = 0
    refused: int = 0
    refusal: str = ""
    spoken: bool = True
    reading: Reading | None = None
    unusable: str = ""

    def why(self, name: str) -> str:
        """The reason that was given for a column."""
        return next((str(c["why"]) for c in self.columns if c["name"] == name), "")


def ask_init(path: Path) -> Told:
    """Let init read a file into a folder of its own, and read the file as it says."""
    config = path.with_name("trueup.toml")
    try:
        told = trueup.init(path, stream=STREAM, config=config).as_json()
    except trueup.TrueupError as error:
        return Told(refusal=str(error))
    except Exception as error:  # noqa: BLE001  what the measure is to find
        return Told(refusal=f"{type(error).__name__}: {error}", spoken=False)
    settings = tomllib.loads(config.read_text(encoding="utf-8"))["streams"][STREAM]
    shared = (settings, told["columns"], told["undecided"], told["rows"], told["refused"]["rows"])
    try:
        return Told(*shared, reading=read_by(settings, path))
    except (trueup.TrueupError, ValueError) as error:
        return Told(*shared, unusable=str(error))


def read_by(settings: Mapping[str, Any], path: Path) -> Reading:
    """The file as a stream of these settings takes it in; without a time, by the order of the rows."""
    order = {"start": "2000-01-01", "step": "1h"}
    stream = StreamSettings(**{"name": STREAM, "time": order, **settings})
    with opened(str(path), required_columns(stream), format=stream.format) as source:
        chunks = list(source.chunks())
    lines = {int(n): k for k, n in enumerate(sorted(int(n) for chunk in chunks for n in chunk.lines))}
    parts = [validate(stream, chunk, NOW) for chunk in chunks]
    taken = [part.accepted for part in parts]
    return Reading(
        rows=np.array([lines[int(n)] for rows in taken for n in rows.lines], dtype=int),
        times=np.concatenate([rows.times for rows in taken]),
        labels=[label for rows in taken for label in resolve(stream, rows.labels)],
        table=pd.concat([rows.table.to_pandas() for rows in taken], ignore_index=True),
        refused=Counter(one.reason for part in parts for one in part.refused),
        lines=len(lines),
    )
