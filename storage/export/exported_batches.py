"""What the store holds of a stream, batch by batch in the order in which it came in, as tables of the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from trueup.storage import tables as t
from trueup.storage.archive import Archive
from trueup.storage.arrow_columns import as_text
from trueup.storage.check_lists import CheckFilter, CheckLists
from trueup.storage.database import Database
from trueup.storage.export.exported_predictions import Taken, tables_of_files
from trueup.storage.export.layout import CHECKS, OWN_COLUMNS, SIGNALS, labels_layout, predictions_layout, records_layout
from trueup.storage.reading import RecordReader, Resolve
from trueup.storage.row_values import numeric
from trueup.storage.rows import META, Rows
from trueup.storage.stream import OWN_PREFIX, StreamSettings
from trueup.storage.stream_numbers import numbered
from trueup.storage.timepoints import TICK

_AT_ONCE = 50_000  # records looked at together
_ACCOUNT = "[account]"  # a user, masked
_CHECKS = 200  # checks whose signals are looked up together


@dataclass(frozen=True)
class Asked:
    """What is taken out: the records with since ≤ time ≤ until, as known at `until`, and the checks of those times.

    mask: what the texts of people are shown through; None: as they are.
    """

    stream: StreamSettings
    since: datetime | None
    until: datetime
    mask: Callable[[str], str] | None = None


@dataclass(frozen=True)
class _Batch:
    """Segments that follow each other in intake order, and the places that they hold."""

    names: tuple[str, ...]
    first: int
    last: int


class StoredBatches:
    """Records, labels, predictions, checks and signals of a stream. on_rows: told how many records are done, of all."""

    def __init__(
        self,
        database: Database,
        archive: Archive,
        reader: RecordReader,
        asked: Asked,
        resolve: Resolve,
        on_rows: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._database, self._archive, self._reader = database, archive, reader
        self._asked, self._stream, self._resolve, self._on_rows = asked, asked.stream, resolve, on_rows

    def of(self, kind: str) -> tuple[pa.Schema, Iterator[pa.Table]]:
        """The layout and the batches of one of `KINDS`."""
        if kind == "records":
            layout = records_layout(self._stream, self._columns())
            return layout, self._records(layout)
        if kind == "labels":
            return labels_layout(self._stream), self._labels()
        if kind == "predictions":
            return predictions_layout(self._stream), self._predictions()
        return (CHECKS, self._checks()) if kind == "checks" else (SIGNALS, self._signals())

    # ---- records ----

    def _records(self, layout: pa.Schema) -> Iterator[pa.Table]:
        for batch in self._batches():
            table = pa.concat_tables([self._segment(name, layout) for name in batch.names]).sort_by("__seq")
            table = self._revised(self._within(table), batch, layout)
            yield self._labelled(table, layout)

    def _segment(self, name: str, layout: pa.Schema) -> pa.Table:
        """A segment's own columns and those of the layout, each of the layout's type."""
        table = self._archive.read_table(name)
        sides = pc.if_else(table.column("__evaluation"), "evaluation", "training")
        times = pc.cast(pc.cast(table.column("__time"), pa.timestamp("us")), layout.field("__time").type)
        columns = {"__id": table.column("__id"), "__time": times, "__seq": table.column("__seq"), "__side": sides}
        unmasked = {self._stream.id, *self._stream.time_columns}
        for field in list(layout)[len(OWN_COLUMNS) :]:
            there = field.name in table.column_names
            column = table.column(field.name) if there else pa.chunked_array([pa.nulls(len(table))])
            if pa.types.is_floating(field.type):
                values = pa.array(numeric(column), from_pandas=True)
            else:
                values = as_text(column)
                if self._asked.mask and field.name not in unmasked:
                    shown = self._account if field.name == self._stream.user else self._masked
                    values = pa.array(map(shown, values.to_pylist()), pa.string())
            columns[field.name] = values
        return pa.table(columns)

    def _revised(self, table: pa.Table, batch: _Batch, layout: pa.Schema) -> pa.Table:
        """The records as their newest change has them; their time and side stay."""
        r = t.revisions.c
        query = sa.select(r.seq, r.segment, r.place).where(self._mine(r), *_between(r.seq, batch))
        with self._database.read() as connection:
            found = connection.execute(query.where(r.known_at <= self._asked.until).order_by(r.seq, r.number))
            newest = {row.seq: row for row in found}
        there = set(table.column("__seq").to_pylist()) if newest else set()
        newest = {seq: row for seq, row in newest.items() if seq in there}
        if not newest:
            return table
        parts = [table.filter(pc.invert(pc.is_in(table.column("__seq"), pa.array(list(newest), pa.int64()))))]
        for name in sorted({row.segment for row in newest.values()}):
            places = [row.place for row in newest.values() if row.segment == name]
            parts.append(self._segment(name, layout).take(places))
        changed = pa.concat_tables(parts).sort_by("__seq")
        for kept in ("__time", "__side"):
            changed = changed.set_column(changed.column_names.index(kept), kept, table.column(kept))
        return changed

    def _labelled(self, table: pa.Table, layout: pa.Schema) -> pa.Table:
        """The records with the label that counts, as a check reads it."""
        count = len(table)
        meta = {name: np.full(count, None, object) for name in META} | {
            "id": np.asarray(table.column("__id").to_pandas()), "seq": table.column("__seq").to_numpy(),
            "time": table.column("__time").cast(pa.timestamp("us")).to_numpy(),
        }  # fmt: skip
        order = np.lexsort((meta["seq"], meta["time"]))
        rows = Rows(pd.DataFrame(index=pd.RangeIndex(count)), pd.DataFrame({n: v[order] for n, v in meta.items()}))
        told = self._reader.labelled(self._stream, rows, self._asked.until).meta
        back = np.argsort(order)
        given = told["label"].to_numpy()[back]
        added = {
            "__label": pa.array(self._resolve(self._stream, given), layout.field("__label").type),
            "__label_given": pa.array(given, pa.string()),
            "__label_known_at": pa.array(told["known_at"].to_numpy()[back]).cast(layout.field("__label_known_at").type),
            "__label_by": pa.array(told["provenance"].to_numpy()[back], pa.string()),
        }
        for name, values in added.items():
            table = table.append_column(name, values)
        return table

    # ---- what stands beside them ----

    def _labels(self) -> Iterator[pa.Table]:
        r, c, f, layout = t.records.c, t.labels.c, t.feedback.c, labels_layout(self._stream)
        given_by = sa.and_(f.stream == c.stream, f.id == c.source)
        beside = t.labels.join(t.records, _same(r, c)).outerjoin(t.feedback, given_by)
        own = sa.select(
            r.id, r.seq, r.time, r.label_known_at.label("known_at"), r.label.label("value"),
            sa.literal("record").label("provenance"), sa.null().label("user"),
        )  # fmt: skip
        others = sa.select(r.id, c.seq, c.time, c.known_at, c.value, c.provenance, f.user).select_from(beside)
        for rows in self._paged((own, r, r.label_known_at), (others, c, c.known_at)):
            given = [row.value for row in rows]
            table = pa.table(
                {
                    "id": [row.id for row in rows], "seq": [row.seq for row in rows],
                    "time": [row.time for row in rows], "known_at": [row.known_at for row in rows],
                    "label": list(self._resolve(self._stream, np.array(given, object))), "given": given,
                    "by": [row.provenance for row in rows],
                    "user": [self._account(row.user) for row in rows],
                }, layout,
            )  # fmt: skip
            yield table

    def _predictions(self) -> Iterator[pa.Table]:
        r, c, layout, taken = t.records.c, t.predictions.c, predictions_layout(self._stream), Taken()
        query = sa.select(r.id, c.seq, c.time, c.version, c.predicted, c.score)
        for rows in self._paged((query.select_from(t.predictions.join(t.records, _same(r, c))), c, c.time)):
            answers = [row.predicted for row in rows]
            taken.add(np.array([row.version for row in rows]), np.array([row.seq for row in rows]))
            yield pa.table(
                {
                    "id": [row.id for row in rows], "seq": [row.seq for row in rows],
                    "time": [row.time for row in rows], "version": [row.version for row in rows],
                    "predicted": list(map(float, answers)) if self._stream.is_regression else answers,
                    "score": [row.score for row in rows],
                }, layout,
            )  # fmt: skip
        after = None if self._asked.since is None else self._asked.since - TICK
        yield from tables_of_files(
            self._database, self._archive, self._stream, after, self._asked.until, taken, layout
        )

    def _paged(self, *queries: tuple[sa.Select[Any], Any, Any]) -> Iterator[Sequence[Any]]:
        """The rows of queries that belong to records of the times asked for, a batch of records at a time.

        Beside each query stand the columns of the table that it goes through, and the time at which a row was known.
        """
        asked, wanted = self._asked, list[tuple[sa.Select[Any], Any]]()
        for query, columns, known in queries:
            where = [self._mine(columns), columns.time <= asked.until, known <= asked.until]
            where += [] if asked.since is None else [columns.time >= asked.since]
            wanted.append((query.where(*where).order_by(columns.seq), columns.seq))
        for batch in self._batches():
            with self._database.read() as connection:
                found = [row for query, seq in wanted for row in connection.execute(query.where(*_between(seq, batch)))]
            if found:
                yield sorted(found, key=lambda row: row.seq)

    # ---- checks ----

    def _checks(self) -> Iterator[pa.Table]:
        for some in self._listed():
            yield pa.table(
                {
                    "report_id": [c.report_id for c in some], "as_of": [c.as_of for c in some],
                    "made_at": [c.made_at for c in some], "champion": [c.version for c in some],
                    "counted": [c.counted for c in some], "breached": [list(c.breached) for c in some],
                    "verdict": [c.verdict for c in some],
                },
                CHECKS,
            )  # fmt: skip

    def _signals(self) -> Iterator[pa.Table]:
        lists = CheckLists(self._database)
        for some in self._listed():
            found = lists.signals_of([check.report_id for check in some])
            rows = [signal for check in some for signal in sorted(found[check.report_id], key=lambda one: one.code)]
            yield pa.table({name: [self._said(name, getattr(row, name)) for row in rows] for name in SIGNALS.names},
                           SIGNALS)  # fmt: skip

    def _listed(self) -> Iterator[Sequence[Any]]:
        """Checks of the times asked for, oldest first."""
        asked = CheckFilter(stream=self._stream.name, since=self._asked.since, until=self._asked.until + TICK)
        found = CheckLists(self._database).page(asked, None)[0][::-1]
        for first in range(0, len(found), _CHECKS):
            yield found[first : first + _CHECKS]

    # ---- shared ----

    def _batches(self, *, told: bool = True) -> Iterator[_Batch]:
        """Segments that may hold records of the times asked for, so many that together they are a batch.

        told: whether on_rows hears of them; their columns alone are looked up beforehand.
        """
        s, asked = t.segments.c, self._asked
        query = sa.select(s.name, s.first_seq, s.rows).where(s.stream == self._stream.name, s.first_time <= asked.until)
        if asked.since is not None:
            query = query.where(s.last_time >= asked.since)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(s.first_seq)).all()
        total, done, waiting = sum(row.rows for row in found), 0, list[Any]()
        for place, row in enumerate(found):
            waiting.append(row)
            if place + 1 == len(found) or sum(one.rows for one in waiting) >= _AT_ONCE:
                yield _Batch(tuple(w.name for w in waiting), waiting[0].first_seq, row.first_seq + row.rows - 1)
                done += sum(one.rows for one in waiting)
                if told:
                    self._on_rows(done, total)
                waiting = []

    def _columns(self) -> list[str]:
        """The columns of every file, in the order in which they first came, but for our own."""
        names = dict[str, None]()
        for batch in self._batches(told=False):
            for segment in batch.names:
                names |= dict.fromkeys(self._archive.columns(segment))
        return [name for name in names if not name.startswith(OWN_PREFIX)]

    def _within(self, table: pa.Table) -> pa.Table:
        times, asked = table.column("__time"), self._asked
        kept = pc.less_equal(times, pa.scalar(asked.until, times.type))
        if asked.since is not None:
            kept = pc.and_(kept, pc.greater_equal(times, pa.scalar(asked.since, times.type)))
        return table.filter(kept)

    def _mine(self, columns: Any) -> Any:
        return columns.stream == numbered(self._stream.name)

    def _masked(self, text: str | None) -> str | None:
        return text if text is None or self._asked.mask is None else self._asked.mask(text)

    def _account(self, user: str | None) -> str | None:
        return _ACCOUNT if user and self._asked.mask else user

    def _said(self, name: str, value: Any) -> Any:
        return self._masked(value) if name == "said" else value


def _same(records: Any, beside: Any) -> Any:
    return sa.and_(records.stream == beside.stream, records.seq == beside.seq)


def _between(seq: Any, batch: _Batch) -> tuple[Any, Any]:
    return seq >= batch.first, seq <= batch.last
