"""The store's tables."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from trueup.storage.instants import Instant

metadata = sa.MetaData()


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns)


def _stream() -> sa.Column[str]:
    return sa.Column("stream", sa.Text, primary_key=True)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _instants(*names: str) -> list[sa.Column[datetime]]:
    return [sa.Column(name, Instant, nullable=False) for name in names]


# One row a stream: locked while records are appended, so that intake order has no gaps and no ties.
streams = _table(
    "streams",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next_seq", sa.BigInteger, nullable=False),
    sa.Column("split", sa.JSON),  # what decided the side of its records; null: taken in before this was kept
    sa.Column("hashed", sa.JSON),  # what an id is a hash of, where rows have none; null with records: every column
)

# One row an intake batch: its records' content lies in the Parquet file of this name.
segments = _table(
    "segments",
    _stream(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    *_instants("first_time", "last_time"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
)

records = _table(
    "records",
    _stream(),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("time", Instant, nullable=False),
    sa.Column("evaluation", sa.Boolean, nullable=False),
    sa.Column("content", sa.BigInteger, nullable=False),
    sa.Column("fingerprint", sa.BigInteger, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.UniqueConstraint("stream", "seq"),
    sa.Index("ix_records_time", "stream", "time"),
)

# Changes of records, by `on_change = "revise"`: the content lies at a place of the Parquet file of this name.
revisions = _table(
    "revisions",
    _stream(),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, kind, nullable=False) for name, kind in (
        ("seq", sa.BigInteger), ("time", Instant), ("known_at", Instant), ("segment", sa.Text), ("place", sa.Integer),
        ("fingerprint", sa.BigInteger),
    )),
    sa.Column("label", sa.Text),
    sa.ForeignKeyConstraint(["stream", "record_id"], ["records.stream", "records.id"]),
    sa.Index("ix_revisions_time", "stream", "time"),
)  # fmt: skip

# Ground truth as it became known; `source` is the feedback's id, empty for the record's own column.
labels = _table(
    "labels",
    _stream(),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("provenance", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    *_instants("time", "known_at"),
    sa.Column("value", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["stream", "record_id"], ["records.stream", "records.id"]),
    sa.Index("ix_labels_time", "stream", "time"),
)

predictions = _table(
    "predictions",
    _stream(),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("time", Instant, nullable=False),
    sa.Column("predicted", sa.Text, nullable=False),
    sa.Column("score", sa.Float),
    sa.ForeignKeyConstraint(["stream", "record_id"], ["records.stream", "records.id"]),
    sa.Index("ix_predictions_time", "stream", "version", "time"),
)

feedback = _table(
    "feedback",
    _stream(),
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("record_id", "kind", "value", "user"),
    *_instants("at", "received_at"),
    sa.ForeignKeyConstraint(["stream", "record_id"], ["records.stream", "records.id"]),
)

quarantine = _table(
    "quarantine",
    _stream(),
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("kind", "source"),
    sa.Column("line", sa.BigInteger, nullable=False),
    *_texts("reason", "detail", "raw"),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("released_at", Instant),
    sa.Column("happened_at", Instant),  # the row's own time; null where it cannot be read
)

# What each registered model version knew, and the Parquet files that hold it.
versions = _table(
    "versions",
    _stream(),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.Text, nullable=False),
    *_instants("cut_off", "trained_as_of"),
    *_texts("snapshot", "reference", "quality"),
    sa.Column("document", sa.JSON, nullable=False),
)

cycles = _table(
    "cycles",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # running, finished, abandoned
    sa.Column("steps", sa.JSON, nullable=False),  # what each finished step left behind
    sa.Column("document", sa.JSON),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # tries that will not mend themselves
    sa.UniqueConstraint("stream", "as_of"),
)

checks = _table(
    "checks",
    sa.Column("id", sa.Text, primary_key=True),  # also the report's id
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),  # null: asked for by a person, never counted
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("counted", sa.Boolean, nullable=False),
    sa.Column("last_seq", sa.BigInteger),
    sa.Column("last_time", Instant),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Index("ix_checks_as_of", "stream", "as_of"),
)

signals = _table(
    "signals",
    sa.Column("check_id", sa.Text, sa.ForeignKey("checks.id"), primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    *(sa.Column(name, sa.Float) for name in ("value", "threshold", "p_value", "effect")),
    sa.Column("said", sa.Text, nullable=False),
)

decisions = _table(
    "decisions",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text, sa.ForeignKey("cycles.id"), nullable=False),
    sa.Column("check_id", sa.Text, sa.ForeignKey("checks.id")),  # null: there was no champion to check
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    *(sa.Column(name, sa.JSON, nullable=False) for name in ("codes", "reasons")),
)

# Every attempt to change the champion, with its evidence: written before an alias moves.
promotions = _table(
    "promotions",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),
    # kind: first, challenger, approved, forced, rollback, probation, outside, elsewhere
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # decided, committed, refused, held, abandoned, expired
    sa.Column("from_version", sa.Integer),
    sa.Column("to_version", sa.Integer),
    *_instants("as_of", "at"),
    *_texts("who", "why"),
    sa.Column("codes", sa.JSON, nullable=False),
    sa.Column("labels", sa.Integer, nullable=False),  # labels newer than the champion's cut-off, at that time
    sa.Column("gate", sa.JSON, nullable=False),
    sa.Index("ix_promotions_as_of", "stream", "as_of"),
)

incidents = _table(
    "incidents",
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("stream", "cause"),
    sa.Column("codes", sa.JSON, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("acknowledged_at", Instant),
    sa.Column("resolved_at", Instant),
    *(sa.Column(name, sa.Text) for name in ("acknowledged_by", "resolved_by", "resolved_why")),
    sa.Column("outcome", sa.Text),  # of a resolved one: quiet, answered, harmless; null: what its cause says
    sa.Column("refusal_told", sa.Boolean, nullable=False),
)

alerts = _table(
    "alerts",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),
    sa.Column("incident_id", sa.Text, sa.ForeignKey("incidents.id")),
    *_texts("kind", "subject", "text", "html"),
    sa.Column("recipients", sa.JSON, nullable=False),
    *_texts("message_id", "in_reply_to"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending, sent, dead
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", Instant),
    sa.Column("sent_at", Instant),
    sa.Column("error", sa.Text),
    sa.Index("ix_alerts_state", "state", "next_try"),
)

# Every pause of a stream and every end of one; the newest is in force.
pauses = _table(
    "pauses",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
    *_texts("who", "why"),
    sa.Index("ix_pauses_at", "stream", "at"),
)

# Whose mails wait until when: `target` is an incident's id or a code of the stream; the newest of a target holds.
silences = _table(
    "silences",
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("stream", "target"),
    *_instants("until", "at"),
    *_texts("who", "why"),
)

# A check's window that a person accepted as what an input signal compares with, under one champion.
baselines = _table(
    "baselines",
    sa.Column("id", sa.Text, primary_key=True),
    *_texts("stream", "code"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("report_id", sa.Text, sa.ForeignKey("checks.id"), nullable=False),
    *_instants("first_time", "last_time", "at"),
    *_texts("who", "why"),
    sa.Column("kind", sa.Text, nullable=False, server_default="accepted"),  # accepted, answered, harmless
)

# A version or a report whose files were removed by policy; what is known of it stays in the other tables.
prunings = _table(
    "prunings",
    _stream(),
    *(sa.Column(name, sa.Text, primary_key=True) for name in ("kind", "name")),  # version and number, report and id
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("done_at", Instant),  # null: decided, and not all of its files are known to be gone
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("left", sa.JSON, nullable=False),  # places that could not be emptied
)

leases = _table(
    "leases",
    sa.Column("stream", sa.Text, primary_key=True),
    *_texts("token", "host"),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("process_started", sa.Float, nullable=False),
    *_instants("acquired_at", "expires_at"),
)

# A home folder that uses this store.
deployments = _table(
    "deployments",
    sa.Column("id", sa.Text, primary_key=True),  # as its deployment.json has it
    *_texts("path", "host"),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("why", sa.Text, nullable=False),  # of `trueup adopt`
    sa.Column("replaced_by", sa.Text),  # the id of the one that took its place: it may not write any more
    *(sa.Column("replaced_at", Instant), sa.Column("replaced_why", sa.Text)),
)
