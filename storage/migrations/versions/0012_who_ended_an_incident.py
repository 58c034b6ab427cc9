"""Who ended an incident, where a person did, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("resolved_by", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("resolved_why", sa.Text(), nullable=True))
