"""The store's table of what trainers were asked for."""

from __future__ import annotations

import sqlalchemy as sa

from trueup.storage.instants import Instant
from trueup.storage.tables import table_of, texts

# One try of a trainer: written before it is asked, closed when what it gave back is taken or refused. key: names the
# job's folder, and is the idempotency key of a Prefect run. run: the same for all tries of one training. state: open,
# taken, nothing, failed or again. asked: who or what asked for it. terms: the trainer's settings, snapshot, seed.
# told: what is known of it since: the run of Prefect, why it ended.
training_requests = table_of(
    "training_requests",
    sa.Column("key", sa.Text, primary_key=True),
    *texts("stream", "run"),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    *(sa.Column(name, Instant, nullable=False) for name in ("as_of", "asked_at", "deadline")),
    sa.Column("ended_at", Instant),
    *(sa.Column(name, sa.JSON, nullable=False) for name in ("asked", "terms", "told")),
    sa.Index("ix_training_requests_state", "stream", "state"),
)
