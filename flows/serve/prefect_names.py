"""The private names of Prefect that forked runs rest on, and whether this release has them. Importing this is light.

Prefect has no public way to say how a served deployment's process is started; its own notes (prefect/runner/AGENTS.md)
name `ProcessStarter` as the place for it. A test holds these lists against the release that is installed.
"""

from __future__ import annotations

import importlib
from typing import Any

USED = (
    "prefect.client.schemas.objects:FlowRun",
    "prefect.context:SettingsContext",
    "prefect.context:get_settings_context",
    "prefect.engine:handle_engine_signals",
    "prefect.flow_engine:run_flow",
    "prefect.runner:Runner.__aenter__",
    "prefect.runner._control_channel:ControlChannel.register",
    "prefect.runner._control_channel:ControlChannel.unregister",
    "prefect.runner._deployment_registry:DeploymentRegistry.get_deployment_name",
    "prefect.runner._process_manager:ProcessHandle",
    "prefect.runner._process_manager:create_isolated_termination_scope",
    "prefect.settings.context:get_current_settings",
    "prefect.utilities.processutils:sanitize_subprocess_env",
    "prefect._internal.control_listener:configure_from_env",
)

# What a method must still read or write on its object: `_resolve_starter` is replaced, and must be what a run goes by.
ATTRIBUTES = (
    ("prefect.runner:Runner.__init__", "_control_channel"),
    ("prefect.runner:Runner.__init__", "_deployment_registry"),
    ("prefect.runner:Runner.__init__", "_heartbeat_seconds"),
    ("prefect.runner:Runner.__aenter__", "_scheduled_run_poller"),
    ("prefect.runner._scheduled_run_poller:ScheduledRunPoller._submit_run", "_resolve_starter"),
)


def missing_names() -> list[str]:
    """What of it this release lacks, as `module:name`; importing Prefect."""
    attributes = [f"{method}, {name}" for method, name in ATTRIBUTES if name not in _names_in(_find(method))]
    return [name for name in USED if _find(name) is None] + attributes


def _find(name: str) -> Any:
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _names_in(function: Any) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return code.co_names if code else ()
