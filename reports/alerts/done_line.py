"""The third line of a letter: what trueup did."""

from __future__ import annotations

import re

from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.gate_words import refusal
from trueup.reports.alerts.plain_figures import lasted, metric_in_words, moment
from trueup.reports.alerts.situation import Situation
from trueup.storage.formatting import METRIC_NAMES


def done_line(situation: Situation) -> str:
    """What was done, the change of the answering version first; never empty."""
    said = [sentence for notice in reversed(situation.notices) if (sentence := _done(situation, notice))]
    closed = _closed(situation)
    told = list(dict.fromkeys([*said, *([closed] if closed else [])]))
    return " ".join(told) or "Nothing since the last message: no model was changed."


def _done(situation: Situation, notice: AlertFacts) -> str:
    new, old = f"v{notice.to_version}", f"v{notice.from_version}"
    still = "No version answers yet." if notice.from_version is None else f"{old} still answers."
    because = f" {notice.because}" if notice.because else ""
    match notice.kind:
        case AlertKind.PROMOTION:
            return _promoted(notice, new, old) + because
        case AlertKind.ROLLBACK:
            by = f"{notice.who} put" if notice.who else "trueup put"
            return f"{by} {new} back: it answers again; no version is promoted by itself until a person resumes it."
        case AlertKind.REFUSED:
            if notice.to_version is None:
                return f"Training failed: {notice.why.rstrip('.')}. {still}"
            return f"Trained {new} and refused it: {refusal(situation.judged)}. {still}"
        case AlertKind.APPROVAL | AlertKind.LABEL_FEED:
            return f"Trained {new}, which is better on these labels, and holds it for a person. {still}" + because
        case AlertKind.JUDGED:
            return f"Trained and tested {new}; changed nothing, because promotion is off. {old} answers." + because
        case AlertKind.EXPIRED:
            return f"Dropped {new}: its test is too old to promote it on. {old} answers."
        case AlertKind.FAILURE | AlertKind.NO_CHAMPION:
            return "Kept every record, changed no model, and tries again at the next cycle."
        case AlertKind.ACKNOWLEDGED:
            return f"{notice.who} has it."
        case AlertKind.TEST:
            return "Sent this test, because somebody ran `trueup alerts test`."
        case AlertKind.INCIDENT_OPENED | AlertKind.INCIDENT_WORSE if notice.action == "retrain":
            return "" if _judged(situation) else "Retraining has started; the result comes in its own message."
        case AlertKind.INCIDENT_OPENED if situation.open and not _judged(situation):
            return f"Opened this incident and changed no model. {_why_not(notice)}".strip()
        case AlertKind.UNDELIVERED:
            return "Keeps the messages, and told everybody else who is to be told."
        case _:
            return ""


def _why_not(notice: AlertFacts) -> str:
    """Why there is no retraining, by the decision."""
    said = next((reason for reason in notice.reasons if reason.startswith("No retraining")), "")
    if "retrain_on" in said:
        return "No retraining: the settings ask for none after such a change."
    return re.sub(r"^No retraining for [^:]*:", "No retraining:", said)  # codes stand below


def _promoted(notice: AlertFacts, new: str, old: str) -> str:
    if notice.who:
        return f"{notice.who} promoted {new}{' by force' if notice.forced else ''}" + (
            f": {notice.why.rstrip('.')}." if notice.why else "."
        )
    if notice.from_version is None:
        return f"Trained and promoted the first version, {new}."
    done = "Promoted" if notice.again else "Retrained and promoted"
    return f"{done} {new} in place of {old} at {moment(notice.as_of)}."


def _judged(situation: Situation) -> bool:
    """Whether this message tells what a retraining came to."""
    return any(
        n.kind in (AlertKind.PROMOTION, AlertKind.REFUSED, AlertKind.APPROVAL, AlertKind.LABEL_FEED, AlertKind.JUDGED)
        for n in situation.notices
    )


def _closed(situation: Situation) -> str:
    """How long it took, and the metric before, lowest and now."""
    over = [i for i in situation.incidents if i.resolved_at is not None]
    if not over:
        return ""
    if situation.open:
        return " ".join(f"Closed “{i.stem.removeprefix(f'{situation.stream}: ')}”." for i in over)
    first = over[0]
    assert first.resolved_at is not None
    if situation.newest(AlertKind.INCIDENT_OPENED):
        return "Opened and closed the incident."
    said = f"Closed after {lasted(first.resolved_at - first.opened_at)}"
    points = [p for p in situation.history if p.measured is not None]
    before = [p.measured for p in points if p.at < first.opened_at]
    during = [p.measured for p in points if first.opened_at <= p.at <= first.resolved_at]
    if not points or not during:
        return said + "."
    lower = situation.lower_is_better
    worst = (max if lower else min)(m for m in during if m is not None)
    was = f"before {metric_in_words(before[-1])}, " if before else ""
    now = metric_in_words(points[-1].measured)
    name = METRIC_NAMES.get(situation.metric, situation.metric)
    if points[-1].version != situation.champion:
        name += f" of v{points[-1].version}"
    if before and before[-1] is not None and (worst <= before[-1] if lower else worst >= before[-1]):
        return f"{said}: {name} did not {'rise' if lower else 'fall'}, {was}now {now}."
    return f"{said}: {name} {was}{'highest' if lower else 'lowest'} meanwhile {metric_in_words(worst)}, now {now}."
