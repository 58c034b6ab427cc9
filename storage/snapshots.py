"""Snapshots: the exact rows a model version was built, compared and validated on, as Parquet named by its hash."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from storage.archive import Archive
from storage.rows import META, Rows


def keep(archive: Archive, stream: str, rows: Rows, **extra: np.ndarray) -> str:
    """Write rows, with extra columns of shape (n,), under snapshots/; the file's name is returned."""
    meta = rows.meta.assign(
        label=rows.meta["label"].map(_text), predicted=rows.meta["predicted"].map(_text), **extra
    )
    table = pa.Table.from_pandas(
        pd.concat([rows.features, meta.add_prefix("__")], axis=1), preserve_index=False
    )
    return archive.write_table(f"snapshots/{stream}", table)


def load(archive: Archive, name: str, *, regression: bool) -> Rows:
    """The rows kept under `name`; labels and predictions are floats for regression, else class names."""
    frame = archive.read_table(name).to_pandas()
    meta = frame[[f"__{c}" for c in META]].rename(columns=lambda c: c[2:]).astype(META)
    read = _number if regression else _text
    meta = meta.assign(label=meta["label"].map(read), predicted=meta["predicted"].map(read)).astype(META)
    features = frame[[c for c in frame.columns if not c.startswith("__")]]
    for column in features.select_dtypes("object"):
        features = features.assign(**{column: features[column].where(features[column].notna(), None)})
    return Rows(features, meta)


def extra(archive: Archive, name: str, column: str) -> np.ndarray:
    """An extra column written beside rows by `keep`, of shape (n,)."""
    return archive.read_table(name, [f"__{column}"])[f"__{column}"].to_numpy()


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
