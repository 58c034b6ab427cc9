"""The columns of exported files, their types and units: a layout that other programs rely on, so it only grows."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from trueup.storage.signal_rows import SignalRow
from trueup.storage.stream import StreamSettings

KINDS = ("records", "labels", "predictions", "checks", "signals")

INSTANT = pa.timestamp("us", tz="UTC")
_OF = {"str": pa.string(), "int": pa.int64(), "bool": pa.bool_(), "float": pa.float64(), "datetime": INSTANT}

CHECKS = pa.schema(
    [
        ("report_id", pa.string()), ("as_of", INSTANT), ("made_at", INSTANT), ("champion", pa.int64()),
        ("counted", pa.bool_()), ("verdict", pa.string()), ("breached", pa.list_(pa.string())),
    ]
)  # fmt: skip
OWN_COLUMNS = {
    "__id": pa.string(), "__time": INSTANT, "__seq": pa.int64(), "__side": pa.string(), "__label": pa.string(),
    "__label_given": pa.string(), "__label_known_at": INSTANT, "__label_by": pa.string(),
}  # fmt: skip
SIGNALS = pa.schema([(n, _OF[str(kind).split(" ")[0]]) for n, kind in SignalRow.__annotations__.items()])


def labels_layout(stream: StreamSettings) -> pa.Schema:
    """Labels as they became known, a row each."""
    return pa.schema(
        [
            ("id", pa.string()), ("seq", pa.int64()), ("time", INSTANT), ("known_at", INSTANT),
            ("label", _answer(stream)), ("given", pa.string()), ("by", pa.string()), ("user", pa.string()),
        ]
    )  # fmt: skip


def predictions_layout(stream: StreamSettings) -> pa.Schema:
    """What each model version answered to each record."""
    return pa.schema(
        [
            ("id", pa.string()), ("seq", pa.int64()), ("time", INSTANT), ("version", pa.int64()),
            ("predicted", _answer(stream)), ("score", pa.float64()),
        ]
    )  # fmt: skip


def records_layout(stream: StreamSettings, columns: Iterable[str]) -> pa.Schema:
    """Records: our own columns, whose names begin with two underscores as no column of a file does, then theirs.

    columns: all that stand beside the declared ones in some file, by name.
    """
    own = [(name, _answer(stream) if name == "__label" else kind) for name, kind in OWN_COLUMNS.items()]
    sent = dict.fromkeys([*stream.columns, *columns])
    return pa.schema(own + [(c, pa.float64() if c in stream.numeric else pa.string()) for c in sent])


def _answer(stream: StreamSettings) -> pa.DataType:
    return pa.float64() if stream.is_regression else pa.string()
