"""The public Python face, and nothing else.

    import trueup

    with trueup.open("trueup.toml") as deployment:
        reviews = deployment.stream("reviews")
        reviews.ingest(frame)
        check = reviews.check(as_of="2019-12-31")

Everything here is loaded when it is first asked for, so that `import trueup` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trueup.alerts import Alerts
    from trueup.data_comparison import Data
    from trueup.deployment import Deployment, demo, init
    from trueup.deployment import open_deployment as open
    from trueup.models import Champion, Models
    from trueup.monitoring.check import Check, Signal, Verdict
    from trueup.quarantine import Quarantine
    from trueup.reports.runbook import runbook_page as runbook
    from trueup.results import CycleResult, TrainResult
    from trueup.site import Site
    from trueup.storage.errors import (
        ConfigError,
        InputError,
        LeaseHeld,
        ModelUnusable,
        NoChampion,
        NotTrainable,
        StaleEvidence,
        StoreUnusable,
        TimeRefused,
        TrueupError,
        UsageError,
    )
    from trueup.stored_reports import Reports, StoredReport
    from trueup.stream import Stream

    __version__: str

__all__ = [
    "Alerts",
    "Champion",
    "Check",
    "ConfigError",
    "CycleResult",
    "Data",
    "Deployment",
    "InputError",
    "LeaseHeld",
    "ModelUnusable",
    "Models",
    "NoChampion",
    "NotTrainable",
    "Quarantine",
    "Reports",
    "Signal",
    "Site",
    "StaleEvidence",
    "StoreUnusable",
    "StoredReport",
    "Stream",
    "TimeRefused",
    "TrainResult",
    "TrueupError",
    "UsageError",
    "Verdict",
    "demo",
    "init",
    "open",
    "runbook",
]  # fmt: skip
_MODULES = {
    "Alerts": "alerts", "Champion": "models", "Check": "monitoring.check", "CycleResult": "results",
    "Data": "data_comparison",
    "Deployment": "deployment", "Models": "models", "Quarantine": "quarantine", "Reports": "stored_reports",
    "Signal": "monitoring.check", "Site": "site", "StoredReport": "stored_reports", "Stream": "stream",
    "TrainResult": "results", "Verdict": "monitoring.check", "demo": "deployment", "init": "deployment",
    "open": "deployment", "runbook": "reports.runbook",
}  # fmt: skip
_OTHER_NAMES = {"open": "open_deployment", "runbook": "runbook_page"}  # where a name of ours would hide one of Python's


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("trueup")
    if name not in __all__:
        raise AttributeError(f"module 'trueup' has no attribute '{name}'")
    module = import_module(f"trueup.{_MODULES.get(name, 'storage.errors')}")
    return getattr(module, _OTHER_NAMES.get(name, name))


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
