"""A signal's row has all its figures; lists of checks are read from indexes; views for other programs."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_AT_ONCE = 500  # checks whose documents are read together
_NUMBERS, _WORDS, _COUNTS = ("interval_low", "interval_high"), ("worse", "direction"), ("n_reference", "n_current")


def upgrade() -> None:
    with op.batch_alter_table("signals", schema=None) as batch_op:
        for name in _NUMBERS:
            batch_op.add_column(sa.Column(name, sa.Float(), nullable=True))
        for name in _WORDS:
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=True))
        for name in _COUNTS:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("name", sa.Text(), nullable=False, server_default=""))
    _complete(op.get_bind())
    op.drop_index("ix_checks_as_of", table_name="checks")
    shown = ["id", "version", "counted"]
    op.create_index("ix_checks_newest", "checks", ["stream", "as_of", "made_at", *shown])
    op.create_index("ix_checks_newest_of_all", "checks", ["as_of", "made_at", "stream", *shown])
    op.create_index("ix_decisions_check", "decisions", ["check_id"])
    op.create_index("ix_signals_verdict", "signals", ["check_id", "verdict", "code"])


def _complete(connection: sa.Connection) -> None:
    """Fill the new columns from the checks' documents; one that cannot be read leaves its own empty."""
    checks = sa.Table("checks", sa.MetaData(), sa.Column("id", sa.Text), sa.Column("document", sa.Text))
    signals = sa.Table("signals", sa.MetaData(), autoload_with=connection)
    names = (*_NUMBERS, *_WORDS, *_COUNTS, "name")
    change = (
        sa.update(signals)
        .where(signals.c.check_id == sa.bindparam("of_check"), signals.c.code == sa.bindparam("of_code"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    text = sa.cast(checks.c.document, sa.Text)
    ids = connection.execute(sa.select(checks.c.id).order_by(checks.c.id)).scalars().all()
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        found = connection.execute(sa.select(checks.c.id, text).where(checks.c.id.in_(some))).all()
        rows = [row for check_id, document in found for row in _rows(check_id, document)]
        if rows:
            connection.execute(change, rows)


def _rows(check_id: str, document: str) -> list[dict[str, Any]]:
    try:
        return [_row(check_id, signal) for signal in json.loads(document)["signals"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _row(check_id: str, signal: dict[str, Any]) -> dict[str, Any]:
    low, high = signal.get("interval") or (None, None)
    new = {"interval_low": low, "interval_high": high, "name": signal.get("name") or ""}
    new |= {name: signal.get(name) for name in _WORDS}
    new |= {name: signal.get(name) or 0 for name in _COUNTS}
    return {"of_check": check_id, "of_code": signal["code"], **{f"new_{name}": value for name, value in new.items()}}
