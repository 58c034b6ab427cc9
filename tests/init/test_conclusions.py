"""Nothing that a file holds, however odd, ends a conclusion in an error, and no conclusion contradicts another."""

from __future__ import annotations

import tomllib

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.class_rules import class_rules
from trueup.feedback.inference.answer import find_answer
from trueup.feedback.inference.leaks import find_leaks, without_leaks
from trueup.feedback.inference.missing import find_missing
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.roles import find_roles
from trueup.feedback.inference.summary import summary_of
from trueup.feedback.text_table import TextTable
from trueup.storage.file_format import FileFormat
from trueup.storage.stream import LabelPolicy

_NAMES = st.one_of(
    st.text(max_size=15), st.sampled_from(["label", "stars", "y", "votes", "user_id", "version", "note", "q1", "price"])
)
_CELLS = st.one_of(
    st.none(), st.text(max_size=10), st.floats().map(str), st.integers(-3, 11).map(str),
    st.sampled_from(
        ["NA", "?", "-200", "4/5", "★★", "<=50K", "=3", "!=", "Yes ", "1.10", "1,5", "1e400", "{}", "\udcff"]
    ),
)  # fmt: skip


@settings(max_examples=examples(80), deadline=None)
@given(st.dictionaries(_NAMES, st.lists(_CELLS, max_size=30), max_size=6), st.sampled_from([".", ","]))
def test_any_table_has_roles_and_settings_that_read(columns: dict[str, list[str | None]], mark: str) -> None:
    """Each column has one role with a reason, rules and marks are settings that load, and the label is no feature."""
    rows = max(map(len, columns.values()), default=0)
    full = {name: object_array([*own, *[None] * (rows - len(own))]) for name, own in columns.items()}
    table = TextTable(full, rows)
    summary = summary_of(list(full), [Chunk(table, np.arange(rows), RawRows(table))])
    format = FileFormat(decimal=mark)  # type: ignore[arg-type]
    missing = find_missing(summary, (), Writing(format))
    writing = Writing(format, {name: frozenset(own) for name, own in missing.marks.items()})
    answer = find_answer(summary, (), writing)
    roles = without_leaks(
        found := find_roles(summary, (), answer, writing), find_leaks(summary, answer, found, None, writing)
    )
    assert [r.column for r in roles] == list(full)
    assert all(r.why for r in roles)
    assert [r.column for r in roles if r.role == "label"] == [answer.column] * bool(answer.task)
    class_rules(LabelPolicy(classes={k: list(v) for k, v in answer.classes.items()}))
    lines = [missing.setting, *(line for one in (*missing.undecided, *answer.undecided) for line in one.settings)]
    for line in lines:
        assert isinstance(tomllib.loads(line.encode("utf-8", "replace").decode()), dict)
