"""Snapshots: the exact rows a model version was built, compared and validated on, as Parquet named by its hash."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from trueup.storage.archive import Archive
from trueup.storage.arrow_columns import is_text
from trueup.storage.row_values import objects, release_memory
from trueup.storage.rows import META, Rows, frame_of

_SERVED = ("served_predicted", "served_score")


def keep(
    archive: Archive, stream: str, rows: Rows, *, served: tuple[np.ndarray, np.ndarray] | None = None,
    **extra: np.ndarray,
) -> str:  # fmt: skip
    """Write rows, with extra columns of shape (n,), under snapshots/; the file's name is returned.

    served: answers and scores of the model that serves, where those of the rows are another fit's.
    """
    if served is not None:
        told = pd.Series(served[0], rows.meta.index, dtype=object).map(_text)
        extra |= {_SERVED[0]: told.to_numpy(), _SERVED[1]: served[1]}
    meta = rows.meta.assign(
        label=rows.meta["label"].map(_text), predicted=rows.meta["predicted"].map(_text), **extra
    )
    table = pa.Table.from_pandas(
        pd.concat([rows.features, meta.add_prefix("__")], axis=1), preserve_index=False
    )
    return archive.write_table(f"snapshots/{stream}", table)


@dataclass(frozen=True)
class Snapshot:
    """The n rows kept under a name, in Arrow: Python's objects are made only of those that are asked for."""

    table: pa.Table
    regression: bool

    def __len__(self) -> int:
        return len(self.table)

    def rows(self, which: np.ndarray | slice = slice(None), *, features: bool = True) -> Rows:
        """The rows that positions or a slice name; without `features` only what is known of them."""
        places = np.arange(len(self.table))[which]
        table = self.table if len(places) == len(self.table) else self.table.take(pa.array(places))
        own = {c: _own(table.column(f"__{c}"), c, self.regression) for c in META}
        names = [c for c in table.column_names if not c.startswith("__")] if features else []
        index = pd.RangeIndex(len(table))
        columns = {c: _feature(table.column(c)) for c in names}
        return Rows(frame_of(columns, index), frame_of(own, index, META))


def open_snapshot(archive: Archive, name: str, *, regression: bool, ids: bool = True) -> Snapshot:
    """What is kept under `name`; labels and predictions are floats for regression, else class names.

    ids: without them every id is None; a million are a tenth of a check's memory, and it names none of its reference.
    """
    table = archive.read_table(name, without=() if ids else ("__id",), dictionaries=True)
    return Snapshot(table if ids else table.append_column("__id", pa.nulls(len(table))), regression)


def load(archive: Archive, name: str, *, regression: bool) -> Rows:
    """All rows kept under `name`; labels and predictions are floats for regression, else class names."""
    rows = open_snapshot(archive, name, regression=regression).rows()
    release_memory()
    return rows


def load_as_served(archive: Archive, name: str, *, regression: bool) -> Rows:
    """As `load`, with the answers of the model that serves, where those of the rows are another fit's."""
    rows = load(archive, name, regression=regression)
    served = archive.read_table(name, [f"__{column}" for column in _SERVED])
    if not served.num_columns:
        return rows
    predicted, score = (
        _own(served.column(f"__{kept}"), own, regression)
        for kept, own in zip(_SERVED, ("predicted", "score"), strict=True)
    )
    return rows.with_meta(predicted=predicted, score=score)


def extra(archive: Archive, name: str, column: str) -> np.ndarray:
    """An extra column written beside rows by `keep`, of shape (n,)."""
    return archive.read_table(name, [f"__{column}"])[f"__{column}"].to_numpy()


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def _own(column: pa.ChunkedArray, name: str, regression: bool) -> np.ndarray:
    if regression and name in ("label", "predicted"):
        texts = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        read = texts.cast(pa.float64()).to_numpy().astype(object)
        read[column.is_null().to_numpy()] = None
        return np.asarray(read)
    if META[name] == "object":
        return objects(column, alike=name != "id")
    return np.asarray(column.to_numpy().astype(META[name], copy=False))


def _feature(column: pa.ChunkedArray) -> np.ndarray:
    if is_text(column.type) or pa.types.is_dictionary(column.type):
        return objects(column)
    values = column.to_pandas()
    return np.asarray(values.where(values.notna(), None) if values.dtype == object else values)
