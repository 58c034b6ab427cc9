"""The gate's run: a registered version is compared with its opponent and put to every test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trueup.flows.app import App
from trueup.flows.check.champion import champion_of, champion_version
from trueup.flows.check.predictions import predictor_of
from trueup.flows.gate.behaviour_cases import own_cases, own_suites
from trueup.flows.gate.champion_line import ancestor_of
from trueup.flows.gate.golden_set import golden_set
from trueup.flows.gate.label_evidence import doubts_of, labelling_of, labels_before
from trueup.flows.gate.later_rows import rows_to_judge
from trueup.flows.gate.model_comparison_report import keep_model_comparison
from trueup.flows.gate.refitted import fit_to_judge, judged_answers
from trueup.flows.gate.registered_answers import ReadBack, difference_in_fresh_process, difference_in_process
from trueup.flows.gate.rows_met import Meet, Meeting, on_later_rows, on_new_rows
from trueup.flows.gate.trainer_answers import answers_out_of_fold, difference_from_trainer
from trueup.flows.train.run import Trained, load_trained
from trueup.monitoring.check import Check
from trueup.storage import snapshots
from trueup.storage.content import seed_of
from trueup.storage.errors import ModelUnusable
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup_model.kept_vectors import vectors_kept

if TYPE_CHECKING:
    from trueup.training.evaluation.label_feed import AnsweredLabels
    from trueup.training.evaluation.labelling import Labelling
    from trueup.training.evaluation.paired import Paired
    from trueup.training.gate.context import StoredModel
    from trueup.training.gate.result import Gate
    from trueup.training.models.fitting import Fitted

Keep = Callable[[App, StreamSettings, int, int, datetime, "Paired", dict[str, Any]], None]  # the comparison as a report


@dataclass(frozen=True)
class GateOutcome:
    """A challenger's evidence: the gate as it is stored, and how many labels newer than the cut-off there were."""

    gate: dict[str, Any]
    from_version: int | None
    labels: int

    @property
    def passed(self) -> bool:
        return bool(self.gate["passed"])

    @property
    def doubts(self) -> tuple[str, ...]:
        """What holds a challenger that passed for a person: the failed tests of that kind, in words."""
        return doubts_of(self.gate)


def with_unit_doubt(outcome: GateOutcome, check: Check | None) -> GateOutcome:
    """The outcome; with GATE-UNIT where a breached column of the check looks as if its unit had changed."""
    from trueup.training.gate.units import unit_test

    changes = {s.code.removeprefix("DRF-IN-"): s.unit_change for s in check.breached if s.unit_change} if check else {}
    if not changes or not outcome.gate["tests"]:
        return outcome
    gate = {**outcome.gate, "tests": [*outcome.gate["tests"], asdict(unit_test(changes))]}
    return replace(outcome, gate=gate)


@dataclass(frozen=True)
class MetricVerdict:
    """What the comparison on the metric came to; `champion`: None where there is none, or it is another service's.

    labels_before, labelling: as `GateContext` has them.
    """

    gate: Gate
    paired: Paired
    labels: int
    champion: StoredModel | None = None
    labels_before: AnsweredLabels | None = None
    labelling: Labelling | None = None


def read_gate_files(app: App, stream: StreamSettings) -> None:
    """Read the files that the gate will ask by: minutes of search are a late moment to learn that one is broken.

    Raises:
        ConfigError: one of them cannot be read as it should.
    """
    golden_set(app, stream)
    own_cases(app, stream)


def run_gate(app: App, stream: StreamSettings, trained: Trained, as_of: datetime) -> GateOutcome:
    """Hold a registered version against the champion, or the first one against the majority class or mean.

    The version is read back by a fresh process, as it will be where it serves.

    Raises:
        ModelUnusable: the champion is lost, or cannot be loaded or scored; nothing is promoted over it.
        TrueupError: the registry cannot be reached.
    """
    return _run_gate(app, stream, trained.version, as_of, difference_in_fresh_process, keep_model_comparison)


def run_gate_in_process(app: App, stream: StreamSettings, trained: Trained, as_of: datetime) -> GateOutcome:
    """As `run_gate`, without a fresh process: for a replay, whose models nobody will ask elsewhere."""
    return _run_gate(app, stream, trained.version, as_of, difference_in_process, None)


def run_gate_again(app: App, stream: StreamSettings, version: int, as_of: datetime) -> GateOutcome:
    """The gate of a version that it refused before, on the rows that came since it and the champion were trained.

    Nothing is fitted: those rows are new to both models, on both sides of the split.

    Raises: as `run_gate`.
    """
    return _run_gate(app, stream, version, as_of, difference_in_fresh_process, keep_model_comparison, again=True)


def run_gate_again_in_process(app: App, stream: StreamSettings, version: int, as_of: datetime) -> GateOutcome:
    """As `run_gate_again`, without a fresh process."""
    return _run_gate(app, stream, version, as_of, difference_in_process, None, again=True)


@vectors_kept()
def _run_gate(
    app: App,
    stream: StreamSettings,
    version: int,
    as_of: datetime,
    read_back: ReadBack,
    keep: Keep | None,
    *,
    again: bool = False,
) -> GateOutcome:
    record = app.promotions.version(stream.name, version)
    assert record is not None
    champion = champion_version(app, stream)
    try:
        fitted, rows = load_trained(app, stream, record)
        failure = ""
        if fitted.recipe.is_foreign:
            failure = difference_from_trainer(app, stream, record, fitted.model, rows)
            fitted = replace(fitted, out_of_fold=answers_out_of_fold(app, stream, record, rows))
    except ModelUnusable as error:
        failure = str(error)
    if failure:
        return _unusable(version, failure, champion)
    try:
        return _tested(app, stream, record, fitted, rows, as_of, read_back, keep, champion=champion, again=again)
    except ModelUnusable as error:
        if error.model is not fitted.model:
            raise  # the champion does not answer: nothing is promoted over it
        return _unusable(version, str(error), champion)


def _unusable(version: int, failure: str, champion: int | None) -> GateOutcome:
    """The gate of a challenger that cannot be asked, or not any more: nothing else of it is judged."""
    from trueup.training.gate.fresh_process import loads_test
    from trueup.training.gate.result import Gate

    return GateOutcome(Gate((loads_test(version, failure),)).as_json(), champion, 0)


def _tested(
    app: App, stream: StreamSettings, record: VersionRecord, fitted: Fitted, rows: Rows, as_of: datetime,
    read_back: ReadBack, keep: Keep | None, *, champion: int | None, again: bool,
) -> GateOutcome:  # fmt: skip
    """Every test of a challenger that could be loaded, on the rows of its snapshot or on later ones."""
    from trueup.training.evaluation.changed_answers import changed_answers
    from trueup.training.gate.context import GateContext, StoredModel
    from trueup.training.gate.fresh_process import loads_test
    from trueup.training.gate.guardrails import guardrail_tests
    from trueup.training.gate.result import Gate

    version = record.version
    judged, of_refit = fit_to_judge(app, stream, record, fitted, rows)
    rows, seed = rows_to_judge(app, stream, record, rows, as_of), seed_of(stream, as_of)
    if champion is None:
        verdict = _against_constant(stream, judged, rows, seed)
    else:
        meet = on_later_rows if again else on_new_rows
        verdict = _against_champion(app, stream, judged, rows, seed, record=record, as_of=as_of, meet=meet)
    reference = snapshots.load(app.archive, record.reference, regression=stream.is_regression).features
    context = GateContext(
        stream=stream,
        seed=seed,
        paired=verdict.paired,
        challenger=StoredModel(fitted.model, app.registry.size(stream.name, record.version)),
        champion=verdict.champion,
        reference=reference,
        labels_before=verdict.labels_before,
        labelling=verdict.labelling,
        golden=golden_set(app, stream),
        own_suites=own_suites(stream, own_cases(app, stream), reference),
    )
    data = Gate.from_json({"tests": record.document.get("data", [])})
    gate = replace(verdict.gate, tests=(*data.tests, *verdict.gate.tests, *guardrail_tests(context)))
    # the process of a trainer's model is a fresh one already
    failure = "" if fitted.recipe.is_foreign else read_back(app, stream, record, fitted.model)
    gate = gate.and_test(*of_refit, loads_test(version, failure))
    kept = gate.as_json() | {"answers": changed_answers(verdict.paired) if champion is not None else {}}
    if keep is not None and champion is not None:
        keep(app, stream, champion, version, as_of, verdict.paired, kept)
    return GateOutcome(kept, champion, verdict.labels)


def _against_constant(stream: StreamSettings, fitted: Fitted, rows: Rows, seed: int) -> MetricVerdict:
    from trueup.training.evaluation.head_to_head import compare_with_constant
    from trueup.training.gate.metric_tests import judge_first

    paired = compare_with_constant(stream, fitted, rows)
    return MetricVerdict(judge_first(stream.metric, paired, seed), paired, len(paired))


def _against_champion(
    app: App, stream: StreamSettings, fitted: Fitted, rows: Rows, seed: int, *, record: VersionRecord, as_of: datetime,
    meet: Meet,
) -> MetricVerdict:  # fmt: skip
    from trueup.training.evaluation.head_to_head import compare_on_older_rows, model_predictor
    from trueup.training.gate.metric_tests import judge_challenger, look_number

    standing = champion_of(app, stream)
    champion = _model_of(app, standing)
    serving = model_predictor(stream, champion.model) if champion else predictor_of(app, stream, standing)
    its_answers = judged_answers(app, stream, standing, serving)
    older = compare_on_older_rows(stream, fitted, its_answers, rows, cut_off=standing.cut_off)
    meeting = Meeting(
        stream=stream, challenger=fitted, record=record, rows=rows, champion=its_answers, standing=standing,
        as_of=as_of, seed=seed,
    )  # fmt: skip
    paired, known = meet(app, meeting)
    newer = known.meta["time"] > standing.cut_off.replace(tzinfo=None)
    labels = int((known.labelled & newer.to_numpy()).sum())
    look = look_number(_looks_before(app, stream, standing.version, record.version), labels)
    rule, ancestor = stream.gate.rule, None
    if rule == "not_worse":
        try:
            ancestor = ancestor_of(app, stream, standing.version, known, paired)
        except ModelUnusable:
            rule = "better"  # what may be lost over the line cannot be told any more
    gate = judge_challenger(stream.metric, paired, seed, look=look, older=older, rule=rule, ancestor=ancestor)
    return MetricVerdict(
        gate,
        paired,
        labels,
        champion,
        labels_before=labels_before(app, stream, standing),
        labelling=labelling_of(stream, known, its_answers, cut_off=standing.cut_off, as_of=as_of),
    )


def _model_of(app: App, standing: VersionRecord) -> StoredModel | None:
    """The champion's model with its size; None where it is another service's."""
    if standing.service is not None:
        return None
    from trueup.training.gate.context import StoredModel

    model = app.registry.load(standing.stream, standing.version)
    return StoredModel(model, app.registry.size(standing.stream, standing.version))


def _looks_before(app: App, stream: StreamSettings, champion: int, version: int) -> list[int]:
    """The labels newer than this champion's cut-off at each earlier look that the gate took at them."""
    return [
        attempt.labels
        for attempt in app.promotions.history(stream.name)
        if attempt.from_version == champion and attempt.to_version != version
        and any(test["code"] == "GATE-BETTER" for test in attempt.gate["tests"])
    ]
