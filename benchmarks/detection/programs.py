"""The experiments that are programs of their own, each of which leaves a file among the results."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
GREENLIGHT = ROOT.parent / "shared" / "data" / "greenlight_play.csv"
POLICIES = ("default",)


def run_programs(results: Path) -> None:
    """Run those whose file is not there yet; what needs the peers' environment is left out where that is not made."""
    for name, command in commands(results).items():
        if (results / name).exists():
            continue
        print(f"{name}: {' '.join(command[1:])}", file=sys.stderr)
        subprocess.run(command, check=True, cwd=ROOT)
    replayed = results / "replay.json"
    if not replayed.exists():
        replayed.write_bytes(_replay())


def commands(results: Path) -> dict[str, Sequence[str]]:
    """The command behind each file."""
    here = (sys.executable, "-m")
    speed = (*here, "benchmarks.detection.speed", "--results", str(results), "--rows")
    estimated = (*here, "benchmarks.detection.estimated", "--results", str(results))
    if not PEERS.exists():
        return {"speed-100000.json": (*speed, "100000"), "estimated.json": estimated}
    return {
        "peers.json": (*here, "benchmarks.detection.peers_table", str(results)),
        "estimated.json": (*estimated, "--peer", str(PEERS)),
        "speed-100000.json": (*speed, "100000"),
        "speed-100000-text.json": (*speed, "100000", "--text", "--repetitions", "3"),
        "speed-1000000.json": (*speed, "1000000", "--repetitions", "3"),
    }


def _replay() -> bytes:
    """Greenlight from 2019-06-30, by the settings under examples/."""
    with tempfile.TemporaryDirectory() as home:
        named = [part for policy in POLICIES for part in ("--policy", policy)]
        done = subprocess.run(
            [sys.executable, "-m", "trueup.flows.cli.main", "replay", str(GREENLIGHT), "--stream", "greenlight",
             "--start", "2019-06-30", *named, "--config", str(ROOT / "examples" / "greenlight.toml"),
             "--home", home, "--json"],
            check=True, cwd=ROOT, stdout=subprocess.PIPE,
        )  # fmt: skip
    return done.stdout
