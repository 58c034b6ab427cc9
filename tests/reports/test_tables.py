"""Tables of a terminal: which columns are kept at a width, and that no line is wider."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from trueup.reports.sparkline import sparkline
from trueup.reports.tables import GAP, Column, laid_out, table

COLUMNS = st.lists(
    st.tuples(
        st.builds(
            Column, st.just("h"), rank=st.integers(0, 3), least=st.one_of(st.none(), st.integers(1, 30)),
            cut=st.booleans(),
        ),
        st.integers(1, 120),
    ),
    min_size=1, max_size=9,
)  # fmt: skip


@given(COLUMNS, st.integers(1, 200))
def test_what_is_kept_fits_and_has_room(given_: list[tuple[Column, int]], width: int) -> None:
    """No column of width 0, no line over the width, none wider than its widest cell, and at least one is kept."""
    columns, natural = [c for c, _ in given_], [n for _, n in given_]
    kept = laid_out(columns, natural, width)
    assert kept
    assert sum(kept.values()) + GAP * (len(kept) - 1) <= width
    assert all(1 <= cells <= natural[k] for k, cells in kept.items())


@given(COLUMNS, st.integers(1, 200))
def test_columns_give_way_in_their_stated_order(given_: list[tuple[Column, int]], width: int) -> None:
    """None is kept while one of a lower rank is dropped, and where all fit as they are all are kept, unbroken."""
    columns, natural = [c for c, _ in given_], [n for _, n in given_]
    kept = laid_out(columns, natural, width)
    gone = set(range(len(columns))) - set(kept)
    assert all(columns[k].rank <= columns[g].rank for k in kept for g in gone)
    if sum(natural) + GAP * (len(natural) - 1) <= width:
        assert kept == dict(enumerate(natural))


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(20, 120))
def test_no_line_is_wider_than_the_terminal(cells: list[str], width: int) -> None:
    """Whatever stands in the cells: wide characters, control characters, words without a space."""
    from rich.cells import cell_len

    from trueup.flows.cli.plain_text import PlainConsole

    out = io.StringIO()
    heads = (Column("id"), Column("what", least=10), Column("why", rank=1, least=12))
    PlainConsole(file=out, width=width).print(table("made", heads, [("abcd1234", cell, cell) for cell in cells]))
    assert all(cell_len(line) <= width for line in out.getvalue().split("\n"))


def test_what_gives_way_is_told() -> None:
    """A column that is left out for want of room is named; one without content is nobody's loss."""
    from rich.console import Console

    out = io.StringIO()
    heads = (Column("id"), Column("why", rank=1), Column("error"))
    Console(file=out, width=20).print(table("made", heads, [("abcd1234", "a long reason", "")]))
    assert "A wider terminal" in out.getvalue()
    assert "why" in out.getvalue()
    assert "error" not in out.getvalue()


def test_the_course_of_a_figure() -> None:
    """It rises where the figure does, and noise of a thousandth is a flat line."""
    assert sparkline([]) == ""
    assert sparkline([0.9, 0.5]) == "▇▁"
    assert len(set(sparkline([0.9, 0.9001, 0.9]))) == 1
    assert len(set(sparkline([0.0, 0.0]))) == 1


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_one_block_for_each_value(values: list[float]) -> None:
    """Whatever the values are."""
    assert len(sparkline(values)) == len(values)
