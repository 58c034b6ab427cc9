"""What the fork server imports before it forks, so that no run has to.

The entrances stand here, not all that they bring: what a cycle imports late, in functions of ours or in libraries. The
list was made from `sys.modules` before and after a cycle.
"""

from __future__ import annotations

import importlib
import sys

MODULES = (
    "trueup.flows.serve.cycle_flow",
    "trueup.flows.serve.cycle_page",
    "trueup.flows.cycle.run",
    "trueup.flows.alert.channels.mail",
    "trueup.flows.cli.progress",
    "trueup.monitoring.signals.measure",
    "trueup.monitoring.report.render",
    "trueup.training.artifacts.error_examples",
    "trueup.training.candidates.pipelines",
    "trueup.training.evaluation.head_to_head",
    "trueup.training.models.out_of_time",
    "trueup.training.registry.production_runs",
    "trueup.training.registry.registry",
    "trueup.training.registry.tracking",
    "trueup.training.registry.trusted_types",
    "trueup.training.search",
    # the store and MLflow's, on SQLite
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "mlflow.store.model_registry.sqlalchemy_workspace_store",
    "mlflow.tracking",
    "mlflow.tracing.processor.otel",
    "skops.io",
    "pyarrow.pandas_compat",
    # the report
    "evidently.presets",
    "evidently.legacy.calculations.stattests.registry",
    "evidently.legacy.utils.dashboard",
    "jinja2.ext",
    # Prefect's engine
    "anyio._backends._asyncio",
    "prefect.concurrency._sync",
    "prefect.task_engine",
    "prefect.utilities.visualization",
)


def preload() -> None:
    """Import every module of the list. One that fails is told of and left to the runs, which may not need it."""
    for name in MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a package's import may raise anything
            sys.stderr.write(f"trueup's fork server could not import {name} ahead of the runs: {error!r}\n")
