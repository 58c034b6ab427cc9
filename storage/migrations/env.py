"""Alembic's entry: runs the migrations on the engine that trueup.storage.database hands over."""

from __future__ import annotations

from alembic import context

import trueup.storage.alert_tables
import trueup.storage.sources.source_tables
import trueup.storage.trainers.trainer_tables  # noqa: F401 - as above
from trueup.storage.sql_views import drop_views, replace_views
from trueup.storage.tables import metadata

with context.config.attributes["engine"].connect().execution_options(trueup_write=True) as connection:
    # SQLite too undoes DDL, so all steps and the views are one transaction, and a process killed in it leaves nothing.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        drop_views(connection)
        context.run_migrations()
        replace_views(connection)
    connection.commit()
