"""Which column names a row, and why no other does: ids that a spreadsheet ruined, links, names of somebody else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trueup.feedback.inference.conclusion import Undecided
from trueup.feedback.inference.names import name_words, vocabulary
from trueup.feedback.inference.summary import ColumnSummary, TableSummary
from trueup.feedback.row_ids import RUINED
from trueup.feedback.values import plain
from trueup.storage.formatting import counted_noun

_NAMED = vocabulary("id, ids, uuid, guid, key, identifier, kennung, identifiant, identificador")
_NUMBER = vocabulary("no, nr, num, number, numero, nummer, folio")
# What a row of a file is, in several languages: what is called so and is a number or an id names it.
_RECORD = vocabulary(
    "review, ticket, record, row, response, respondent, survey, event, case, incident, comment, message, tweet, post",
    "transaction, order, invoice, unique, external, annotation, task, issue, feedback, recommendation, appointment",
    "bewertung, bewertungs, rezension, auftrag, auftrags, vorgang, vorgangs, fall, anfrage, bestell, rechnungs, beleg",
    "caso, pedido, resena, factura, avis, commande, dossier, chamado, ordine, pratica, bestelling",
)
# Who or what it is about: it names a row only where the file has one row of each, and nothing that somebody wrote.
_SOMEBODY = vocabulary(
    "user, reviewer, customer, author, member, employee, client, patient, account, person, profile, visitor, network",
    "product, item, app, store, device, kunden, mitarbeiter, cliente, usuario",
)
_ALONE = vocabulary("case, ticket, incident, issue")    # a column that is called only so may be its number
_LITTLE = vocabulary("of, the, de, del, la, der, des, di, do, da")
_COUNTER = vocabulary("unnamed, index, row, rownum, serial, instant")
_NO_ID = vocabulary("unpaid, prepaid, invalid, liquid, hybrid, android, stupid, forbid")
_LINK = re.compile(r"(?i)https?://\S*[?&/#](\w*id)=([^&#\s]+)")
_TOKEN = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=.*\d)(?=.*[a-z])[0-9a-z_./-]{16,}")
_CODE = re.compile(r"(?=.*\d)\S+")
_MOSTLY = 0.99       # of an id's values: so many differ, where a file repeats a few of its rows
_WRITTEN = 4         # words of a value from which on somebody wrote it
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
    written = any(column.words >= _WRITTEN for column in table.columns)
    ranks = {column.name: _rank(column, written) for column in table.columns if column.name not in told}
    best = max(ranks, key=lambda name: ranks[name], default="")
    if ranks.get(best):
        column = table.column(best)
        return RowIdentity(best, _why(column), column.filled - column.distinct, tuple(undecided))
    undecided += [said for column in table.columns if (said := _partial_link(column))]
    repeats = int(table.sample.duplicated().sum()) if len(table.sample.columns) else 0
    why = "no column identifies a row, so the id is a hash of the declared columns"
    return RowIdentity("", why, repeats, tuple(undecided))


def _rank(column: ColumnSummary, written: bool) -> int:
    """How surely a column names a row; 0: it does not. `written`: the file holds what somebody wrote."""
    if not column.filled or column.words >= 2:
        return 0
    own, whole = _words(column.name), column.distinct == column.rows
    if _goes_up_by_one(column) and (own & _COUNTER or own <= _NUMBER):
        return 0
    if _is_link(column):
        return 3 * whole
    called = _by_name(own)
    if called == 2:
        return 2 * (whole and not written and column.rows >= _MANY)
    if called > 2:
        mostly = column.distinct >= _MOSTLY * column.rows and column.rows >= _MANY
        return called * ((whole or mostly) and all(map(_CODE.fullmatch, column.values[:1000])))
    return 1 * (whole and all(map(_TOKEN.fullmatch, column.values[:1000])))


def _by_name(own: frozenset[str]) -> int:
    """What the words of a name say of it: 5 surely an id, 4 and 3 less so, 2 of somebody, 0 nothing."""
    rest = own - _NAMED - _NUMBER
    if own <= _ALONE:
        return 3
    if rest & _SOMEBODY:
        return 2 * (rest != own)
    if own & _NAMED:
        return 5 if rest <= _RECORD else 4
    return 4 * (rest <= _RECORD) if own & _NUMBER else 0


def _why(column: ColumnSummary) -> str:
    lacking, repeats = column.rows - column.filled, column.filled - column.distinct
    if lacking or repeats:
        told = [f"{counted_noun(repeats, 'row')} with the id of another"] * (repeats > 0)
        told += [f"{counted_noun(lacking, 'row')} without one"] * (lacking > 0)
        return f"named like an id; of {counted_noun(column.rows, 'row')} {' and '.join(told)}"
    by = "a link to each row" if _is_link(column) else "named like an id"
    by = by if _is_link(column) or _by_name(_words(column.name)) else "written like a key"
    return f"{by}, and each row has its own"


def _words(name: str) -> frozenset[str]:
    """The words of a column's name, "reviewid" and "Auftragsnummer" as two each, # as number."""
    found: set[str] = set()
    for word in name_words(name.replace("#", " number ")):
        end = next((e for e in ("id", "nummer") if len(word) > len(e) + 3 and word.endswith(e)), "")
        found |= {word.removesuffix(end), end} if end and word not in _NO_ID else {word}
    return frozenset(found - _LITTLE)


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
        f"'{column.name}' holds a link that identifies a row ({found[1] if found else 'id'}=…), but {lacking:,} of "
        f"{column.rows:,} rows have none: with this id they would be refused",
        (f'id = "{column.name}"',),
        column.name,
    )


def _ruined(column: ColumnSummary) -> Undecided | None:
    """Ids whose last digits are gone."""
    bad = [v for v in column.values if RUINED.fullmatch(v)] if _by_name(_words(column.name)) else []
    if not bad:
        return None
    return Undecided(
        "id",
        f"'{column.name}' holds numbers that a spreadsheet rounded, such as {bad[0]}, so different rows have "
        "the same one and it cannot be the id; export the column as text",
        (),
        column.name,
    )


def _two_forms(column: ColumnSummary) -> Undecided | None:
    """One id in two forms, by the sample: 123 and 123.0."""
    values = set(column.values) if _by_name(_words(column.name)) else set()
    both = sorted(v for v in values if (bare := plain(v)) != v and bare in values)
    if not both:
        return None
    return Undecided(
        "id",
        f"'{column.name}' writes {len(both):,} ids in two ways, such as {plain(both[0])} and {both[0]}; both are the "
        "same id",
        (f'id = "{column.name}"',),
        column.name,
    )
