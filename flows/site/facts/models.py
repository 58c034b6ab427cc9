"""What the page of a stream's models says, from the store alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trueup.flows.app import App
from trueup.flows.audit.history import what_happened
from trueup.flows.gate.model_comparison_report import comparison_id
from trueup.flows.site.facts.comparisons import comparison_links
from trueup.flows.site.layout import OVERVIEW, href, page_of_models, page_of_stream
from trueup.reports.masking import Mask, masked
from trueup.reports.pages.comparison_rows import ComparisonLink
from trueup.reports.pages.gate_rows import GateRow
from trueup.reports.pages.models_page import ANSWERS, AnswersChanged, AttemptFacts, ModelsFacts, VersionLine
from trueup.storage.promotions import PromotionAttempt, PromotionState, VersionRecord
from trueup.storage.report_kind import ReportKind
from trueup.storage.stream import StreamSettings

_ATTEMPTS, _VERSIONS = 40, 100  # the newest, that are listed
_WHY, _SAID = 600, 300  # characters


def models_facts(app: App, stream: StreamSettings, *, mask: Mask = masked) -> ModelsFacts:
    """Everything on the page; `mask`: what sentences that quote outsiders are shown through."""
    page, history = page_of_models(stream.name), app.promotions.history(stream.name)
    last = app.promotions.last_committed(stream.name)
    champion = last.to_version if last else None
    versions = app.promotions.versions(stream.name, limit=_VERSIONS)
    compared = comparison_links(app, stream.name, page, ReportKind.MODELS)
    return ModelsFacts(
        stream=stream.name,
        metric=stream.metric,
        is_regression=stream.is_regression,
        versions=tuple(_version(record, stream.metric, champion, history) for record in versions),
        attempts=tuple(_attempt(one, mask, compared) for one in history[:_ATTEMPTS]),
        attempts_total=len(history),
        stream_href=href(page, page_of_stream(stream.name)),
        index=href(page, OVERVIEW),
    )


def _version(
    record: VersionRecord, metric: str, champion: int | None, history: Sequence[PromotionAttempt]
) -> VersionLine:
    kept = record.document
    return VersionLine(
        version=record.version,
        state=_state(record, champion, history),
        recipe=_recipe(record),
        metric=(kept.get("metrics") or {}).get(metric),
        labels=kept.get("labels"),
        cut_off=record.cut_off,
        trained_as_of=record.trained_as_of,
    )


def _state(record: VersionRecord, champion: int | None, history: Sequence[PromotionAttempt]) -> str:
    if record.version == champion:
        return ANSWERS
    mine = [attempt for attempt in history if attempt.to_version == record.version]
    if any(attempt.state is PromotionState.COMMITTED for attempt in mine):
        return "was champion"
    return _in_words(mine[0]) if mine else "not judged"


def _recipe(record: VersionRecord) -> str:
    """The kind of model, and what it learns from."""
    if record.service is not None:
        return f"a service's own: {record.service or 'no version named'}"
    recipe = record.document.get("recipe") or {}
    model, feature = (str(recipe.get(name, "")).replace("_", " ") for name in ("model", "feature"))
    return f"{model} on {feature}" if feature else model or "–"


def _attempt(attempt: PromotionAttempt, mask: Mask, compared: Mapping[str, ComparisonLink]) -> AttemptFacts:
    before, now = attempt.from_version, attempt.to_version
    gate_report = None if before is None or now is None else comparison_id(attempt.stream, before, now, attempt.as_of)
    link = compared.get(gate_report or "")
    tests = attempt.gate.get("tests", ())
    return AttemptFacts(
        as_of=attempt.as_of,
        from_version=attempt.from_version,
        to_version=attempt.to_version,
        outcome=_in_words(attempt),
        who=attempt.who,
        why=f"Breached: {', '.join(attempt.codes)}." if attempt.codes else mask(attempt.why, _WHY),
        labels=attempt.labels,
        gain=_figure(tests, "GATE-METRIC"),
        sure=_figure(tests, "GATE-BETTER"),
        answers=answers_changed(attempt),
        tests=gate_rows(attempt, mask),
        comparison_href=link.href if link else "",
    )


def _in_words(attempt: PromotionAttempt) -> str:
    return what_happened({"state": str(attempt.state), "kind": attempt.kind})


def _figure(tests: Sequence[Mapping[str, Any]], code: str) -> float | None:
    return next((test["value"] for test in tests if test["code"] == code), None)


def gate_rows(attempt: PromotionAttempt, mask: Mask) -> tuple[GateRow, ...]:
    """The tests of an attempt's gate; `mask`: what their sentences are shown through."""
    return tuple(GateRow(**{**test, "said": mask(test["said"], _SAID)}) for test in attempt.gate.get("tests", ()))


def answers_changed(attempt: PromotionAttempt) -> AnswersChanged | None:
    """What the challenger answered otherwise than the champion; None where the gate did not compare them."""
    kept = attempt.gate.get("answers") or {}
    if not kept.get("records"):
        return None
    return AnswersChanged(
        records=kept["records"], before=kept["wrong_before"], now=kept["wrong_now"], repaired=kept["repaired"],
        broken=kept["broken"],
    )  # fmt: skip
