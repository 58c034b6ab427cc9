"""The labels of stored rows as the stream's label policy reads them: resolved, and mature at a time."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from trueup.feedback.labels import resolve
from trueup.flows.app import App
from trueup.flows.check.lateness import complete_until, late_part_of
from trueup.storage.history.label_counts import labelled_records
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings


def with_resolved_labels(stream: StreamSettings, rows: Rows) -> Rows:
    """Rows whose raw label values have become classes or numbers; what matches no class is unlabelled."""
    label = resolve(stream, rows.meta["label"])
    known = pd.notna(label)
    provenance = np.where(known, rows.meta["provenance"].to_numpy(), None)
    return rows.with_meta(label=label, provenance=provenance)


def with_mature_labels(stream: StreamSettings, rows: Rows, as_of: datetime) -> Rows:
    """Rows whose labels count: those of records younger than the maturity are taken away."""
    limit = np.datetime64((as_of - stream.label.maturity_span).replace(tzinfo=None), "us")
    young = rows.meta["time"].to_numpy() > limit
    return rows.with_meta(
        label=np.where(young, None, rows.meta["label"].to_numpy()),
        provenance=np.where(young, None, rows.meta["provenance"].to_numpy()),
    )


def snapshot_rows(app: App, stream: StreamSettings, as_of: datetime) -> Rows:
    """All records until when the feed is complete, both sides, with the labels that count at as_of."""
    end = complete_until(stream, late_part_of(app, stream, as_of), as_of)
    rows = app.reader.read(stream, as_of=as_of).until(end)
    return with_mature_labels(stream, with_resolved_labels(stream, rows), as_of)


def mature_labels(app: App, stream: StreamSettings, *, after: datetime, as_of: datetime) -> int:
    """How many records with after < time ≤ as_of have a label that counts at as_of."""
    until = as_of - stream.label.maturity_span
    if until <= after:
        return 0
    return labelled_records(app.database, app.reader, stream, resolve, after=after, until=until, as_of=as_of)
