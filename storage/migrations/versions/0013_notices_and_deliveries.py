"""Alerts become notices with a delivery for each recipient; incidents have several causes and a severity."""

from __future__ import annotations

import json
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_SENT_ALONE = ("message_id", "in_reply_to", "recipients", "state", "attempts", "next_try", "sent_at", "error", "html")


def upgrade() -> None:
    connection = op.get_bind()
    was = sa.Table("alerts", sa.MetaData(), autoload_with=connection)
    mails = connection.execute(sa.select(was).order_by(was.c.created_at, was.c.id)).mappings().all()
    _incidents(connection)
    op.drop_index("ix_alerts_state", table_name="alerts")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        for name in _SENT_ALONE:
            batch_op.drop_column(name)
        batch_op.alter_column("text", existing_type=sa.Text(), nullable=True)
        batch_op.add_column(sa.Column("severity", sa.Text(), nullable=False, server_default="low"))
        batch_op.add_column(sa.Column("facts", sa.JSON(), nullable=True))
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.alter_column("severity", existing_type=sa.Text(), server_default=None)
    op.create_index("ix_alerts_created", "alerts", ["created_at"])
    deliveries = op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("alert_id", sa.Text(), sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
    )
    op.create_index("ix_deliveries_state", "deliveries", ["state"])
    op.create_index("ix_deliveries_alert", "deliveries", ["alert_id"])
    kept = ("state", "attempts", "next_try", "sent_at", "error")
    rows = [
        {name: mail[name] for name in kept}
        | {
            "id": uuid.uuid4().hex[:12],
            "alert_id": mail["id"],
            "recipient": recipient,
            "message_id": mail["message_id"].strip("<>"),  # a mail that waits goes out as the one it was
        }
        for mail in mails
        for recipient in _listed(mail["recipients"])
    ]
    if rows:
        op.bulk_insert(deliveries, rows)


def _incidents(connection: sa.Connection) -> None:
    # added only: to make the table anew would drop it under the alerts that refer to it
    for name in ("causes", "over"):
        op.add_column("incidents", sa.Column(name, sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    for name in ("severity", "stem", "thread"):
        op.add_column("incidents", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    incidents = sa.Table("incidents", sa.MetaData(), autoload_with=connection)
    for row in connection.execute(sa.select(incidents.c.id, incidents.c.stream, incidents.c.cause)).all():
        connection.execute(
            sa.update(incidents)
            .where(incidents.c.id == row.id)
            .values(
                causes=[row.cause],
                over=[],
                severity="low" if row.cause in ("drift", "data", "feed") else "high",
                stem=f"{row.stream}: {row.cause.replace('_', ' ')}"[:60],
                thread=f"incident.{row.id}@trueup",  # what its first mail was called
            )
        )


def _listed(value: str | list[str]) -> list[str]:
    return json.loads(value) if isinstance(value, str) else value
