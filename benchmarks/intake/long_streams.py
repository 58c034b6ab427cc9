"""Deployments whose champion knows little of a long history: ten mixed columns, every record answered."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

from benchmarks.detection import speed
from benchmarks.intake.processes import spent

KNOWN = 5_000  # records that the champion was trained on
_AT_ONCE = 500_000  # records of a file


def built(scratch: Path, count: int, window: int) -> Path:
    """The folder of a deployment with so many records, made where it is not there yet."""
    folder = scratch / f"long-{count}-{window}"
    if not (folder / "built").exists():
        spent(["-m", "benchmarks.intake.long_streams", str(folder), str(count), str(window)], scratch)
        (folder / "built").touch()
    return folder


def end_of(count: int) -> datetime:
    """The time at which all records of such a deployment are known."""
    return speed.START + count * speed.STEP


def _build(folder: Path, count: int, window: int) -> None:
    from trueup.feedback.intake import ingest
    from trueup.flows.app import open_app
    from trueup.flows.check.champion import champion_of
    from trueup.flows.check.predictions import score_new
    from trueup.flows.cycle.train_on_demand import train_now

    folder.mkdir(parents=True)
    numeric = json.dumps([*speed.NUMERIC, speed.tenth(text=False)])
    settings = speed.SETTINGS.format(
        stream=speed.STREAM, rows=window, numeric=numeric, categorical=json.dumps(list(speed.LEVELS)), text="[]"
    )
    settings = settings.replace(f"reference = {window}", "reference = 5000")
    (folder / "trueup.toml").write_text(settings)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream = app.stream(speed.STREAM)
    for start in (0, *range(KNOWN, count, _AT_ONCE)):
        rows = KNOWN if not start else min(_AT_ONCE, count - start)
        frame = speed.made(rows, text=False, later=bool(start))
        frame["id"] = [f"r{start + k}" for k in range(rows)]
        frame["at"] = frame["at"] - frame["at"].iloc[0] + speed.START.replace(tzinfo=None) + start * speed.STEP
        file = folder / "records.parquet"
        frame.to_parquet(file)
        ingest(app.store, stream, [str(file)], now=end_of(start + rows))
        if not start:
            train_now(app, stream, end_of(rows))
        score_new(app, stream, champion_of(app, stream), end_of(start + rows))
    app.close()


if __name__ == "__main__":
    _build(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
