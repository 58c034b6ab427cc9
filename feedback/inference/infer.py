"""All that `init` concludes from one file: clock, id, missing values, answer, roles; each may stay undecided."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trueup.feedback.inference.answer import Answer, find_answer
from trueup.feedback.inference.arrival import Arrival, find_arrived
from trueup.feedback.inference.clock import Clock, find_clock
from trueup.feedback.inference.conclusion import Role, Undecided
from trueup.feedback.inference.detect import Detected
from trueup.feedback.inference.identity import RowIdentity, find_id
from trueup.feedback.inference.leaks import Leak, find_leaks, labels_of, without_leaks
from trueup.feedback.inference.missing import Missing, find_missing
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.roles import find_roles
from trueup.feedback.inference.series import Series, find_series, series_of_order
from trueup.feedback.inference.summary import TableSummary
from trueup.feedback.inference.whose import user_column
from trueup.feedback.values import encodable, escaped
from trueup.storage.stream import OWN_PREFIX

ORDER_STEP = timedelta(hours=1)  # from row to row where the row order is the time, until a person says
FEATURES = ("text", "numeric", "categorical")


@dataclass(frozen=True)
class Inference:
    """What is concluded from a file. `roles`: one for each column, in the file's order.

    row_order: the time is the order of the rows, since a person said so. user: the column that seems to say whose a
    record is; "" where none does.
    """

    detected: Detected
    clock: Clock
    identity: RowIdentity
    answer: Answer
    missing: Missing
    arrival: Arrival
    roles: tuple[Role, ...]
    leaks: tuple[Leak, ...]
    series: Series
    undecided: tuple[Undecided, ...]
    row_order: bool = False
    user: str = ""

    def named(self, role: str) -> tuple[str, ...]:
        """The columns of a role, in the file's order; hours of a date are a category as well."""
        hour = (self.clock.hour,) if role == "categorical" and self.clock.hour else ()
        return (*(r.column for r in self.roles if r.role == role), *hour)

    @property
    def must_decide(self) -> tuple[str, ...]:
        """The settings without which no row can be read, and which the file does not decide."""
        keys = []
        if not self.row_order and not self.clock.formats:
            keys.append("time_format" if self.clock.columns else "time")
        if not any(self.named(role) for role in FEATURES):
            keys.append("text, numeric or categorical")
        return tuple(keys)


def infer(table: TableSummary, detected: Detected, now: datetime, *, row_order: bool = False) -> Inference:
    """What each column of a file is used as, with its reason, and what the file alone does not decide.

    Args:
        now: what lies after it is no record's time.
    """
    clock = _ordered(find_clock(table, now)) if row_order else find_clock(table, now)
    identity = find_id(table)
    taken = {r.column for r in clock.roles} | ({identity.column} - {""}) | unnamed(table)
    missing = find_missing(table, taken, Writing(detected.format))
    writing = Writing(detected.format, _marks(table, missing))
    answer = find_answer(table, taken, writing)
    roles = find_roles(table, taken, answer, writing)
    when = clock.times if len(clock.times) else None
    leaks = find_leaks(table, answer, roles, when, writing)
    roles = without_leaks(roles, leaks)
    arrival = Arrival()
    if answer.column and when is not None:
        arrival = find_arrived(labels_of(table.column(answer.column), answer, writing), when, clock.others)
    roles = _in_order(table, identity, clock, arrival, roles)
    found = Inference(
        detected, clock, identity, answer, missing, arrival, roles, leaks, Series(None, ""),
        (*detected.undecided, *identity.undecided, *clock.undecided, *missing.undecided, *answer.undecided,
         *arrival.undecided),
        row_order, user_column(table, roles),
    )  # fmt: skip
    if found.named("text"):
        series = find_series(clock.times[:0], table.rows)
    elif row_order:
        series = series_of_order(ORDER_STEP, table.rows)
    else:
        series = find_series(clock.times, table.rows)
    return replace(found, series=series, undecided=(*found.undecided, *_nothing_left(found)))


def _nothing_left(found: Inference) -> tuple[Undecided, ...]:
    if any(found.named(role) for role in FEATURES):
        return ()
    said = "every column is the id, a time, the answer or left out, so nothing is left to learn from or to compare"
    left = [r.column for r in found.roles if r.kind == "number" and r.role in ("label", "left out")]
    return (Undecided("feature", said, tuple(f"numeric = {json.dumps([c], ensure_ascii=False)}" for c in left)),)


def _ordered(clock: Clock) -> Clock:
    """The clock of a file whose row order is the time: what its times are stays told."""
    why = "the order of the rows is the time, as --row-order says"
    roles = tuple(replace(r, role="left out", why=why) if r.role == "time" else r for r in clock.roles)
    return Clock(roles=roles, why=why)


def _marks(table: TableSummary, missing: Missing) -> dict[str, frozenset[str]]:
    if not missing.everywhere:
        return {name: frozenset(own) for name, own in missing.marks.items()}
    every = frozenset(mark for own in missing.marks.values() for mark in own)
    return {column.name: every for column in table.columns}


def _in_order(
    table: TableSummary, identity: RowIdentity, clock: Clock, arrival: Arrival, roles: tuple[Role, ...]
) -> tuple[Role, ...]:
    """One role a column, in the file's order."""
    found = {r.column: r for r in (*roles, *clock.roles)}
    if arrival.column:
        found[arrival.column] = Role(arrival.column, "arrived", "time", arrival.why)
    if identity.column:
        found[identity.column] = Role(identity.column, "id", "id", identity.why)
    for name in unnamed(table):
        why = f"the settings cannot name a column '{escaped(name)}': rename it in the file"
        found[name] = Role(name, "left out", found[name].kind if name in found else "category", why)
    return tuple(found[column.name] for column in table.columns)


def unnamed(table: TableSummary) -> set[str]:
    """The columns that no setting can name: without a name, no Unicode text, or called as trueup's own are."""
    names = (column.name for column in table.columns)
    return {name for name in names if not name or name.startswith(OWN_PREFIX) or not encodable(name)}
