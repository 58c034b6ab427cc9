"""What became of an incident, and why records are a signal's baseline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("incidents", sa.Column("outcome", sa.Text(), nullable=True))
    op.add_column("baselines", sa.Column("kind", sa.Text(), nullable=False, server_default="accepted"))
