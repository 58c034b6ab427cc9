"""A stream without a label: its inputs are compared with a reference, and nothing is trained or predicted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import trueup
from trueup.storage.errors import InputError, NotTrainable

START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = """
[streams.sensors]
task = "drift"
time = "at"
numeric = ["x", "y"]

[streams.sensors.policy]
window = 200
confirm = 1

[streams.sensors.alerts]
to = ["oncall@example.org"]
"""


def _take_in(stream: trueup.Stream, folder: Path, days: range, shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        f"{START + timedelta(days=day, minutes=36 * k):%Y-%m-%d %H:%M:%S},{rng.normal() + shift:.4f},{rng.normal():.4f}"
        for day in days
        for k in range(40)
    ]
    file = folder / f"{days.start}.csv"
    file.write_text("at,x,y\n" + "\n".join(rows) + "\n")
    stream.ingest(file)


@pytest.fixture
def stream(tmp_path: Path) -> trueup.Stream:
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    return trueup.open(tmp_path / "trueup.toml", tmp_path / ".trueup").stream("sensors")


def test_inputs_are_held_against_the_first_full_window(stream: trueup.Stream, tmp_path: Path) -> None:
    """A cycle takes its reference by itself, is quiet while nothing changes, and alerts when it does."""
    _take_in(stream, tmp_path, range(0, 2), 0, 1)
    early = stream.cycle(START + timedelta(days=2))
    assert (early.check, early.training) == (None, None)
    _take_in(stream, tmp_path, range(2, 25), 0, 2)
    stream.cycle(START + timedelta(days=25))
    _take_in(stream, tmp_path, range(25, 30), 0, 3)
    quiet = stream.cycle(START + timedelta(days=30))
    _take_in(stream, tmp_path, range(30, 35), 2, 4)
    broken = stream.cycle(START + timedelta(days=35))
    assert quiet.action == "none"
    assert (broken.action, broken.training) == ("alert", None)
    assert "DRF-IN-x" in broken.codes
    assert {s.code for s in broken.check.signals if s.verdict == "insufficient"} == set()
    renewed = stream.train(START + timedelta(days=36))
    assert renewed.promotion == {"from_version": 1, "to_version": 2}
    assert stream.models.verify().ok


def test_what_needs_a_model_says_that_there_is_none(stream: trueup.Stream, tmp_path: Path) -> None:
    """Too few records, an answer and a replay are refused in words."""
    _take_in(stream, tmp_path, range(0, 2), 0, 1)
    with pytest.raises(NotTrainable, match=r"80 records are known.*200 records"):
        stream.train(START + timedelta(days=2))
    _take_in(stream, tmp_path, range(2, 10), 0, 2)
    stream.train(START + timedelta(days=10))
    for asked in (lambda: stream.predict(tmp_path / "0.csv"), lambda: stream.replay(tmp_path / "0.csv")):
        with pytest.raises(InputError, match="predicts nothing"):
            asked()
