"""What was erased, known by keyed hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("stream", "kind", "mark", "who", "why", "state")),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("versions", "files", "left")),
        sa.Column("done_at", sa.BigInteger()),
    )
    op.create_index("ix_erasures_stream", "erasures", ["stream", "at"])
    op.create_table(
        "tombstones",
        sa.Column("stream", sa.Text(), primary_key=True),
        sa.Column("mark", sa.Text(), primary_key=True),
    )
    op.create_table(
        "erased_files",
        sa.Column("stream", sa.Text(), primary_key=True),
        sa.Column("former", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
    )
