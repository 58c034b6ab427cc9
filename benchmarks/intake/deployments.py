"""Small deployments for what is measured: a folder with settings, and a home whose store stands already."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.intake.made_reviews import SETTINGS
from benchmarks.intake.processes import TRUEUP, Spent, spent

_OPEN = "from pathlib import Path; from trueup.storage.database import open_database as o; o({!r}, Path('.trueup'))"


class Deployment:
    """A folder in which trueup runs; its store (at `url`, or SQLite) is empty and at the newest schema."""

    def __init__(self, folder: Path, settings: str = SETTINGS, url: str = "") -> None:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / ".trueup").mkdir(parents=True)
        (folder / "trueup.toml").write_text(settings, encoding="utf-8")
        self.folder = folder
        spent(["-c", _OPEN.format(url)], folder)

    def run(self, *arguments: str) -> Spent:
        """Run a command of trueup."""
        return spent([*TRUEUP, *arguments], self.folder)

    def ingest(self, file: Path) -> Spent:
        """Take a file in."""
        return self.run("ingest", str(file), "--stream", "reviews")


def ingested(file: Path, scratch: Path) -> Spent:
    """What it takes to ingest a file into a new deployment, which is gone afterwards."""
    folder = scratch / "home"
    try:
        return Deployment(folder).ingest(file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def baseline(file: Path, folder: Path) -> Spent:
    """What the yardstick spends on a file."""
    database = folder / "baseline.db"
    try:
        return spent(["-m", "benchmarks.intake.baseline", str(file), str(database)], folder)
    finally:
        for left in folder.glob("baseline.db*"):
            left.unlink()
