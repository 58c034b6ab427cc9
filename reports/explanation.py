"""Why a version is champion, and what another would have needed: sentences made of the audit trail alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trueup.reports.explanation_facts import ChampionExplanation, OtherExplanation, Trail, TrainingRequest
from trueup.storage.formatting import figure
from trueup.storage.promotions import GATED, PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.timepoints import to_minute

_PASSED, _APART = "  passed", "  –     "  # how the lines of tests begin; the second: not applied
_CAME = {
    PromotionKind.FIRST: "as the first champion, through its gate",
    PromotionKind.CHALLENGER: "through its gate",
    PromotionKind.AGAIN: "through its gate, where it was judged again on rows that came after it had been refused",
    PromotionKind.APPROVED: "approved by a person after it had passed its gate",
    PromotionKind.FORCED: "forced by a person, whatever its gate said",
    PromotionKind.ROLLBACK: "by a person who went back to it",
    PromotionKind.PROBATION: "by going back to it, since the version after it lost its probation",
    PromotionKind.ELSEWHERE: "because the service that answers the records went over to it: it passed no gate",
    PromotionKind.REFERENCE: "as the reference of newer records: the stream predicts nothing",
    PromotionKind.OUTSIDE: "set in MLflow, not by trueup: it passed no gate and has no reason",
}
_STATES = {
    "champion": "is champion",
    "unknown": "is not known to the store",
    "unjudged": "was never judged by the gate",
    "untrained": "gave no version",
    "refused": "was refused by its gate",
    "lacking": "had too little evidence for its gate",
    "held": "passed its gate and waits",
    "expired": "passed its gate, and nobody approved it in time",
    "abandoned": "passed its gate and was set aside",
    "decided": "passed its gate and is being promoted",
    "former": "was champion",
}
_MEASURED = {
    "GATE-LABELS": "labels new to both models",
    "GATE-METRIC": "a gain in {metric}",
    "GATE-BETTER": "how sure it is to be better",
    "GATE-LOSS": "how likely it loses a point to the champion",
    "GATE-LINE": "how likely it loses a point to the version that the champion's line began with",
    "GATE-REFIT": "the judged fit, made again, is the one that its figures are of",
    "GATE-LOADS": "the same answers when loaded from the registry",
}


def explain_champion(trail: Trail) -> ChampionExplanation | None:
    """Why the champion is champion; None where there is none."""
    if trail.champion is None:
        return None
    event = next((p for p in trail.history if _made(p, trail.champion)), None)
    judged = _judged(trail, trail.champion)
    tests = tuple(judged.gate["tests"]) if judged else ()
    asked = trail.asked.get(judged.cycle_id) if judged and judged.cycle_id else None
    return ChampionExplanation(
        version=trail.champion,
        event_id=event.id if event else None,
        at=event.at if event else None,
        as_of=event.as_of if event else None,
        who=event.who if event else None,
        kind=event.kind if event else None,
        why=event.why if event else None,
        from_version=event.from_version if event else None,
        labels=judged.labels if judged else None,
        gain=next((test["value"] for test in tests if test["code"] == "GATE-METRIC"), None),
        asked=asked,
        tests=tests,
        probation=trail.probation,
        said=tuple(_champion_said(trail, event, judged, asked)),
    )


def explain_others(trail: Trail, which: Sequence[int] = ()) -> tuple[OtherExplanation, ...]:
    """The versions named, in their order; without a name all since the champion came, newest first, and who waits."""
    if which:
        return tuple(_other(trail, _judged(trail, version), version) for version in which)
    place = next((k for k, p in enumerate(trail.history) if _made(p, trail.champion)), len(trail.history))
    judged = [
        p
        for k, p in enumerate(trail.history)
        if p.kind in GATED and (k < place or p.state is PromotionState.HELD) and p.to_version != trail.champion
    ]
    told = {trail.champion} | {number for p in trail.history for number in (p.from_version, p.to_version)}
    never = sorted(set(trail.versions) - told, reverse=True)
    return (
        *(_other(trail, None, version) for version in never),
        *(_other(trail, p, p.to_version) for p in judged),
    )


def needed(test: Mapping[str, Any], metric: str) -> str:
    """What it would have taken to pass a test that failed, whichever it is: told from its figure, bound and words."""
    code, value, bound = test["code"], test["value"], test["bound"]
    what = _MEASURED.get(code, "").format(metric=metric)
    named = f"{code}: {what + ', ' if what else ''}"
    if value is None or bound is None:
        return f"{named}{test['said']}"
    # it failed, so the bound lies on the other side of the figure
    side = "more than" if value == bound else "at least" if value < bound else "at most"
    return f"{named}{side} {figure(bound)}, and it had {figure(value)}. {_sentence(test['said'])}"


def _champion_said(
    trail: Trail, event: PromotionAttempt | None, judged: PromotionAttempt | None, asked: TrainingRequest | None
) -> list[str]:
    version = f"v{trail.champion}"
    if event is None:
        said = [f"{version} is champion, and the store knows of no event that made it so."]
    else:
        over = "" if event.from_version is None else f" over v{event.from_version}"
        said = [
            f"{version} is champion since {event.at:%Y-%m-%d %H:%M} UTC{over}, {_CAME[event.kind]} "
            f"({event.who}: {_sentence(event.why)})"
        ]
    if judged is not None and (event is None or judged.id != event.id):
        said.append(f"It was trained and judged as of {judged.as_of:%Y-%m-%d %H:%M} UTC: {_sentence(judged.why)}")
    if asked is not None and asked.report_id:
        window = f", of the records {_span(asked.first_time, asked.last_time)}," if asked.first_time else ""
        codes = f" with {', '.join(asked.codes)}" if asked.codes else ""
        said.append(f"Check {asked.report_id}{window} led to it{codes}.")
    if judged is None or not judged.gate["tests"]:
        said.append("No gate has judged it.")
    else:
        held = "a constant answer" if judged.from_version is None else f"v{judged.from_version}"
        said.append(f"Its gate compared it with {held}:")
        said += [f"{_verdict(test)} {test['code']}: {_sentence(test['said'])}" for test in judged.gate["tests"]]
    if trail.probation is not None:
        said.append(_probation(trail.probation))
    return said


def _span(first: str, last: str | None) -> str:
    """From when to when, by ISO times as they are stored."""
    return "from " + " to ".join(to_minute(datetime.fromisoformat(time)) for time in (first, last) if time)


def _other(trail: Trail, judged: PromotionAttempt | None, version: int | None) -> OtherExplanation:
    state, wants = _standing(trail, judged, version)
    failed = tuple(test for test in judged.gate["tests"] if not test["passed"]) if judged else ()
    name = "A training" if version is None else f"v{version}"
    when = "" if judged is None else f", as of {judged.as_of:%Y-%m-%d %H:%M} UTC"
    return OtherExplanation(
        version=version,
        state=state,
        at=judged.at if judged else None,
        as_of=judged.as_of if judged else None,
        against=judged.from_version if judged else None,
        asked=trail.asked.get(judged.cycle_id) if judged and judged.cycle_id else None,
        labels=_labels(judged),
        labels_needed=judged.gate.get("labels_needed") if judged else None,
        failed=failed,
        needed=tuple(wants),
        said=f"{name} {_STATES[state]}{when}.",
    )


def _standing(trail: Trail, judged: PromotionAttempt | None, version: int | None) -> tuple[str, list[str]]:
    """How far a version came, and what it would have needed, or would need, to be champion."""
    promote = f"trueup models promote --to {version} --stream {trail.stream} --why '...'"
    if version is not None and version == trail.champion:
        return "champion", []
    if version is not None and version not in trail.versions:
        return "unknown", [f"See what there is: trueup models list --stream {trail.stream}"]
    left = next((p for p in trail.history if version is not None and _left(p, version)), None)
    if left is not None:
        when = f"{left.at:%Y-%m-%d %H:%M} UTC"
        after = f"v{left.to_version} took its place at {when} ({left.kind}): {_sentence(left.why)}"
        back = f"To go back to it: trueup models rollback --to {version} --stream {trail.stream} --why '...'"
        return "former", [after, back]
    if judged is None:
        return "unjudged", ["A finished training: trueup train continues one that was killed before its gate."]
    if version is None:
        failed = [needed(test, trail.metric) for test in judged.gate["tests"] if not test["passed"]]
        return "untrained", failed or [_sentence(judged.why)]
    if judged.state is PromotionState.REFUSED:
        wants = [needed(test, trail.metric) for test in judged.gate["tests"] if not test["passed"]]
        lacking = judged.gate.get("outcome") == "not enough evidence"
        return ("lacking" if lacking else "refused"), [*wants, *_more_labels(judged), *_again(trail, judged)]
    if judged.from_version != trail.champion:
        return str(judged.state), _again(trail, judged)
    if judged.state is PromotionState.HELD:
        doubts = [f"{test['code']}: {_sentence(test['said'])}" for test in judged.gate["tests"] if not test["passed"]]
        return "held", [*doubts, f"A person's approval{', once that is checked' if doubts else ''}: {promote}"]
    if judged.state is PromotionState.DECIDED:
        return "decided", ["Nothing more: the next cycle, training or manual change finishes it."]
    return str(judged.state), [f"A person's approval in time, or now one by force: {promote} --force"]


def _more_labels(judged: PromotionAttempt) -> list[str]:
    """How many labels would have shown a gain worth having, where there were fewer."""
    takes, found = judged.gate.get("labels_needed"), _labels(judged)
    if not takes or found is None or found >= takes:
        return []
    return [f"About {takes:,} new labels, where there were {found:,}: so many detect a gain worth having with 90 % "
    "power."]


def _labels(judged: PromotionAttempt | None) -> int | None:
    tests = judged.gate["tests"] if judged else ()
    return next((int(test["value"]) for test in tests if test["code"] == "GATE-LABELS" and test["value"]), None)


def _again(trail: Trail, judged: PromotionAttempt) -> list[str]:
    """A gate against the present champion, where it met another one."""
    if judged.from_version == trail.champion or trail.champion is None:
        return []
    met = "a constant answer" if judged.from_version is None else f"v{judged.from_version}"
    return [f"A gate against v{trail.champion}, the champion of today: it was compared with {met}."]


def _judged(trail: Trail, version: int) -> PromotionAttempt | None:
    return next((p for p in trail.history if p.to_version == version and p.kind in GATED), None)


def _made(promotion: PromotionAttempt, version: int | None) -> bool:
    return promotion.to_version == version and promotion.state is PromotionState.COMMITTED


def _left(promotion: PromotionAttempt, version: int) -> bool:
    """Whether it took a version's place; a champion that is put back takes nobody's."""
    return (
        promotion.from_version == version
        and promotion.to_version != version
        and promotion.state is PromotionState.COMMITTED
    )


def with_passed_counted(said: Sequence[str]) -> list[str]:
    """The sentences of an explanation, with the tests that were passed as one line in place of one each."""
    passed = [line for line in said if line.startswith((_PASSED, _APART))]
    shown = [line for line in said if line not in passed]
    if passed:
        shown.insert(said.index(passed[0]), f"  {len(passed)} tests passed or not applied")
    return shown


def _verdict(test: Mapping[str, Any]) -> str:
    if test["passed"] and test["value"] is None and test["bound"] is None:
        return _APART
    return _PASSED if test["passed"] else "  failed"


def _probation(found: Mapping[str, Any]) -> str:
    """How the champion's probation stands."""
    return f"Its probation against v{found['previous']}: {found['outcome']}: {_sentence(found['said'])}"


def _sentence(words: str) -> str:
    """The words with one full stop at their end."""
    return f"{words.rstrip().rstrip('.;')}." if words.strip() else "no reason given."
