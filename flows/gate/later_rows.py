"""The rows that judge a model of a trainer that reads its own data: only those that came after it had ended."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.labels import snapshot_rows
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import utc


def rows_to_judge(app: App, stream: StreamSettings, record: VersionRecord, rows: Rows, as_of: datetime) -> Rows:
    """The rows of a version's snapshot; of such a trainer all that is known, the later ones as evaluation side."""
    after = (record.document["lineage"].get("trainer") or {}).get("judged_after")
    if after is None:
        return rows
    known, since = snapshot_rows(app, stream, as_of), utc(datetime.fromisoformat(after)).replace(tzinfo=None)
    return known.with_meta(evaluation=known.meta["time"].to_numpy() > np.datetime64(since, "us"))
