"""Records and what hangs on them are keyed by stream number and place in intake order; a record holds its own label."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# What another refers to comes after it: in this order the former tables can be dropped.
_REMADE = ("feedback", "predictions", "labels", "revisions", "records", "streams")
_INDEXES = {"records": "time", "revisions": "time", "labels": "time", "predictions": "version, time"}


def upgrade() -> None:
    connection = op.get_bind()
    postgres = connection.dialect.name == "postgresql"
    for table, _ in _INDEXES.items():
        op.drop_index(f"ix_{table}_time", table_name=table)
    for table in _REMADE:
        op.rename_table(table, f"former_{table}")
        if postgres:  # the new keys take the names that these have
            op.execute(f"ALTER INDEX {table}_pkey RENAME TO former_{table}_pkey")
    if postgres:
        op.execute("ALTER INDEX records_stream_seq_key RENAME TO former_records_stream_seq_key")
    _create()
    for command in _copies("ctid" if postgres else "rowid"):
        op.execute(command)
    for table, columns in _INDEXES.items():
        op.create_index(f"ix_{table}_time", table, ["stream", *columns.split(", ")])
    for table in _REMADE:
        op.drop_table(f"former_{table}")


def _create() -> None:
    op.create_table(
        "streams",
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.Column("split", sa.JSON()),
        sa.Column("hashed", sa.JSON()),
    )
    op.create_table(
        "records",
        *_key(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("evaluation", sa.Boolean(), nullable=False),
        sa.Column("content", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text()),
        sa.Column("label_known_at", sa.BigInteger()),
        sa.UniqueConstraint("stream", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revisions",
        *_key(),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text()),
    )
    op.create_table(
        "labels",
        *_key(),
        sa.Column("provenance", sa.Text(), primary_key=True),
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "predictions",
        sa.Column("stream", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("predicted", sa.Text(), nullable=False),
        sa.Column("score", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feedback",
        sa.Column("stream", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "value", "user")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("at", "received_at")),
    )


def _key() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("stream", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
    )


def _copies(stored_order: str) -> list[str]:
    """Labels and feedback keep the order in which they were stored, which decides between equals."""
    own_label = "o.stream = f.stream AND o.record_id = f.id AND o.provenance = 'record' AND o.source = ''"
    stream = "JOIN streams s ON s.name = f.stream"
    return [
        "INSERT INTO streams (name, next_seq, split, hashed) SELECT name, next_seq, split, hashed FROM former_streams "
        "ORDER BY name",
        "INSERT INTO records (stream, seq, id, time, evaluation, content, fingerprint, label, label_known_at) "
        "SELECT s.number, f.seq, f.id, f.time, f.evaluation, f.content, f.fingerprint, o.value, o.known_at "
        f"FROM former_records f {stream} LEFT JOIN former_labels o ON {own_label} ORDER BY s.number, f.seq",
        "INSERT INTO revisions (stream, seq, number, time, known_at, segment, place, fingerprint, label) "
        "SELECT s.number, f.seq, f.number, f.time, f.known_at, f.segment, f.place, f.fingerprint, f.label "
        f"FROM former_revisions f {stream} ORDER BY s.number, f.seq, f.number",
        "INSERT INTO labels (stream, seq, provenance, source, time, known_at, value) "
        "SELECT s.number, f.seq, f.provenance, f.source, f.time, f.known_at, f.value "
        f"FROM former_labels f {stream} WHERE f.provenance <> 'record' OR f.source <> '' ORDER BY f.{stored_order}",
        "INSERT INTO predictions (stream, version, seq, time, predicted, score) "
        "SELECT s.number, f.version, f.seq, f.time, f.predicted, f.score "
        f"FROM former_predictions f {stream} ORDER BY s.number, f.version, f.seq",
        'INSERT INTO feedback (stream, id, seq, kind, value, "user", at, received_at) '
        'SELECT s.number, f.id, r.seq, f.kind, f.value, f."user", f.at, f.received_at '
        f"FROM former_feedback f {stream} JOIN former_records r ON r.stream = f.stream AND r.id = f.record_id "
        f"ORDER BY f.{stored_order}",
    ]
