"""The made shapes are whole: enough of them, each with a truth for every cell, the same at every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.init.shapes import SHAPES


def test_there_are_enough_shapes() -> None:
    """At least 60, in six languages or more, of every field that the measure speaks of."""
    assert len(SHAPES) >= 60
    assert len({maker.language for maker in SHAPES.values()}) >= 6


@pytest.mark.parametrize("name", SHAPES)
def test_a_truth_is_whole(name: str) -> None:
    """Every column has a cell a row, a truth as long as that, a role and a kind."""
    made = SHAPES[name].shape()
    rows = len(made.columns[0].cells)
    for column in made.columns:
        assert len(column.cells) == rows, column.name
        assert column.truth is None or len(column.truth) == rows, column.name
        assert column.roles, column.name
        assert column.kinds, column.name


def test_shapes_write_the_same_bytes_each_time(tmp_path: Path) -> None:
    """A figure of the measure can be repeated."""
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        made = SHAPES["ozon"].shape()
        written.append(made.file.write(folder, "ozon", [(c.name, c.cells) for c in made.columns]).read_bytes())
    assert written[0] == written[1]
