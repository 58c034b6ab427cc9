"""Judging a registered version: what it is held against, and the tests that it is put to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trueup.flows.app import App
from trueup.flows.check.champion import champion_of, champion_version
from trueup.flows.check.predictions import predictor_of
from trueup.flows.gate.behaviour_cases import own_cases
from trueup.flows.gate.golden_set import golden_set
from trueup.flows.gate.guardrails import Meeting, Model, further_tests
from trueup.flows.train.run import Trained, load_trained
from trueup.storage import snapshots
from trueup.storage.content import seed_of
from trueup.storage.errors import ModelUnusable
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import Stream

if TYPE_CHECKING:
    from trueup.training.evaluation.paired import Paired
    from trueup.training.gate.metric_tests import Gate
    from trueup.training.models.fitting import Fitted

ReadBack = Callable[[App, Stream, VersionRecord, Any], str]  # why a version does not answer as it did; empty: it does


@dataclass(frozen=True)
class Judged:
    """A challenger's evidence: the gate as it is stored, and how many labels newer than the cut-off there were."""

    gate: dict[str, Any]
    from_version: int | None
    labels: int

    @property
    def passed(self) -> bool:
        return bool(self.gate["passed"])


@dataclass(frozen=True)
class Met:
    """What came of the contest; `champion` is None where there is none, or where it is another service's."""

    gate: Gate
    paired: Paired
    labels: int
    champion: Model | None = None


def read_gate_files(app: App, stream: Stream) -> None:
    """Read the files that the gate will ask by: minutes of search are a late moment to learn that one is broken.

    Raises:
        ConfigError: one of them cannot be read as it should.
    """
    golden_set(app, stream)
    own_cases(app, stream)


def judge_version(app: App, stream: Stream, trained: Trained, as_of: datetime) -> Judged:
    """Hold a registered version against the champion, or the first one against the majority class or mean.

    The version is read back by a fresh process, as it will be where it serves.

    Raises:
        ModelUnusable: the champion is lost, or cannot be loaded or scored; nothing is promoted over it.
        TrueupError: the registry cannot be reached.
    """
    return _judged(app, stream, trained, as_of, answers_otherwise_elsewhere)


def judge_here(app: App, stream: Stream, trained: Trained, as_of: datetime) -> Judged:
    """As `judge_version`, without a fresh process: for a replay, whose models nobody will ask elsewhere."""
    return _judged(app, stream, trained, as_of, answers_otherwise)


def _judged(app: App, stream: Stream, trained: Trained, as_of: datetime, read_back: ReadBack) -> Judged:
    from trueup.training.gate.metric_tests import Gate, loads

    record = app.promotions.version(stream.name, trained.version)
    assert record is not None
    champion = champion_version(app, stream)
    try:
        fitted, rows = load_trained(app, stream, record)
    except ModelUnusable as error:
        return Judged(Gate((loads(trained.version, str(error)),)).as_json(), champion, 0)
    seed = seed_of(stream, as_of)
    if champion is None:
        met = _first(stream, fitted, rows, seed)
    else:
        met = _against(app, stream, fitted, rows, seed, version=trained.version)
    reference = snapshots.load(app.archive, record.reference, regression=stream.is_regression)
    meeting = Meeting(
        paired=met.paired,
        seed=seed,
        challenger=Model(fitted.model, app.registry.size(stream.name, record.version)),
        champion=met.champion,
        elsewhere=champion is not None and met.champion is None,
        reference=reference.features,
        golden=golden_set(app, stream),
        cases=own_cases(app, stream),
    )
    data = Gate.from_json({"tests": record.document.get("data", [])})
    gate = replace(met.gate, tests=(*data.tests, *met.gate.tests, *further_tests(stream, meeting)))
    gate = gate.and_test(loads(trained.version, read_back(app, stream, record, fitted.model)))
    return Judged(gate.as_json(), champion, met.labels)


def _first(stream: Stream, fitted: Fitted, rows: Rows, seed: int) -> Met:
    from trueup.training.evaluation.head_to_head import first_contest
    from trueup.training.gate.metric_tests import judge_first

    paired = first_contest(stream, fitted, rows)
    return Met(judge_first(stream.metric, paired, seed), paired, len(paired))


def _against(app: App, stream: Stream, fitted: Fitted, rows: Rows, seed: int, *, version: int) -> Met:
    from trueup.training.evaluation.head_to_head import answers_of, contest, older_contest
    from trueup.training.gate.metric_tests import judge, look_of

    standing = champion_of(app, stream)
    champion = _model_of(app, standing)
    its_answers = answers_of(stream, champion.model) if champion else predictor_of(app, stream, standing)
    known = snapshots.load(app.archive, standing.snapshot, regression=stream.is_regression)
    paired = contest(
        stream,
        fitted,
        its_answers,
        rows,
        cut_off=standing.cut_off,
        known_contents=known.meta["content"].to_numpy(),
        seed=seed,
    )
    older = older_contest(stream, fitted, its_answers, rows, cut_off=standing.cut_off)
    newer = rows.meta["time"] > standing.cut_off.replace(tzinfo=None)
    labels = int((rows.labelled & newer.to_numpy()).sum())
    look = look_of(_looks_before(app, stream, standing.version, version), labels)
    return Met(judge(stream.metric, paired, seed, look=look, older=older), paired, labels, champion)


def _model_of(app: App, standing: VersionRecord) -> Model | None:
    """The champion's model with its size; None where it is another service's."""
    if standing.service is not None:
        return None
    model = app.registry.load(standing.stream, standing.version)
    return Model(model, app.registry.size(standing.stream, standing.version))


def _looks_before(app: App, stream: Stream, champion: int, version: int) -> list[int]:
    """The labels newer than this champion's cut-off at each earlier look that the gate took at them."""
    return [
        attempt.labels
        for attempt in app.promotions.history(stream.name)
        if attempt.from_version == champion and attempt.to_version != version
        and any(test["code"] == "GATE-BETTER" for test in attempt.gate["tests"])
    ]


def answers_otherwise(app: App, stream: Stream, record: VersionRecord, model: Any) -> str:
    """Why a version read back from the registry is not the model that was fitted; empty where it is."""
    from trueup.training.gate.fresh_process import otherwise

    rows = snapshots.load(app.archive, record.reference, regression=stream.is_regression)
    return otherwise(stream, rows, model)


def answers_otherwise_elsewhere(app: App, stream: Stream, record: VersionRecord, model: Any) -> str:
    """As `answers_otherwise`, of the version as a fresh process reads it back; `model` is not looked at."""
    from trueup.training.gate.fresh_process import Reading, read_back

    return read_back(
        Reading(
            stream=stream.model_dump(mode="json"),
            version=record.version,
            reference=record.reference,
            archive=app.settings.store.archive,
            home=str(app.home.absolute()),
            uri=app.registry.uri,
            artifact_root=str(app.registry.artifact_root),
            packages=app.registry.packages,
        )
    )
