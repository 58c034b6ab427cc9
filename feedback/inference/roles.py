"""What each column is used as: what a model may learn from, what is only looked at, and why the rest is left out."""

from __future__ import annotations

import re
from collections.abc import Collection

from trueup.feedback.inference.answer import Answer
from trueup.feedback.inference.answer_words import GIVEN, JUDGING, KNOWN_BEFORE, answer_tier
from trueup.feedback.inference.column_kinds import CLEAN, column_kind, each_its_own, row_number, written_as_phone
from trueup.feedback.inference.column_words import (
    called_labeller,
    called_text,
    is_remark,
    why_labeller,
    why_late,
    why_personal,
)
from trueup.feedback.inference.conclusion import Kind, Role
from trueup.feedback.inference.label_values import label_values
from trueup.feedback.inference.names import said_in
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.row_ids import RUINED
from trueup.storage.formatting import counted_noun, percent

_LEVELS = 31   # a number with more distinct values than a month has days is a quantity
_NAME = re.compile(r"(?:[^\W\d_a-z][\w'’-]*\.?,? ){1,3}[^\W\d_a-z][\w'’-]*\.?")
_TITLED = 0.6  # of the words of a name: so many begin with a capital
_SLICES = 200  # values of a version or a key that can be looked at one by one


def find_roles(
    table: TableSummary, taken: Collection[str], answer: Answer, writing: Writing | None = None
) -> tuple[Role, ...]:
    """The role of each column that is not `taken` (id and times), in the file's order, by names and values alone.

    Leaks are measured besides: see `find_leaks`.
    """
    writing = writing or Writing()
    annotated = any(called_labeller(column.name) for column in table.columns)
    free = [column for column in table.columns if column.name not in taken]
    roles = [role_of(column, answer, writing, annotated=annotated) for column in free]
    texts = [one.column for one in roles if one.role == "text"]
    remarks = [name for name in texts if is_remark(name, answer.column)]
    if len(remarks) < len(texts):
        why = f"written together with '{answer.column}', the answer"
        roles = [Role(r.column, "left out", r.kind, why) if r.column in remarks else r for r in roles]
    return tuple(roles)


def role_of(column: ColumnSummary, answer: Answer, writing: Writing, *, annotated: bool = False) -> Role:
    """The role of one column that is neither id nor time. annotated: whether the file names who labelled."""
    kind = column_kind(column, writing)
    if answer.task and column.name == answer.column:
        return Role(column.name, "label", kind, answer.why)
    why = _why_not(column, kind, answer, writing, annotated=annotated)
    if why:
        return Role(column.name, "left out", kind, why)
    if kind in ("version", "code"):
        told = "a version" if kind == "version" else "a key"
        why = f"{told} with {column.distinct:,} values: used as a slice, not as a feature"
        return Role(column.name, "slices", kind, why)
    if kind == "text":
        return Role(column.name, "text", kind, f"texts of {column.words:.0f} words")
    if kind == "number":
        return _number(column, writing)
    return Role(column.name, "categorical", kind, f"{column.distinct:,} values")


def _number(column: ColumnSummary, writing: Writing) -> Role:
    _, slips = writing.number_share(column)
    told = f"; {sum(n for _, n in slips):,} cells are not numbers, such as {slips[0][0][:40]!r}" if slips else ""
    numbers = writing.numbers(column)
    numbers = numbers[numbers == numbers]
    few = bool(len(numbers)) and len(set(numbers.tolist())) <= _LEVELS and bool((numbers == numbers.round()).all())
    if few and not slips:
        return Role(column.name, "categorical", "number", f"whole numbers, {column.distinct:,} values{told}")
    return Role(column.name, "numeric", "number", f"a number, {column.distinct:,} values{told}")


def _why_not(column: ColumnSummary, kind: Kind, answer: Answer, writing: Writing, *, annotated: bool) -> str:
    """Why a column is neither a feature nor a slice; "" where it is one."""
    name = column.name
    if kind == "empty":
        return "it holds no value"
    if kind == "constant":
        value, cells = column.commonest(1)[0]
        return f"one value only: {value[:40]!r} in {cells:,} of {counted_noun(column.rows, 'row')}"
    if name in answer.candidates:
        return "it could be the answer"
    told = why_labeller(name, answer.column, text=kind == "text", annotated=annotated)
    told = told or why_late(name, number=kind == "number") or _other_answer(column, answer, writing)
    if told:
        return told
    many = kind in ("text", "id", "code") and column.distinct > 20 and 1 < column.words < 7 and _titled(column)
    person = why_personal(name, many=many) or _addresses(column) or _names(column, kind)
    if person and kind != "number":
        return person
    ruined = kind in ("id", "code") and any(RUINED.fullmatch(v) for v in column.values)
    if kind == "id" or ruined:
        told = "the row number" if row_number(column) else "a key"
        rounded = "; a spreadsheet rounded it" * ruined
        return f"{told}: {counted_noun(column.distinct, 'value')} in {counted_noun(column.filled, 'row')}{rounded}"
    if kind in ("code", "version") and (column.distinct > _SLICES or each_its_own(column)):
        named = "key" if kind == "code" else kind
        return f"a {named} with {counted_noun(column.distinct, 'value')} in {counted_noun(column.filled, 'row')}"
    share, others = writing.number_share(column) if kind == "number" else (1.0, ())
    if share < CLEAN:
        odd = others[0][0] if others else column.values[0]
        return f"{percent(1 - share)} of its cells are not numbers in the notation of this file, such as {odd[:40]!r}"
    return {"url": "links", "nested": "a list or an object in each cell"}.get(kind, "")


def _other_answer(column: ColumnSummary, answer: Answer, writing: Writing) -> str:
    """Why a column is what the same person said at the same time as the answer; "" where it is not."""
    both = said_in(answer.column, JUDGING) and said_in(column.name, GIVEN)
    given = both and answer_tier(column.name) and not said_in(column.name, KNOWN_BEFORE)
    judged = given and label_values(column, writing)
    return f"another answer, given together with '{answer.column}'" if judged else ""


def _names(column: ColumnSummary, kind: Kind) -> str:
    """Why short texts say who a person is; "" where they do not look like names."""
    if kind != "text" or called_text(column.name):
        return ""
    names = sum(bool(_NAME.fullmatch(v)) for v in column.values[:500])
    return "probably names: they identify a person" if names > 0.9 * len(column.values[:500]) else ""


def _titled(column: ColumnSummary) -> bool:
    """Whether most words begin with a capital letter, as in names."""
    words = [word for value in column.values[:500] for word in value.split()]
    return sum(word[0].isupper() or not word[0].isascii() for word in words) > _TITLED * len(words)


def _addresses(column: ColumnSummary) -> str:
    values = column.values[:500]
    mails = sum("@" in v and " " not in v and "." in v.rpartition("@")[2] for v in values)
    if mails * 2 > len(values):
        return "mail addresses: they identify a person"
    return "telephone numbers: they identify a person" if written_as_phone(values) else ""
