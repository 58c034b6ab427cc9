"""The places where a replay may come to its conclusions otherwise than production does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from trueup.flows.app import App
from trueup.flows.check.run import Draw, draw_report
from trueup.flows.cycle.production import record_production
from trueup.flows.gate.evaluate import GateOutcome, run_gate, run_gate_again
from trueup.flows.train.artifacts import MakeArtifacts, training_artifacts
from trueup.flows.train.run import Trained
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Decision, History, decide
from trueup.storage.policy import Policy
from trueup.storage.stream import StreamSettings


@dataclass(frozen=True)
class Strategies:
    """How a cycle draws a check's report and a training's artifacts, concludes from a check, judges a challenger.

    record: what it keeps of finished cycles in MLflow.
    """

    draw: Draw = draw_report
    artifacts: MakeArtifacts = training_artifacts
    decide: Callable[[Policy, Check, History, datetime], Decision] = decide
    judge: Callable[[App, StreamSettings, Trained, datetime], GateOutcome] = run_gate
    judge_again: Callable[[App, StreamSettings, int, datetime], GateOutcome] = run_gate_again
    record: Callable[[App, StreamSettings], None] = record_production


PRODUCTION = Strategies()
