"""What a replay holds side by side: a stream's policies, and three baselines that look at no evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trueup.flows.app import App
from trueup.flows.check.comparison import WindowComparison
from trueup.flows.cycle.strategies import Strategies
from trueup.flows.gate.evaluate import GateOutcome, run_gate_again_in_process, run_gate_in_process
from trueup.flows.train.run import Trained
from trueup.monitoring.check import Check
from trueup.monitoring.policy import Action, Decision, History, decide
from trueup.storage.errors import ConfigError
from trueup.storage.policy import BASELINES, OWN_POLICY, Policy
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

PERIOD = 4  # checks from one challenger of `periodic` to the next


@dataclass(frozen=True)
class ReplayPolicy:
    """One policy of a replay: the stream under it, and how its cycles conclude."""

    name: str
    stream: StreamSettings
    strategies: Strategies


def selected_policies(stream: StreamSettings, names: Sequence[str]) -> dict[str, Policy]:
    """The stream's policies of these names, `default` its own one; no names: `default` alone.

    Raises:
        ConfigError: the stream has no policy of a name.
    """
    known = {OWN_POLICY: stream.policy, **stream.policies}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            f"Stream '{stream.name}' has no policy '{unknown[0]}' (it has: {', '.join(known)}), so nothing was "
            f"replayed. Write it under [streams.{stream.name}.policies.{unknown[0]}]."
        )
    return {name: known[name] for name in names or (OWN_POLICY,)}


def replay_policies(
    stream: StreamSettings,
    policies: Mapping[str, Policy],
    moments: Sequence[datetime],
    chosen: Collection[str] = BASELINES,
) -> tuple[ReplayPolicy, ...]:
    """The policies as they stand, then the chosen baselines: a challenger never, at every check, at every fourth.

    A baseline's challenger is promoted whatever it is worth; the alerts are those of the stream's own policy.
    """
    heedless = stream.policy.model_copy(update={"retrain_on": (), "promotion": "auto", "probation": 0})
    due: dict[str, Sequence[datetime]] = {"never": (), "always": moments, "periodic": moments[PERIOD - 1 :: PERIOD]}
    own = [ReplayPolicy(name, _under(stream, policy), REPLAYED) for name, policy in policies.items()]
    baselines = [
        ReplayPolicy(
            name,
            _under(stream, heedless),
            replace(REPLAYED, decide=retrain_at(frozenset(due[name])), judge=without_gate),
        )
        for name in BASELINES
        if name in chosen
    ]
    return (*own, *baselines)


def retrain_at(due: frozenset[datetime]) -> Callable[[Policy, Check, History, datetime], Decision]:
    """The policy's own decision, with a challenger asked for at these times, whatever the check found."""

    def decide_at(policy: Policy, check: Check, history: History, as_of: datetime) -> Decision:
        found = decide(policy, check, history, as_of)
        if as_of not in due:
            return found
        said = "A challenger is due by the calendar of this baseline, whatever the check found."
        return replace(found, action=Action.RETRAIN, reasons=(*found.reasons, said))

    return decide_at


def without_gate(app: App, stream: StreamSettings, trained: Trained, as_of: datetime) -> GateOutcome:
    """Let a challenger pass without any evidence."""
    return GateOutcome({"passed": True, "tests": []}, app.registry.alias(stream.name, "champion"), 0)


def no_report(
    app: App, stream: StreamSettings, champion: VersionRecord, compared: WindowComparison, check: Check
) -> tuple[str, ...]:
    """Draw no report: it would take most of the time."""
    return ()


def no_artifacts(
    stream: StreamSettings, fitted: object, rows: Rows, judged: Rows, seed: int, mask: object
) -> Mapping[str, bytes]:
    """Draw nothing of a training, for the same reason."""
    return {}


def no_record(app: App, stream: StreamSettings) -> None:
    """Keep nothing in MLflow."""


# Nobody opens what would be drawn in a scratch home, nor asks its models elsewhere.
REPLAYED = Strategies(
    draw=no_report, artifacts=no_artifacts, judge=run_gate_in_process, judge_again=run_gate_again_in_process,
    record=no_record,
)  # fmt: skip


def _under(stream: StreamSettings, policy: Policy) -> StreamSettings:
    return stream.model_copy(update={"policy": policy})
