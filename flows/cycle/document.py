"""The document of a cycle: what `trueup cycle --json` prints, and the summary that people read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trueup.flows.app import App
from trueup.flows.cycle.outputs import (
    CheckOutput,
    DecideOutput,
    GateOutput,
    ProbationOutput,
    PromoteOutput,
    PullOutput,
    ScoreOutput,
    TrainOutput,
    output_of,
)
from trueup.flows.cycle.pull_step import age_of_data
from trueup.flows.promote.approvals import approval_deadline
from trueup.monitoring.check import Verdict
from trueup.reports.masking import masked
from trueup.storage.cycles import CycleRecord
from trueup.storage.escaping import for_markdown
from trueup.storage.promotions import PromotionKind, PromotionState
from trueup.storage.timepoints import iso, to_minute

_VERDICTS = {True: "passed the gate and waits", False: "refused by the gate"}
_LONGEST = 2000  # characters of a sentence


def cycle_document(app: App, cycle: CycleRecord) -> dict[str, Any]:
    """A finished cycle in the contract's keys, made of what its steps left behind."""
    scored, probation = output_of(cycle, ScoreOutput), output_of(cycle, ProbationOutput)
    checked, decided = output_of(cycle, CheckOutput), output_of(cycle, DecideOutput)
    trained, gated = output_of(cycle, TrainOutput), output_of(cycle, GateOutput)
    promoted, pulled = output_of(cycle, PromoteOutput), output_of(cycle, PullOutput)
    assert scored is not None and decided is not None  # noqa: PT018 - these steps always leave something
    planned, decision = app.promotions.of_cycle(cycle.id), decided.decision
    reasons = list(decision.reasons)
    if probation and probation.outcome == "rolled_back":
        reasons.insert(0, f"v{probation.version} lost its probation: {probation.said}.")
    if pulled:
        reasons[:0] = pulled.problems
    if pulled and pulled.failed:
        reasons.insert(0, age_of_data(pulled, checked.check.last_time if checked else None, cycle.as_of))
    if trained and trained.trainer:
        reasons.append(trained.trainer["said"])
    elif trained and not trained.trained:
        reasons.append(f"Training failed: {trained.failed}")
    if gated and gated.stricter:
        reasons.append(gated.stricter)
    if planned and planned.kind is PromotionKind.AGAIN:
        reasons.append(planned.why)
    if planned and planned.state is PromotionState.HELD:
        held = (gated and gated.held) or "the stream was paused before it could be promoted"
        reasons.append(
            f"v{planned.to_version} passed the gate and waits: {held}. To let it answer, until "
            f"{to_minute(approval_deadline(app.stream(cycle.stream), planned))}: "
            f"trueup models promote --to {planned.to_version} --stream {cycle.stream} --why '...'"
        )
    if planned and planned.state is PromotionState.ABANDONED:
        reasons.append(f"v{planned.to_version} passed the gate, but the champion had changed, so nothing was promoted.")
    return {
        "cycle_id": cycle.id,
        "stream": cycle.stream,
        "as_of": iso(cycle.as_of),
        "champion": scored.champion,
        "scored": scored.scored,
        "check": checked and checked.check.as_json(),
        "decision": {
            "action": decision.action, "codes": decision.codes, "reasons": reasons,
            "watched": decision.watched, "severity": decision.severity,
            **({"growth": decision.growth} if decision.growth else {}),
        },
        "training": trained.trained.as_json() if trained and trained.trained else None,
        "gate": gated.judged.gate if gated and gated.judged else None,
        **({"judged_again": gated.again} if gated and gated.again is not None else {}),
        "promotion": promoted and promoted.as_json(),
        "probation": None if not probation or probation.over else probation.as_json(),
        "paused": bool(decided.paused),
        **({"pulled": pulled.feeds} if pulled else {}),
        **({"trainer": trained.trainer} if trained and trained.trainer else {}),
    }


def document_with_alerts(app: App, cycle: CycleRecord) -> dict[str, Any]:
    """A finished cycle's stored document, with how its alerts stand now."""
    alerts = [
        {"id": a.id, "kind": a.kind, "subject": a.subject, "state": a.state} for a in app.outbox.of_cycle(cycle.id)
    ]
    return {**(cycle.document or {}), "alerts": alerts}


def summary(done: dict[str, Any]) -> str:
    """A cycle in Markdown, for Prefect's page and for the terminal: the outcome first."""
    lines = [f"# {for_markdown(title_of(done))}", ""]
    lines += [f"- {for_markdown(reason)}" for reason in done["decision"]["reasons"]]
    stands = done.get("probation")
    if stands and stands["outcome"] != "rolled_back":
        lines.append(f"- Probation of v{stands['version']}, {stands['outcome']}: {for_markdown(stands['said'])}.")
    if done["check"]:
        rows = [(s["code"], Verdict(s["verdict"]).in_words, s["said"]) for s in done["check"]["signals"]]
        lines += ["", f"Report `{done['check']['report_id']}`", *_table("signal", "verdict", rows)]
    if done["gate"]:
        rows = [(g["code"], "yes" if g["passed"] else "no", g["said"]) for g in done["gate"]["tests"]]
        lines += _table("gate", "passed", rows)
    return "\n".join(lines)


def title_of(done: dict[str, Any]) -> str:
    """Stream, time and outcome on one line of plain text."""
    return f"{done['stream']} as of {to_minute(datetime.fromisoformat(done['as_of']))}: {outcome(done)}"


def tags_of(done: dict[str, Any]) -> list[str]:
    """Words to filter cycles by: the stream, the verdict of its check, what was decided, and what came of it."""
    signals = done["check"]["signals"] if done["check"] else ()
    verdicts = {Verdict(signal["verdict"]) for signal in signals}
    worst = next((v for v in (Verdict.BREACHED, Verdict.OK, Verdict.INSUFFICIENT) if v in verdicts), None)
    found = [done["stream"]] + ([worst.in_words] if worst else ["no check"])
    if done["decision"]["action"] != "none":
        found += [str(done["decision"]["action"]), *done["decision"]["codes"]]
    if done["promotion"]:
        found.append("promoted")
    elif done["training"] or done.get("judged_again"):
        found.append("waits" if done["gate"] and done["gate"]["passed"] else "refused")
    stands = done.get("probation")
    if stands and stands["outcome"] == "rolled_back":
        found.append("rolled back")
    return found + (["paused"] if done.get("paused") else [])


def masked_document(done: dict[str, Any]) -> dict[str, Any]:
    """The document with personal data masked in what it says of outsiders' words, for a place that others read."""

    def shown(text: str) -> str:
        return masked(text, _LONGEST)

    check, gate, stands = done["check"], done["gate"], done.get("probation")
    return {
        **done,
        "decision": {**done["decision"], "reasons": [shown(reason) for reason in done["decision"]["reasons"]]},
        "check": check and {**check, "signals": [{**s, "said": shown(s["said"])} for s in check["signals"]]},
        "gate": gate and {**gate, "tests": [{**test, "said": shown(test["said"])} for test in gate["tests"]]},
        "probation": stands and {**stands, "said": shown(stands["said"])},
    }


def outcome(done: dict[str, Any]) -> str:
    """A cycle in a few words."""
    stands = done.get("probation")
    if stands and stands["outcome"] == "rolled_back":
        return f"v{stands['version']} lost its probation, back to v{stands['previous']}; {_rest(done)}"
    return _rest(done)


def _rest(done: dict[str, Any]) -> str:
    if done["promotion"]:
        before = done["promotion"]["from_version"]
        return f"v{done['promotion']['to_version']} promoted" + (f" over v{before}" if before is not None else "")
    if done["training"]:
        verdict = _VERDICTS[bool(done["gate"] and done["gate"]["passed"])]
        return f"v{done['training']['version']} trained, {verdict}"
    if again := done.get("judged_again"):
        if done["gate"] is None:
            return f"v{again} is not judged again"
        return f"v{again} judged again, {_VERDICTS[bool(done['gate']['passed'])]}"
    if done.get("paused"):
        return "paused, no action"
    asked = done.get("trainer")
    if asked and (asked["state"] != "open" or not done["check"]):
        return _OF_TRAINER[asked["state"]].format(asked["name"])
    if done["decision"]["action"] == "none":
        if not (done["check"] and done["check"]["counted"]):
            return "no action yet"
        if done["decision"]["watched"]:
            return f"watching {', '.join(done['decision']['watched'])}, not confirmed yet"
        signals = done["check"]["signals"]
        unjudged = sum(s["verdict"] == "insufficient" for s in signals)
        return "ok" if 2 * unjudged < len(signals) else f"{unjudged} of {len(signals)} signals not judged"
    codes = ", ".join(done["decision"]["codes"])
    return f"{done['decision']['action']}: {codes}" if codes else "training failed"


_OF_TRAINER = {
    "asked": "{} trains a challenger",
    "open": "{} trains the first champion",
    "again": "{} is tried again",
    "nothing": "{} proposed nothing",
    "failed": "{} failed",
}


def _table(first: str, second: str, rows: list[tuple[str, str, str]]) -> list[str]:
    head = ["", f"| {first} | {second} | what was found |", "|---|---|---|"]
    return head + [f"| {for_markdown(a)} | {b} | {for_markdown(c)} |" for a, b, c in rows]
