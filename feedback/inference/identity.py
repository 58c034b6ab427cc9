"""Which column names a row, and why no other does: ids that a spreadsheet ruined, links, names of somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.row_ids import RUINED
from trueup.feedback.values import plain

_NAMED = frozenset({"id", "ids", "uuid", "guid", "key", "identifier", "kennung", "identifiant", "identificador"})
_RECORD = frozenset({
    "review", "ticket", "record", "row", "response", "respondent", "survey", "event", "case", "comment", "message",
    "tweet", "post", "transaction", "unique", "external", "annotation", "task", "issue", "feedback",
})  # fmt: skip
_OTHERS = frozenset({
    "user", "customer", "product", "order", "store", "account", "item", "patient", "employee", "member", "client",
})  # fmt: skip
_NUMBER = frozenset({"no", "nr", "number", "num"})
_COUNTER = frozenset({"unnamed", "index", "row", "rownum", "serial", "instant"})
_LINK = re.compile(r"(?i)https?://\S*[?&/#](\w*id)=([^&#\s]+)")
_TOKEN = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=.*\d)(?=.*[a-z])[0-9a-z_-]{16,}")
_MOSTLY = 0.99       # of an id's values: so many differ, where a file repeats a few of its rows
_MANY = 200          # rows: that nobody comes twice among so many says that each has one row


@dataclass(frozen=True)
class RowIdentity:
    """The id of a file's rows.

    column: "" where none names a row, and a hash of the declared columns stands for it. repeats: rows whose id stands
    in an earlier row, over the whole file; without a column those of the sample that equal an earlier one of it in all
    columns. undecided: what a person has to look at.
    """

    column: str
    why: str
    repeats: int = 0
    undecided: tuple[Undecided, ...] = ()


def find_id(table: TableSummary) -> RowIdentity:
    """The column that names each row: by its name and by how its values repeat, never by values that were rounded."""
    undecided = [said for column in table.columns if (said := _ruined(column) or _two_forms(column))]
    told = {said.column for said in undecided}
    ranks = {column.name: _rank(column) for column in table.columns if column.name not in told}
    best = max(ranks, key=lambda name: ranks[name], default="")
    if ranks.get(best):
        column = table.column(best)
        return RowIdentity(best, _why(column, ranks[best]), column.filled - column.distinct, tuple(undecided))
    undecided += [said for column in table.columns if (said := _partial_link(column))]
    repeats = int(table.sample.duplicated().sum()) if len(table.sample.columns) else 0
    why = "no column names a row, so the id is a hash of the declared columns"
    return RowIdentity("", why, repeats, tuple(undecided))


def _rank(column: ColumnSummary) -> int:
    """How surely a column names a row; 0: it does not."""
    if not column.filled or column.words >= 2:
        return 0
    own, whole = _words(column.name), column.distinct == column.rows
    if own & _COUNTER and _goes_up_by_one(column):
        return 0
    if _is_link(column):
        return 2 * whole
    if _called_id(own):
        mostly = column.distinct >= _MOSTLY * column.rows and column.rows >= _MANY
        if not own - _NAMED - _RECORD - _NUMBER:
            return 5 if whole else 4 * mostly
        return 3 * (whole and column.rows >= _MANY)
    return 1 * (whole and all(_TOKEN.fullmatch(v) for v in column.values[:1000]))


def _called_id(own: frozenset[str]) -> bool:
    return bool(own & _NAMED) or bool(own & _RECORD and own & _NUMBER)


def _why(column: ColumnSummary, rank: int) -> str:
    lacking, repeats = column.rows - column.filled, column.filled - column.distinct
    if rank == 4:
        told = [f"{repeats:,} rows repeat an id"] * (repeats > 0) + [f"{lacking:,} rows have none"] * (lacking > 0)
        return f"called like an id; of {column.rows:,} rows {' and '.join(told)}"
    by = {5: "called like an id", 3: "called like an id", 2: "a link to each row", 1: "written like a key"}[rank]
    return f"{by}, and each row has its own"


def _words(name: str) -> frozenset[str]:
    """The words of a column's name in small letters: reviewId, reviewid and "Review ID" are two each; # is number."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("#", " number ")
    words = {word.lower() for word in re.split(r"[\W_]+", spaced) if word}
    glued = {w for w in words if w.endswith("id") and w.removesuffix("id") in _RECORD | _OTHERS}
    return frozenset(words - glued | {w.removesuffix("id") for w in glued} | ({"id"} if glued else set()))


def _goes_up_by_one(column: ColumnSummary) -> bool:
    """Whether it is a row number, which the next file begins anew; a sample goes up by its own step."""
    steps = column.quantities[1:] - column.quantities[:-1]
    return bool(len(steps)) and steps[0] >= 1 and bool((steps == steps[0]).all())


def _is_link(column: ColumnSummary) -> bool:
    values = column.values[:1000]
    return bool(values) and all(_LINK.match(v) for v in values)


def _partial_link(column: ColumnSummary) -> Undecided | None:
    """A link that names a row, but not every one."""
    if not _is_link(column) or column.distinct < column.filled or column.filled == column.rows:
        return None
    lacking = column.rows - column.filled
    found = _LINK.match(column.values[0])
    return Undecided(
        "id",
        f"'{column.name}' holds a link that names each row ({found[1] if found else 'id'}=…), but {lacking:,} of "
        f"{column.rows:,} rows have none; as the id it would refuse those",
        (f'id = "{column.name}"',),
        column.name,
    )


def _ruined(column: ColumnSummary) -> Undecided | None:
    """Ids whose last digits are gone."""
    bad = [v for v in column.values if RUINED.fullmatch(v)] if _called_id(_words(column.name)) else []
    if not bad:
        return None
    return Undecided(
        "id",
        f"'{column.name}' holds numbers that a spreadsheet rounded, such as {bad[0]}: different rows share one, so it "
        "is no id; export the column as text",
        (),
        column.name,
    )


def _two_forms(column: ColumnSummary) -> Undecided | None:
    """One id in two forms, by the sample: 123 and 123.0."""
    values = set(column.values) if _called_id(_words(column.name)) else set()
    both = sorted(v for v in values if (bare := plain(v)) != v and bare in values)
    if not both:
        return None
    return Undecided(
        "id",
        f"'{column.name}' holds {len(both):,} ids in two forms, such as {plain(both[0])} and {both[0]}; they count as "
        "one id each",
        (f'id = "{column.name}"',),
        column.name,
    )
