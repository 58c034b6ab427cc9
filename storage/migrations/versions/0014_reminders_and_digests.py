"""Reminders and escalations of open incidents, and weekly digests, each told once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "reminders",
        sa.Column("incident_id", sa.Text(), sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "digests",
        sa.Column("recipient", sa.Text(), primary_key=True),
        sa.Column("week", sa.Text(), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id"), nullable=True),
    )
