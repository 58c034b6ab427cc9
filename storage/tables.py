"""The store's tables, but for those of alerts, sources and trainers, which stand in files *_tables.py of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from trueup.storage.instants import Instant

metadata = sa.MetaData()


def table_of(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    """A table of the store."""
    return sa.Table(name, metadata, *columns, **options)


def _stream() -> sa.Column[str]:
    return sa.Column("stream", sa.Text, primary_key=True)


def texts(*names: str) -> list[sa.Column[str]]:
    """Columns of text, never null."""
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def instants(*names: str) -> list[sa.Column[datetime]]:
    """Columns of times, never null."""
    return [sa.Column(name, Instant, nullable=False) for name in names]


def _place() -> list[sa.Column[int]]:
    """A record, as the tables of many rows name it: the number of its stream and its place in intake order.

    They refer to `records` by no foreign key: that took a quarter of an intake, and no record is ever taken away alone.
    """
    return [
        sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    ]


# One row a stream: locked while records are appended, so that intake order has no gaps and no ties.
streams = table_of(
    "streams",
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("next_seq", sa.BigInteger, nullable=False),
    sa.Column("split", sa.JSON),  # what decided the side of its records; null: taken in before this was kept
    sa.Column("hashed", sa.JSON),  # what an id is a hash of, where rows have none; null with records: every column
)

# One row an intake batch: its records' content lies in the Parquet file of this name.
segments = table_of(
    "segments",
    _stream(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    *instants("first_time", "last_time"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
)

# When a record was received is told by the segment that its place lies in.
records = table_of(
    "records",
    *_place(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("time", Instant, nullable=False),
    sa.Column("evaluation", sa.Boolean, nullable=False),
    sa.Column("content", sa.BigInteger, nullable=False),
    sa.Column("fingerprint", sa.BigInteger, nullable=False),
    sa.Column("label", sa.Text),  # the raw value that it came with, or that was sent with it later
    sa.Column("label_known_at", Instant),
    sa.UniqueConstraint("stream", "id"),
    sa.Index("ix_records_time", "stream", "time"),
    sqlite_with_rowid=False,
)

# Changes of records, by `on_change = "revise"`: the content lies at a place of the Parquet file of this name.
revisions = table_of(
    "revisions",
    *_place(),
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, kind, nullable=False) for name, kind in (
        ("time", Instant), ("known_at", Instant), ("segment", sa.Text), ("place", sa.Integer),
        ("fingerprint", sa.BigInteger),
    )),
    sa.Column("label", sa.Text),
    sa.Index("ix_revisions_time", "stream", "time"),
)  # fmt: skip

# Ground truth beside a record's own, as it became known; `source` is the feedback's id, or which revision brought it.
labels = table_of(
    "labels",
    *_place(),
    sa.Column("provenance", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    *instants("time", "known_at"),
    sa.Column("value", sa.Text, nullable=False),
    sa.Index("ix_labels_time", "stream", "time"),
)

predictions = table_of(
    "predictions",
    sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", Instant, nullable=False),
    sa.Column("predicted", sa.Text, nullable=False),
    sa.Column("score", sa.Float),
    sa.Index("ix_predictions_time", "stream", "version", "time"),
    sqlite_with_rowid=False,
)

# The Parquet files of predictions of closed months; what one holds stands nowhere else.
prediction_files = table_of(
    "prediction_files",
    _stream(),
    sa.Column("name", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("version", "rows")),
    *instants("first_time", "last_time"),
    sa.Index("ix_prediction_files_time", "stream", "version", "last_time"),
)

feedback = table_of(
    "feedback",
    sa.Column("stream", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    *texts("kind", "value", "user"),
    *instants("at", "received_at"),
)

quarantine = table_of(
    "quarantine",
    _stream(),
    sa.Column("id", sa.Text, primary_key=True),
    *texts("kind", "source"),
    sa.Column("line", sa.BigInteger, nullable=False),
    *texts("reason", "detail", "raw"),
    sa.Column("received_at", Instant, nullable=False),
    *(sa.Column(name, Instant) for name in ("released_at", "happened_at")),  # happened_at: the row's own, if readable
)

# What each registered model version knew, and the Parquet files that hold it.
versions = table_of(
    "versions",
    _stream(),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False),
    *instants("cut_off", "trained_as_of"),
    *texts("snapshot", "reference", "quality"),
    sa.Column("document", sa.JSON, nullable=False),
)

cycles = table_of(
    "cycles",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # running, finished, abandoned
    sa.Column("steps", sa.JSON, nullable=False),  # what each finished step left behind
    sa.Column("document", sa.JSON),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # tries that will not fix themselves
    sa.UniqueConstraint("stream", "as_of"),
)

checks = table_of(
    "checks",
    sa.Column("id", sa.Text, primary_key=True),  # also the report's id
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),  # null: asked for by a person, never counted
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("counted", sa.Boolean, nullable=False),
    *(sa.Column(name, kind) for name, kind in (("last_seq", sa.BigInteger), ("last_time", Instant))),
    *(sa.Column(name, kind, nullable=False) for name, kind in (("document", sa.JSON), ("made_at", Instant))),
    sa.Column("verdict", sa.Text, nullable=False, server_default="insufficient"),
    # Lists read their order, and all that they show of a check, from the index: documents are large.
    sa.Index("ix_checks_newest", "stream", "as_of", "made_at", "id", "version", "counted", "verdict"),
    sa.Index("ix_checks_newest_of_all", "as_of", "made_at", "stream", "id", "version", "counted", "verdict"),
)

comparisons = table_of(
    "comparisons",
    sa.Column("report_id", sa.Text, primary_key=True),
    *texts("stream", "kind"),  # kind: models, periods
    *instants("as_of", "made_at"),
    sa.Column("version", sa.Integer, nullable=False),
    *texts("title"),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Index("ix_comparisons_newest", "stream", "as_of", "made_at"),
)

signals = table_of(
    "signals",
    sa.Column("check_id", sa.Text, sa.ForeignKey("checks.id"), primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    *(sa.Column(name, sa.Float) for name in (
        "value", "threshold", "p_value", "effect", "interval_low", "interval_high",
    )),
    *(sa.Column(name, sa.Text) for name in ("worse", "direction")),
    *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in ("n_reference", "n_current")),
    *texts("said"),
    sa.Column("name", sa.Text, nullable=False, server_default=""),  # what was measured, in a few words
    sa.Index("ix_signals_verdict", "check_id", "verdict", "code"),
)  # fmt: skip

decisions = table_of(
    "decisions",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text, sa.ForeignKey("cycles.id"), nullable=False),
    sa.Column("check_id", sa.Text, sa.ForeignKey("checks.id")),  # null: there was no champion to check
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    *(sa.Column(name, sa.JSON, nullable=False) for name in ("codes", "reasons")),
    sa.Index("ix_decisions_check", "check_id"),
)

# Every attempt to change the champion, with its evidence: written before an alias moves.
promotions = table_of(
    "promotions",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),
    # kind: first, challenger, approved, forced, rollback, probation, outside, elsewhere
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # decided, committed, refused, held, abandoned, expired
    sa.Column("from_version", sa.Integer),
    sa.Column("to_version", sa.Integer),
    *instants("as_of", "at"),
    *texts("who", "why"),
    sa.Column("codes", sa.JSON, nullable=False),
    sa.Column("labels", sa.Integer, nullable=False),  # labels newer than the champion's cut-off, at that time
    sa.Column("gate", sa.JSON, nullable=False),
    sa.Index("ix_promotions_as_of", "stream", "as_of"),
)

# Every pause of a stream and every end of one; the newest is in force.
pauses = table_of(
    "pauses",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
    *texts("who", "why"),
    sa.Index("ix_pauses_at", "stream", "at"),
)

# A check's window that a person accepted as what an input signal compares with, under one champion.
baselines = table_of(
    "baselines",
    sa.Column("id", sa.Text, primary_key=True),
    *texts("stream", "code"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("report_id", sa.Text, sa.ForeignKey("checks.id"), nullable=False),
    *instants("first_time", "last_time", "at"),
    *texts("who", "why"),
    sa.Column("kind", sa.Text, nullable=False, server_default="accepted"),  # accepted, answered, harmless
)

# A version or a report whose files were removed by policy; what is known of it stays in the other tables.
prunings = table_of(
    "prunings",
    _stream(),
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("kind", "name")),  # version and number, report and id
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("done_at", Instant),  # null: decided, and not all of its files are known to be gone
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("left", sa.JSON, nullable=False),  # places that could not be emptied
)

leases = table_of(
    "leases",
    sa.Column("stream", sa.Text, primary_key=True),
    *texts("token", "host"),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process_started", sa.Float, nullable=False),
    *instants("acquired_at", "expires_at"),
)

# A home folder that uses this store.
deployments = table_of(
    "deployments",
    sa.Column("id", sa.Text, primary_key=True),  # as its deployment.json has it
    *texts("path", "host"),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("why", sa.Text, nullable=False),  # of `trueup adopt`
    sa.Column("replaced_by", sa.Text),  # the id of the one that took its place: it may not write any more
    *(sa.Column("replaced_at", Instant), sa.Column("replaced_why", sa.Text)),
)
