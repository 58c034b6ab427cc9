"""GATE-LOADS: a registered version read back by a process that knows nothing of its training.

`python -m trueup.training.gate.fresh_process` reads a Reading from standard input, loads the version from its registry,
answers its reference rows, and writes what came of it as the last line of standard output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trueup.storage import snapshots
from trueup.storage.archive import Archive
from trueup.storage.errors import ModelUnusable, TrueupError
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.gate.result import GateTest

LIMIT_S = 600.0  # a loaded machine may take minutes to start a process; a model that hangs is found all the same


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A version to be read back: where registry and archive lie, and the rows whose answers are known."""

    stream: dict[str, Any]
    version: int
    reference: str
    archive: str
    home: str
    uri: str
    artifact_root: str
    packages: tuple[str, ...]
    prefix: str = ""


def loads_test(version: int, failure: str = "") -> GateTest:
    """GATE-LOADS: whether the registered version, read back from the registry, answers as it did in memory.

    Args:
        failure: why it does not; empty where it does.
    """
    said = f"v{version}, loaded from the registry, answers as it did when it was trained"
    if failure:
        said = f"v{version} must not be used: loaded from the registry, {failure}"
    return GateTest(code="GATE-LOADS", passed=not failure, value=0.0 if failure else 1.0, bound=1.0, said=said)


def difference(stream: StreamSettings, rows: Rows, model: Any) -> str:
    """Why a model does not answer `rows` as they were answered when it was fitted; empty where it does.

    Raises:
        ModelUnusable: it cannot answer them.
    """
    from trueup.training.models.fitting import answer

    predicted, score = answer(model, stream, rows.features)
    before = rows.meta["predicted"].to_numpy()
    if stream.is_regression:
        same = np.isclose(predicted.astype(float), before.astype(float))
    else:
        same = (predicted == before) & np.isclose(score, rows.meta["score"].to_numpy(), equal_nan=True)
    other = int((~same).sum())
    return f"it answers {other} of {len(rows)} evaluation rows differently than when it was trained" if other else ""


def read_back(reading: Reading, limit_s: float = LIMIT_S) -> str:
    """Why a version does not answer in a fresh process as it did when it was fitted; empty where it does.

    Raises:
        TrueupError: registry or archive failed, which says nothing of the version.
    """
    # what this process can import the other one can too, a team's own candidates among it
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), *sys.path]))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "trueup.training.gate.fresh_process"],
            input=json.dumps(asdict(reading)), capture_output=True, text=True, check=False, timeout=limit_s,
            env={**os.environ, "PYTHONPATH": path},
        )
    except subprocess.TimeoutExpired:
        return f"it did not load and answer within {limit_s:g} s in a fresh process"
    try:
        found = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no error message"])[-1]
        return f"it ended a fresh process with status {done.returncode}: {last[:300]}"
    if found["failed"]:
        raise TrueupError(found["failed"])
    return f"in a fresh process {found['difference']}" if found["difference"] else ""


def _main() -> None:
    reading = Reading(**json.load(sys.stdin))
    print(json.dumps(_answered(reading)))


def _answered(reading: Reading) -> dict[str, str]:
    from trueup.training.registry.registry import Registry

    stream = StreamSettings.model_validate(reading.stream)
    registry = Registry(reading.uri, Path(reading.artifact_root), tuple(reading.packages), prefix=reading.prefix)
    try:
        archive = Archive(reading.archive, Path(reading.home))
        rows = snapshots.load_as_served(archive, reading.reference, regression=stream.is_regression)
        model = registry.load(stream.name, reading.version)
        return {"failed": "", "difference": difference(stream, rows, model)}
    except ModelUnusable as error:
        return {"failed": "", "difference": f"it is unusable: {error}"}
    except TrueupError as error:
        return {"failed": str(error), "difference": ""}


if __name__ == "__main__":
    _main()
