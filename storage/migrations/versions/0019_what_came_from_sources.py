"""What was taken in from sources: files that were seen, and how far queries were read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "source_files",
        sa.Column("stream", sa.Text(), primary_key=True),
        sa.Column("feed", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text()),
        sa.Column("reading", sa.Text()),
        sa.Column("why", sa.Text()),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger()),
        sa.Column("taken_size", sa.BigInteger()),
    )
    op.create_table(
        "source_marks",
        sa.Column("stream", sa.Text(), primary_key=True),
        sa.Column("feed", sa.Text(), primary_key=True),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("mark", sa.JSON()),
        sa.Column("pulled_at", sa.BigInteger(), nullable=False),
    )
