"""The tests of a training's rows: what they need is read, and what they refuse is not learnt from."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from trueup.flows.app import App
from trueup.storage import snapshots
from trueup.storage.errors import NotTrainable
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings


def check_training_data(app: App, stream: StreamSettings, rows: Rows, as_of: datetime) -> list[dict[str, Any]]:
    """The tests of the rows that a version is to be trained on, as they are kept with it.

    Raises:
        NotTrainable: a test failed; the error carries all of them.
    """
    from trueup.training.gate.training_data import data_tests

    last = app.promotions.last_committed(stream.name)
    record = app.promotions.version(stream.name, last.to_version) if last and last.to_version else None
    tests = data_tests(
        stream,
        rows,
        app.reader.users(stream, rows, as_of),
        snapshots.extra(app.archive, record.snapshot, "label") if record else np.empty(0, object),
        record.cut_off if record else None,
    )
    kept = [asdict(test) for test in tests]
    failed = [f"{test.code}: {test.said}" for test in tests if not test.passed]
    if failed:
        raise NotTrainable(
            f"The records of '{stream.name}' known at {as_of:%Y-%m-%d %H:%M} UTC are not learnt from: "
            f"{'; '.join(failed)}.",
            kept,
        )
    return kept
