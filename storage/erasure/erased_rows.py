"""The rows of a person or of one record: found by keyed hash, read once more, and taken out of SQL and Parquet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.arrow_columns import is_text
from trueup.storage.database import Database
from trueup.storage.erasure.needles import Needles, words_in
from trueup.storage.erasure.refused_rows import refused_names, refused_values
from trueup.storage.erasure.tombstones import RECORD, USER, Tombstones
from trueup.storage.history.prediction_files import files_of_all_versions, without
from trueup.storage.stream import StreamSettings
from trueup.storage.stream_numbers import numbered

_AT_ONCE = 500
_A_DAY = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")  # a time names nobody, and documents are full of them
_DIGITS = 7  # of a number that may name somebody


@dataclass(frozen=True)
class FoundRows:
    """Places in intake order of the records, ids of records and of refused ones, ids of feedback, and the user."""

    seqs: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()
    users: tuple[str, ...] = ()


class ErasedRows:
    """What a stream holds of a user or under an id. on_rows: told how many records are looked through, of all."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        stream: StreamSettings,
        tombstones: Tombstones,
        on_rows: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._database, self._archive, self._stream = database, archive, stream
        self._tombstones, self._on_rows = tombstones, on_rows
        self._number = numbered(stream.name)

    # ---- found ----

    def find(self, kind: str, mark: str) -> FoundRows:
        """The rows whose id or user has this keyed hash."""
        users = set[str]()
        if kind == RECORD:
            records = {seq: name for seq, name, _ in self._marked({mark})}
        else:
            seqs, users = self._of_user(mark) if self._stream.user else (set[int](), users)
            records = self._with_ids(sorted(seqs))
        f = t.feedback.c
        query = sa.select(f.id, f.seq, f.user).where(f.stream == self._number)
        with self._database.read() as connection:
            given = connection.execute(query).all()
        told = sorted({row.user for row in given if row.user}) if kind == USER else []
        users |= {u for u, m in zip(told, self._marks(USER, told), strict=True) if m == mark}
        feedback = tuple(row.id for row in given if row.user in users or row.seq in records)
        ids = {*records.values()}
        with self._database.read() as connection:
            refused = refused_names(connection, self._stream)
        names = sorted({record if kind == RECORD else user for record, user in refused} - {""})
        theirs = {name for name, m in zip(names, self._marks(kind, names), strict=True) if m == mark}
        ids, users = (ids | theirs, users) if kind == RECORD else (ids, users | theirs)
        return FoundRows(tuple(records), tuple(sorted(ids)), feedback, tuple(sorted(users)))

    def _marks(self, kind: str, values: Sequence[str]) -> list[str]:
        return self._tombstones.marks(self._stream.name, kind, values)

    def stored_marks(self, marks: Collection[str]) -> list[str]:
        """Of these keyed hashes of ids those of records that are stored."""
        return [mark for _, _, mark in self._marked(set(marks))]

    def _marked(self, marks: set[str]) -> Iterator[tuple[int, str, str]]:
        """Place, id and keyed hash of each record whose id has one of these hashes."""
        r = t.records.c
        query = sa.select(r.seq, r.id).where(r.stream == self._number)
        with self._database.read() as connection:
            for rows in connection.execution_options(yield_per=50_000).execute(query).partitions():
                for row, mark in zip(rows, self._marks(RECORD, [row.id for row in rows]), strict=True):
                    if mark in marks:
                        yield row.seq, row.id, mark

    def _of_user(self, mark: str) -> tuple[set[int], set[str]]:
        found = set[int]()
        known = dict[str, bool]()
        for name in self._files():
            table = self._archive.read_table(name, [self._stream.user, "__seq"])
            if self._stream.user not in table.column_names:
                continue
            users = [None if u is None else str(u) for u in table.column(self._stream.user).to_pylist()]
            fresh = sorted({u for u in users if u is not None} - known.keys())
            known |= {u: m == mark for u, m in zip(fresh, self._marks(USER, fresh), strict=True)}
            seqs = table.column("__seq").to_pylist()
            found |= {seq for seq, u in zip(seqs, users, strict=True) if u is not None and known[u]}
        return found, {user for user, theirs in known.items() if theirs}

    def _with_ids(self, seqs: Sequence[int]) -> dict[int, str]:
        r, found = t.records.c, dict[int, str]()
        with self._database.read() as connection:
            for some in _parts(seqs):
                query = sa.select(r.seq, r.id).where(r.stream == self._number, r.seq.in_(some))
                found |= {row.seq: row.id for row in connection.execute(query)}
        return found

    # ---- what only they held ----

    def needles(self, found: FoundRows) -> Needles:
        """Words and values of the found rows that no other row holds, of whatever stream."""
        own, gone = {*found.ids, *found.users}, set(found.seqs)
        for table in self._tables(gone, found):
            for _, texts in _columns(table, self._stream):
                own |= {text for text in texts if text}
        own |= self._said(found, theirs=True)
        with self._database.read() as connection:
            own |= refused_values(connection, self._stream, found.ids, found.users)
        words, values = words_in(own), {value for value in own if _names_somebody(value)}
        values |= {name for name in (*found.ids, *found.users) if _is_picture(name)}
        own_files = set(self._files())
        files = [*own_files, *self._files(others=True)]
        for done, name in enumerate(files, 1):
            self._on_rows(done, len(files))
            table = self._archive.read_table(name)
            if gone and name in own_files:
                table = table.filter(pc.invert(_is_in(table, gone)))
            for _, texts in _columns(table, self._stream):
                values -= texts
                words -= words_in(texts)
        others = self._said(found, theirs=False)
        return Needles(words - words_in(others), values - others)

    def _said(self, found: FoundRows, *, theirs: bool) -> set[str]:
        """Users and values of feedback: of that which goes, or of all other."""
        f, mine, said = t.feedback.c, set(found.feedback), set[str]()
        with self._database.read() as connection:
            for row in connection.execute(sa.select(f.id, f.user, f.value).where(f.stream == self._number)):
                said |= {row.user, row.value} if (row.id in mine) == theirs else set()
        return {text for text in said if text}

    def _tables(self, gone: set[int], found: FoundRows) -> Iterator[pa.Table]:
        for name in self._files():
            if gone and _any(self._archive.read_table(name, ["__seq"]), gone):
                table = self._archive.read_table(name)
                yield table.filter(_is_in(table, gone))

    def _files(self, *, others: bool = False) -> list[str]:
        """The Parquet files of records and of their changes, the stream's own or those of all others."""
        s, r = t.segments.c, t.revisions.c
        mine, changed = s.stream == self._stream.name, r.stream == self._number
        records = sa.select(s.name).where(~mine if others else mine).order_by(s.stream, s.first_seq)
        changes = sa.select(r.segment).distinct().where(~changed if others else changed).order_by(r.segment)
        with self._database.read() as connection:
            return [name for query in (records, changes) for name in connection.execute(query).scalars()]

    def holding(self, found: FoundRows, files: Sequence[str]) -> set[str]:
        """Which of these files of rows hold some of them."""
        gone = set(found.seqs)
        return {name for name in files if gone and _any(self._archive.read_table(name, ["__seq"]), gone)}

    # ---- taken out ----

    def rewritten(self, found: FoundRows, snapshots: Sequence[str]) -> Mapping[str, str]:
        """New files without the rows, by the name of the one that each stands for; nothing names them yet.

        A file of changes keeps its rows at their places, with nothing in them: places are how they are found.
        """
        gone, made = set(found.seqs), dict[str, str]()
        for name in dict.fromkeys([*self._files(), *snapshots]):
            if gone and _any(self._archive.read_table(name, ["__seq"]), gone):
                table = self._archive.read_table(name)
                places_count = "/revisions/" in f"/{name}"
                kept = _emptied(table, gone) if places_count else table.filter(pc.invert(_is_in(table, gone)))
                made[name] = self._archive.write_table(str(PurePosixPath(name).parent), kept)
        return made

    def take_out(self, connection: Connection, found: FoundRows, made: Mapping[str, str]) -> list[str]:
        """Delete the rows in SQL, and have the new files count in place of the old ones.

        Returns the files of answers that do not count any more.
        """
        for table in (t.records, t.labels, t.predictions, t.revisions, t.feedback):
            for some in _parts(found.seqs):
                connection.execute(sa.delete(table).where(table.c.stream == self._number, table.c.seq.in_(some)))
        f, c = t.feedback.c, t.labels.c
        for given in _parts(found.feedback):
            connection.execute(sa.delete(t.feedback).where(f.stream == self._number, f.id.in_(given)))
            connection.execute(sa.delete(t.labels).where(c.stream == self._number, c.source.in_(given)))
        s, r, v = t.segments.c, t.revisions.c, t.versions.c
        for former, name in made.items():
            mine = s.stream == self._stream.name
            connection.execute(sa.update(t.segments).where(mine, s.name == former).values(name=name))
            changed = r.stream == self._number
            connection.execute(sa.update(t.revisions).where(changed, r.segment == former).values(segment=name))
            for column in ("snapshot", "reference", "quality"):
                named = sa.and_(v.stream == self._stream.name, v[column] == former)
                connection.execute(sa.update(t.versions).where(named).values({column: name}))
        return list(self._answers_out(connection, np.array(found.seqs, np.int64)))

    def _answers_out(self, connection: Connection, places: np.ndarray) -> Iterator[str]:
        p = t.prediction_files.c
        if not len(places):
            return
        for _, file in files_of_all_versions(connection, self._stream.name):
            name, rows = without(self._archive, file.name, "seq", places)
            if name == file.name:
                continue
            here = sa.and_(p.stream == self._stream.name, p.name == file.name)
            if name is None:
                connection.execute(sa.delete(t.prediction_files).where(here))
            else:
                connection.execute(sa.update(t.prediction_files).where(here).values(name=name, rows=rows))
            yield file.name


def _is_in(table: pa.Table, seqs: set[int]) -> pa.ChunkedArray:
    return pc.is_in(table.column("__seq"), pa.array(sorted(seqs), pa.int64()))


def _any(table: pa.Table, seqs: set[int]) -> bool:
    return bool(pc.any(_is_in(table, seqs)).as_py())


def _emptied(table: pa.Table, seqs: set[int]) -> pa.Table:
    kept = pc.invert(_is_in(table, seqs))
    for place, name in enumerate(table.column_names):
        if name == "__id" or not name.startswith("__"):
            column = table.column(name)
            table = table.set_column(place, name, pc.if_else(kept, column, pa.scalar(None, column.type)))
    return table


def _columns(table: pa.Table, stream: StreamSettings) -> Iterator[tuple[str, set[str]]]:
    """The distinct values of each column that may name somebody, as text."""
    for name in table.column_names:
        if name in stream.time_columns or (name.startswith("__") and name != "__id"):
            continue
        column = table.column(name)
        if is_text(column.type):
            yield name, {value for value in pc.unique(column).to_pylist() if value}
        elif pa.types.is_integer(column.type) and name not in stream.numeric:
            yield name, {str(value) for value in pc.unique(column).to_pylist() if value is not None}


def _names_somebody(value: str) -> bool:
    digits = sum(c.isdigit() for c in value)
    letters = any(c.isalpha() for c in value)
    return not _A_DAY.match(value) and (letters or digits >= _DIGITS)


def _is_picture(name: str) -> bool:
    """Whether a name is of signs such as emoji: two or more of them, and no word."""
    return sum(unicodedata.category(c) == "So" for c in name) > 1 and not words_in([name])


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for first in range(0, len(values), _AT_ONCE):
        yield values[first : first + _AT_ONCE]
