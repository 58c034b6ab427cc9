"""The store's tables of incidents, of the outbox and of silences."""

from __future__ import annotations

import sqlalchemy as sa

from trueup.storage.instants import Instant
from trueup.storage.tables import instants, table_of, texts

incidents = table_of(
    "incidents",
    sa.Column("id", sa.Text, primary_key=True),
    *texts("stream", "cause"),
    sa.Column("codes", sa.JSON, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("acknowledged_at", Instant),
    sa.Column("resolved_at", Instant),
    *(sa.Column(name, sa.Text) for name in ("acknowledged_by", "resolved_by", "resolved_why")),
    sa.Column("outcome", sa.Text),  # of a resolved one: quiet, answered, harmless; null: what its cause says
    sa.Column("refusal_told", sa.Boolean, nullable=False),
)

alerts = table_of(
    "alerts",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),
    sa.Column("incident_id", sa.Text, sa.ForeignKey("incidents.id")),
    *texts("kind", "subject", "text", "html"),
    sa.Column("recipients", sa.JSON, nullable=False),
    *texts("message_id", "in_reply_to"),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending, sent, dead
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", Instant),
    sa.Column("sent_at", Instant),
    sa.Column("error", sa.Text),
    sa.Index("ix_alerts_state", "state", "next_try"),
)

# Whose mails wait until when: `target` is an incident's id or a code of the stream; the newest of a target holds.
silences = table_of(
    "silences",
    sa.Column("id", sa.Text, primary_key=True),
    *texts("stream", "target"),
    *instants("until", "at"),
    *texts("who", "why"),
)
