"""The report of a gate: challenger against champion on the same records, as words, figures and Evidently's plots."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from trueup.flows.app import App
from trueup.monitoring.report.two_sides import snapshot_of_models
from trueup.reports.comparison_facts import Cell, ComparisonFacts, FigureTable, PictureFacts
from trueup.storage.comparison_reports import ComparisonLog, ListedComparison
from trueup.storage.content import seed_of
from trueup.storage.formatting import aligned_figure, capitalised, figure, metric_name, percent, signed
from trueup.storage.report_kind import ReportKind
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    from trueup.training.evaluation.model_comparison import ComparedModels
    from trueup.training.evaluation.paired import Paired

log = logging.getLogger("trueup")


def keep_model_comparison(
    app: App,
    stream: StreamSettings,
    champion: int,
    challenger: int,
    as_of: datetime,
    paired: Paired,
    gate: dict[str, Any],
) -> None:
    """Store what the gate compared, as a report of its own; a report that fails is told, and fails no gate."""
    from trueup.training.evaluation.model_comparison import compare_models

    if not len(paired):
        return
    report_id = comparison_id(stream.name, champion, challenger, as_of)
    try:
        found = compare_models(stream.metric, paired)
        facts = model_facts(stream, champion, challenger, found, gate)
        snapshot, notes = snapshot_of_models(
            stream,
            paired.truth,
            (paired.opponent_predicted, paired.opponent_score),
            (paired.challenger_predicted, paired.challenger_score),
            title=facts.title,
            seed=seed_of(stream, as_of),
            as_of=as_of,
        )
        app.report_files.store(stream.name, report_id, snapshot=snapshot)
        listed = ListedComparison(
            report_id=report_id, stream=stream.name, kind=ReportKind.MODELS, as_of=as_of, made_at=app.now(),
            version=challenger, title=facts.title,
        )  # fmt: skip
        ComparisonLog(app.database).keep(listed, {**facts.as_json(), "notes": [*facts.notes, *notes]})
    except Exception as error:  # noqa: BLE001 - whatever it is, the gate's verdict stands without its report
        log.warning("the comparison of v%d with v%d could not be stored as a report: %s", challenger, champion, error)


def comparison_id(stream: str, champion: int, challenger: int, as_of: datetime) -> str:
    """The report of a gate keeps its name when the cycle is resumed."""
    named = f"{stream}|v{champion}|v{challenger}|{iso(as_of)}"
    return blake2b(named.encode(), digest_size=6).hexdigest()


def model_facts(
    stream: StreamSettings, champion: int, challenger: int, found: ComparedModels, gate: dict[str, Any]
) -> ComparisonFacts:
    """What the comparison says, from its figures and the gate's tests."""
    sides = (f"champion v{champion}", f"challenger v{challenger}")
    failed = [test["code"] for test in gate["tests"] if not test["passed"]]
    return ComparisonFacts(
        title=f"{stream.name}: challenger v{challenger} against champion v{champion}",
        sides=sides,
        verdict=_verdict(stream, challenger, found),
        tone="fine" if gate["passed"] else "warn",
        details=(
            "It passed every test of the gate." if not failed
            else f"The gate {'holds it for a person' if gate['passed'] else 'refused it'}: {', '.join(failed)}.",
            *_changed(gate.get("answers") or {}, numbers=stream.is_regression),
        ),
        tables=tuple(_tables(stream, found, sides, gate)),
        pictures=tuple(_pictures(stream, found, sides)),
    )  # fmt: skip


def _verdict(stream: StreamSettings, challenger: int, found: ComparedModels) -> str:
    before, now = found.metrics
    name, records = metric_name(stream.metric), f"{found.records:,} records new to both"
    if before is None or now is None:
        return f"v{challenger} answered {records}, on which {name} is not defined."
    better = now < before if stream.lower_is_better else now > before
    word = "as good" if now == before else "better" if better else "worse"
    return f"v{challenger} is {word} on {records}: {name} {aligned_figure(now)} against {aligned_figure(before)}."


def _changed(answers: dict[str, Any], *, numbers: bool) -> list[str]:
    if not answers:
        return []
    if numbers:
        return [f"Of {answers['records']:,} newest answers {answers['repaired']:,} are nearer to the truth, "
                f"{answers['broken']:,} farther from it."]  # fmt: skip
    return [
        f"Of {answers['records']:,} newest answers {answers['repaired']:,} became right and {answers['broken']:,} "
        f"wrong: {percent(answers['wrong_now'])} are wrong, {percent(answers['wrong_before'])} were."
    ]


def _tables(
    stream: StreamSettings, found: ComparedModels, sides: tuple[str, str], gate: dict[str, Any]
) -> list[FigureTable]:
    rows: list[tuple[Cell, ...]] = [(capitalised(metric_name(stream.metric)), *found.metrics, _change(*found.metrics))]
    if found.areas and stream.metric != "roc_auc":
        rows.append(("ROC AUC", *found.areas, _change(*found.areas)))
    made = [FigureTable(caption="Metric", columns=("figure", *sides, "change"), rows=tuple(rows))]
    tests = tuple((t["code"], "passed" if t["passed"] else "failed", t["said"]) for t in gate["tests"])
    made.append(FigureTable(caption="Tests of the gate", columns=("test", "outcome", "what it says"), rows=tests))
    for side, matrix in zip(sides, found.confusion, strict=False):
        columns = ("truth", *(f"answered {c}" for c in found.classes))
        counted: tuple[tuple[Cell, ...], ...] = tuple((c, *row) for c, row in zip(found.classes, matrix, strict=True))
        made.append(FigureTable(caption=f"Confusion matrix, {side}", columns=columns, rows=counted))
    if found.moves:
        moves: tuple[tuple[Cell, ...], ...] = tuple((*moved, times, _became(moved)) for moved, times in found.moves)
        columns = ("truth", *sides, "records", "what became of them")
        made.append(FigureTable(caption="Answers that changed, the most frequent", columns=columns, rows=moves))
    examples = (gate.get("answers") or {}).get("examples") or []
    if examples:
        mended: tuple[tuple[Cell, ...], ...] = tuple((e["id"], e["truth"], e["before"], e["now"]) for e in examples)
        made.append(FigureTable(caption="Newest records put right", columns=("record", "truth", *sides), rows=mended))
    return made


def _change(before: float | None, now: float | None) -> str | None:
    return None if before is None or now is None else signed(now - before)


def _became(moved: tuple[str, str, str]) -> str:
    truth, before, now = moved
    return "right now" if now == truth else "wrong now" if before == truth else "wrong both times"


def _pictures(stream: StreamSettings, found: ComparedModels, sides: tuple[str, str]) -> list[PictureFacts]:
    made = []
    if found.slices:
        values = {
            "slices": [asdict(part) for part in found.slices],
            "metric": stream.metric,
            "lower_is_better": stream.lower_is_better,
        }
        made.append(PictureFacts(form="slices", name="slices", title="Slices", values=values))
    if len(found.roc) == 2:
        words = [f"{side}, area {figure(area)}" for side, area in zip(sides, found.areas, strict=True)]
        axes = {"across": "share of others taken for it", "up": f"share of '{found.classes[-1]}' found", "dots": False}
        made.append(_curves("roc", "ROC curve", words, found.roc, axes))
    if len(found.calibration) == 2:
        about = "of the answer" if len(stream.label.classes) > 2 else "stated"
        axes = {"across": f"probability {about}", "up": "share that came true", "dots": True}
        made.append(_curves("calibration", "Calibration: on the diagonal, what is stated comes true", list(sides),
                            found.calibration, axes))  # fmt: skip
    if found.errors:
        values = {"edges": found.edges, "before": found.errors[0], "now": found.errors[1]}
        made.append(PictureFacts(form="distribution", name="errors", title="Errors: answer less truth", values=values))
    return made


def _curves(name: str, title: str, words: list[str], curves: Any, axes: dict[str, Any]) -> PictureFacts:
    drawn = [{"words": said, "points": points} for said, points in zip(words, curves, strict=True)]
    return PictureFacts(form="curves", name=name, title=title, values={"curves": drawn, **axes})
