"""A small deployment with two versions, reports and alerts, ready made; see fixtures/former_home.py."""

from __future__ import annotations

import tarfile
from pathlib import Path

PACKED = Path(__file__).parent / "fixtures" / "former_home.tar.xz"
CHAMPION, PREVIOUS = 2, 1


def unpacked(where: Path) -> Path:
    """The deployment's folder in `where`: another than the one that MLflow's database speaks of."""
    with tarfile.open(PACKED) as packed:
        packed.extractall(where, filter="data")
    return where / "deployment"
