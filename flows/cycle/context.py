"""A cycle under way, as its steps see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from trueup.flows.app import App
from trueup.flows.cycle.strategies import PRODUCTION, Strategies
from trueup.storage.cycles import CycleRecord
from trueup.storage.leases import Lease
from trueup.storage.stream import Stream


@dataclass
class CycleContext:
    """A cycle under way; `cycle` is replaced as its steps become durable."""

    app: App
    stream: Stream
    lease: Lease
    cycle: CycleRecord
    on_candidate: Callable[[Any], None]
    ways: Strategies = PRODUCTION

    def done(self, step: str, output: Any, also: Callable[[Connection], None] = lambda _: None) -> None:
        self.cycle = self.app.cycles.finish_step(self.lease, self.cycle, step, output, also)

    @property
    def paused(self) -> str:
        """Who paused the stream, when and why; empty where nothing holds the cycle back by now."""
        pause = self.app.pauses.current(self.stream.name)
        return pause.said if pause else ""

    def left(self, step: str) -> Any:
        return self.cycle.steps[step]
