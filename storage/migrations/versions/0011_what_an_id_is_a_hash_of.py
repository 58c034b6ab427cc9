"""What the id of a stream's records is a hash of, as it was at their first intake."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("streams", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hashed", sa.JSON(), nullable=True))
