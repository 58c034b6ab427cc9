"""When a refused row happened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("happened_at", sa.BigInteger(), nullable=True))
