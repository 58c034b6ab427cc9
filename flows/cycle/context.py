"""A cycle under way, as its steps see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from trueup.flows.app import App
from trueup.flows.cycle.outputs import CheckOutput, DecideOutput, Output, ScoreOutput, StepOutput, output_of
from trueup.flows.cycle.strategies import PRODUCTION, Strategies
from trueup.flows.train.lineage import asked_by_cycle
from trueup.storage.cycles import CycleRecord
from trueup.storage.leases import Lease
from trueup.storage.stream import StreamSettings


@dataclass
class CycleContext:
    """A cycle under way; `cycle` is replaced as its steps become durable."""

    app: App
    stream: StreamSettings
    lease: Lease
    cycle: CycleRecord
    on_candidate: Callable[[Any], None]
    strategies: Strategies = PRODUCTION

    @contextmanager
    def step(self, name: str, output: StepOutput | None) -> Iterator[Connection]:
        """End a step: its output (None: it had nothing to do), and what the block writes, in one transaction.

        Raises:
            LeaseHeld: the lease was lost; nothing of it is written.
        """
        with self.lease.transaction(self.app.database) as connection:
            yield connection
            ended = self._recorded(connection, name, output)
        self.cycle = ended

    def finish_step(self, name: str, output: StepOutput | None) -> None:
        """As `step`, where nothing but the output is written."""
        with self.step(name, output):
            pass

    def keep_output(self, connection: Connection, output: StepOutput) -> None:
        """Keep a step's output within a transaction of somebody else's."""
        self.cycle = self._recorded(connection, output.step, output)

    def output_of(self, kind: type[Output]) -> Output | None:
        """What the step of this kind left behind; None where it had nothing to do, or has not ended."""
        return output_of(self.cycle, kind)

    @property
    def champion(self) -> int | None:
        """The version that the cycle speaks of, whoever answers by now; None where there was none."""
        return self._needed(ScoreOutput).champion

    @property
    def decided(self) -> DecideOutput:
        """What the decide step left behind."""
        return self._needed(DecideOutput)

    @property
    def asked(self) -> dict[str, Any]:
        """What asks for a training in this cycle, as it is kept with a version."""
        checked = self.output_of(CheckOutput)
        return asked_by_cycle(
            self.cycle.id,
            self.decided.decision,
            report_id=checked.check.report_id if checked else None,
            windows=checked.windows if checked else None,
        )

    @property
    def paused(self) -> str:
        """Who paused the stream, when and why; empty where nothing holds the cycle back by now."""
        pause = self.app.pauses.current(self.stream.name)
        return pause.said if pause else ""

    def _needed(self, kind: type[Output]) -> Output:
        left = self.output_of(kind)
        assert left is not None, f"the step '{kind.step}' has not ended"
        return left

    def _recorded(self, connection: Connection, name: str, output: StepOutput | None) -> CycleRecord:
        return self.app.cycles.record_step(connection, self.cycle, name, output.as_json() if output else None)
