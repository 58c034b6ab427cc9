"""The store's tables of incidents, of the outbox and of silences."""

from __future__ import annotations

import sqlalchemy as sa

from trueup.storage.instants import Instant
from trueup.storage.tables import instants, table_of, texts

# A condition that is open until it resolves.
incidents = table_of(
    "incidents",
    sa.Column("id", sa.Text, primary_key=True),
    *texts("stream", "cause"),  # the gravest of `causes`
    *(sa.Column(name, sa.JSON, nullable=False) for name in ("causes", "codes", "over")),  # over: of `codes`
    *texts("severity", "stem", "thread"),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("acknowledged_at", Instant),
    sa.Column("resolved_at", Instant),
    *(sa.Column(name, sa.Text) for name in ("acknowledged_by", "resolved_by", "resolved_why")),
    sa.Column("outcome", sa.Text),  # of a resolved one: quiet, answered, harmless; null: what its cause says
    sa.Column("refusal_told", sa.Boolean, nullable=False),
)

# A notice: what happened, as facts. The message that tells of it is made when it is sent.
alerts = table_of(
    "alerts",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("cycle_id", sa.Text),
    sa.Column("incident_id", sa.Text, sa.ForeignKey("incidents.id")),
    *texts("kind", "severity", "subject"),
    sa.Column("facts", sa.JSON),  # null: written by a trueup that kept the text instead
    sa.Column("text", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Index("ix_alerts_created", "created_at"),
)

# One notice on its way to one recipient. Those of one message share its id.
deliveries = table_of(
    "deliveries",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.id"), nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),  # a mail address, or channel:NAME
    sa.Column("state", sa.Text, nullable=False),  # pending, sent, dead, dropped
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try", Instant),
    sa.Column("message_id", sa.Text),  # null: no message tells of it that may have been taken
    sa.Column("sent_at", Instant),
    sa.Column("error", sa.Text),  # why the last try failed, or why it was dropped
    sa.Index("ix_deliveries_state", "state"),
    sa.Index("ix_deliveries_alert", "alert_id"),
)

# Whose mails wait until when: `target` is an incident's id or a code of the stream; the newest of a target holds.
silences = table_of(
    "silences",
    sa.Column("id", sa.Text, primary_key=True),
    *texts("stream", "target"),
    *instants("until", "at"),
    *texts("who", "why"),
)

# What is told again of an open incident that nobody has acknowledged: each number once.
reminders = table_of(
    "reminders",
    sa.Column("incident_id", sa.Text, sa.ForeignKey("incidents.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),  # reminder, escalation
    sa.Column("number", sa.Integer, primary_key=True),
    *instants("at"),
)

# A week that a recipient was told of, on their own clock.
digests = table_of(
    "digests",
    sa.Column("recipient", sa.Text, primary_key=True),
    sa.Column("week", sa.Text, primary_key=True),  # ISO 8601: 2026-W48
    *instants("since", "until"),
    sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.id")),  # null: the week in which the recipient was first seen
)
