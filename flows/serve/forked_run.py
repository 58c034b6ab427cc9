"""What a forked child does: one flow run of Prefect's, by Prefect's own engine. Importing this imports Prefect."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

from prefect._internal.control_listener import configure_from_env
from prefect.client.schemas.objects import FlowRun
from prefect.context import SettingsContext, get_settings_context
from prefect.engine import handle_engine_signals
from prefect.flow_engine import run_flow
from prefect.settings import Settings

from trueup.flows.serve.cycle_flow import cycle_flow


def run_flow_run(document: dict[str, Any]) -> None:
    """Run the flow run that the JSON describes, in this process, with the settings of its environment.

    It is what `prefect.flow_engine.run_flow_in_subprocess` does in a process that it spawned.

    Raises:
        SystemExit: Prefect's engine ended the process: status 0 where the run's end is known to the server.
    """
    unshare()
    configure_from_env()  # the channel through which the runner tells of a cancellation
    settings = SettingsContext(profile=get_settings_context().profile, settings=Settings())
    flow_run = FlowRun.model_validate(document)
    with settings, handle_engine_signals(flow_run.id):
        run_flow(cycle_flow, flow_run=flow_run)


def unshare() -> None:
    """Make anew what modules made on import and a fork would otherwise share: random state, an event loop.

    The standard library's `random` does this by itself. Evidently's loop waits on an epoll, which would be one.
    """
    if "numpy" in sys.modules:
        import numpy

        numpy.random.seed()
    if "evidently.legacy.utils.sync" in sys.modules:
        from evidently.legacy.utils import sync

        sync._loop = asyncio.new_event_loop()
        sync._thr = threading.Thread(target=sync._loop.run_forever, name="Async Runner", daemon=True)
