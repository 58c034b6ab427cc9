"""All made shapes: importing this registers those of every file `shapes_….py` beside it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.init.made_shapes import SHAPES

for _file in sorted(Path(__file__).parent.glob("shapes_*.py")):
    import_module(f"tests.init.{_file.stem}")

__all__ = ["SHAPES"]
