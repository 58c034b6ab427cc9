"""What light commands cost, against `python -c "import typer, sqlalchemy"` measured beside each of them.

    python -m benchmarks.startup [FOLDER] [--pairs N]

FOLDER is a deployment's, with trueup.toml and .trueup in it; left out: the small one that the tests have.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

COMMANDS = ("--help", "--version", "status", "reports list", "alerts list", "models history -s reviews")
YARDSTICK = "import typer, sqlalchemy"
TRUEUP = "from trueup.flows.cli.main import main; main()"
HEAVY = ("pandas", "pyarrow", "mlflow", "sklearn", "numpy", "evidently", "onnxruntime", "tokenizers")
LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TRUEUP_HOME", "TRUEUP_CONFIG")  # of the environment


@dataclass(frozen=True)
class Cost:
    """Processor time of one command, user and system, in pairs with the yardstick's: their ratios, ascending."""

    command: str
    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    @property
    def spread(self) -> tuple[float, float]:
        """The quartiles."""
        low, _, high = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return low, high


def measure(folder: Path, pairs: int) -> list[Cost]:
    """Each command in `folder`, in turn with the yardstick; the first round, which compiles, does not count."""
    ratios: dict[str, list[float]] = {command: [] for command in COMMANDS}
    for turn in range(pairs + 1):
        for command in COMMANDS:
            ratio = _seconds([TRUEUP, *command.split()], folder) / _seconds([YARDSTICK], folder)
            if turn:
                ratios[command].append(ratio)
    return [Cost(command, tuple(sorted(found))) for command, found in ratios.items()]


def heavy_imports(folder: Path, command: str) -> set[str]:
    """Which of the heavy libraries a command has imported by its end."""
    tell = f"import atexit, sys; atexit.register(lambda: print(*(set({HEAVY}) & set(sys.modules)), file=sys.stderr)); "
    done = _run([tell + TRUEUP, *command.split()], folder)
    return set(done.stderr.decode().split())


def looked_at_in_the_end(folder: Path, command: str) -> int:
    """How many objects Python's last search for garbage looks at, once a command has closed all that it closes."""
    tell = "import atexit, gc, sys; atexit.register(lambda: print(len(gc.get_objects()), file=sys.stderr)); "
    return int(_run([tell + TRUEUP, *command.split()], folder).stderr)


def _seconds(arguments: list[str], folder: Path) -> float:
    before = os.times()
    _run(arguments, folder)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return subprocess.run(
        [sys.executable, "-c", *arguments], cwd=folder, env=environment, capture_output=True, check=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="What light commands cost to start.")
    parser.add_argument("folder", nargs="?", type=Path, help="of a deployment; left out: the tests' small one")
    parser.add_argument("--pairs", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder
        if folder is None:
            from tests.former_deployment import unpacked

            folder = unpacked(Path(scratch))
        print("| command | median | quartiles |\n|---|---|---|")
        for cost in measure(folder, given.pairs):
            low, high = cost.spread
            print(f"| `{cost.command}` | {cost.median:.2f} | {low:.2f}–{high:.2f} |")


if __name__ == "__main__":
    main()
