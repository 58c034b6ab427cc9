"""A check keeps its own verdict, by which lists filter without reading its signals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_INDEXES = {
    "ix_checks_newest": ["stream", "as_of", "made_at", "id", "version", "counted", "verdict"],
    "ix_checks_newest_of_all": ["as_of", "made_at", "stream", "id", "version", "counted", "verdict"],
}


def upgrade() -> None:
    op.add_column("checks", sa.Column("verdict", sa.Text(), nullable=False, server_default="insufficient"))
    for verdict in ("ok", "breached"):  # in this order: one breach outweighs all that is ok
        op.execute(
            f"UPDATE checks SET verdict = '{verdict}' WHERE id IN "
            f"(SELECT check_id FROM signals WHERE signals.verdict = '{verdict}')"
        )
    for name, columns in _INDEXES.items():
        op.drop_index(name, "checks")
        op.create_index(name, "checks", columns)
