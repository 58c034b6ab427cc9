"""The fourth line of a letter: what the reader needs to do, by when, and the one command for it."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from trueup.monitoring.causes import Cause
from trueup.monitoring.severity import Severity
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.letter import Remedy
from trueup.reports.alerts.plain_figures import deadline
from trueup.reports.alerts.situation import Situation
from trueup.reports.alerts.wrong_line import SELECTIVE, came_back, leading_cause

NOTHING = "Nothing."
_WEEK = timedelta(days=7)  # by when what hurts nobody is looked at


def todo_line(situation: Situation) -> tuple[str, Remedy | None]:
    """The real action first, then at most one command."""
    held = situation.newest(AlertKind.LABEL_FEED, AlertKind.APPROVAL)
    cause = leading_cause(situation)
    if cause in (Cause.CYCLE, Cause.CHAMPION, Cause.NO_CHAMPION, Cause.SOURCE, Cause.TRAINER):
        return _work(situation, cause)
    if held is not None and held.to_version is not None and held.to_version != situation.champion:
        return _decide(situation, held)
    if cause is None or _mended(situation):
        return _nothing(situation)
    return _look(situation, cause)


def needs_person(situation: Situation) -> bool:
    """Whether the reader has anything to do; where not, nobody is reminded."""
    return not todo_line(situation)[0].startswith(NOTHING.rstrip("."))


def _mended(situation: Situation) -> bool:
    """Whether this message tells of a promoted version that answers now, so that waiting is all there is to do."""
    told = situation.newest(AlertKind.PROMOTION)
    learnt = leading_cause(situation) in (Cause.METRIC, Cause.DRIFT)
    return bool(told and told.to_version == situation.champion and learnt)


def _nothing(situation: Situation) -> tuple[str, Remedy | None]:
    if situation.newest(AlertKind.UNDELIVERED):
        remedy = Remedy(_command("alerts deliver"), "It tries every message again.")
        return "Correct the address or the channel in the settings, then send again.", remedy
    expired = situation.newest(AlertKind.EXPIRED)
    if expired is not None:
        command = _command("train", stream=situation.stream)
        remedy = Remedy(command, "It trains and tests a new one.")
        return "Nothing, or train again if you still want a new version.", remedy
    told = situation.newest(AlertKind.PROMOTION)
    if told is None or told.from_version is None or told.to_version != situation.champion:
        return NOTHING, None
    command = _command("models rollback", stream=situation.stream, why=True)
    changes = f"v{told.from_version} answers again, and nothing is promoted by itself until a person resumes it."
    return f"Nothing. If the new answers are worse, go back to v{told.from_version}.", Remedy(command, changes)


def _work(situation: Situation, cause: Cause) -> tuple[str, Remedy | None]:
    doctor = Remedy(_command("doctor"), "This only shows what is wrong and what to do.")
    if cause is Cause.CHAMPION:
        return "Restore the model or its registry today, or go back to an earlier version.", doctor
    if cause is Cause.NO_CHAMPION:
        return (
            "Send more labelled records, or correct what stopped the training; the next cycle tries again.",
            Remedy(_command("status"), "This only shows how the stream stands."),
        )
    if cause is Cause.SOURCE:
        return "Look today: repair the source or the file; the next cycle takes in what waits.", doctor
    if cause is Cause.TRAINER:
        return (
            "Repair the training job; a later cycle asks it again, or ask it now.",
            Remedy(_command("train", stream=situation.stream), "It asks the job for a model and tests it."),
        )
    return "Look today: correct what stopped the check, then let it run again.", doctor


def _decide(situation: Situation, held: AlertFacts) -> tuple[str, Remedy | None]:
    new, old = held.to_version, held.from_version
    by = f"by {deadline(held.until, situation.timezone)}" if held.until else "soon"
    promote = Remedy(
        _command("models promote", "--to", str(new), stream=situation.stream, why=True),
        f"v{new} answers in place of v{old}.",
    )
    units = [s for s in situation.signals().values() if s.unit_change]
    if units:
        column = units[0].code.removeprefix("DRF-IN-")
        return f"Ask the source of '{column}' {by} whether its unit changed: if not, promote v{new}.", promote
    if held.kind is AlertKind.LABEL_FEED:
        said = f"Check the source of the labels {by}: if they are right, promote v{new}; if not, send corrected ones"
        if any(t.code == "GATE-FEED" and t.said.startswith(SELECTIVE) for t in held.gate):
            said = (
                f"Find out {by} why those labels are missing. Where they are late or lost, send them: the next cycle "
                f"tests anew. Where such records will always have fewer labels, promote v{new}"
            )
        return f"{said}. Without a decision v{old} stays, and v{new} is dropped.", _report(situation)
    return f"Decide {by}: promote v{new}, or do nothing and keep v{old}.", promote


def _look(situation: Situation, cause: Cause) -> tuple[str, Remedy | None]:
    urgent = any(i.severity is Severity.HIGH for i in situation.open)
    when = "today" if urgent else f"by {_day(situation.now + _WEEK, situation.timezone)}"
    page = _report(situation)
    if cause is Cause.ROLLBACK:
        command = _command("models resume", stream=situation.stream, why=True)
        remedy = Remedy(command, "Versions that pass are promoted again.")
        return "Find out why the version was worse, then resume promotion.", remedy
    if cause is Cause.LABEL_FEED:
        return f"Check the source of the labels {when}.", page
    if cause is Cause.METRIC:
        return _quality(situation, when), page
    codes = sorted((c for i in situation.open for c in i.codes), key=lambda code: kind_of(code).gravity)
    if cause is Cause.FEED:
        return _feed(situation, codes, when)
    if cause is Cause.DATA:
        return f"Check the source of these columns {when}: values are missing.", page
    units = [s for s in situation.signals().values() if s.unit_change]
    if units:
        return f"Ask the source of '{units[0].code.removeprefix('DRF-IN-')}' {when} whether its unit changed.", page
    if came_back(situation):
        return f"Check {when} whether the source of the data should have gone back; if so, nothing is left to do.", page
    planned = "If it did and nobody planned it, have it corrected; else nothing is left to do."
    return f"Check {when} whether the source of the data changed. {planned}", page


def _quality(situation: Situation, when: str) -> str:
    sources = "data and label sources" if METRIC in situation.signals() else "source of the data"
    if any("labels newer than" in reason for n in situation.notices for reason in n.reasons):
        return f"Check the {sources} {when}, and send more labels: trueup then trains again."
    if any(n.action == "retrain" for n in situation.notices) and situation.newest(AlertKind.REFUSED) is None:
        return f"Check the {sources} {when}; do not wait for the result."
    judged = situation.judged
    if judged is not None and judged.outcome == "not enough evidence":
        return f"Check the {sources} {when}, and send more labels: trueup then trains again."
    return f"Check the {sources} {when}; if nothing is wrong there, the model needs more labels or other features."


def _feed(situation: Situation, codes: list[str], when: str) -> tuple[str, Remedy | None]:
    advice = next((found for code in codes if (found := kind_of(code).advice)), None)
    shown = _report(situation)
    if advice is not None:
        command = _command(advice.command, stream=situation.stream)
        shown = Remedy(command, f"This only shows. {advice.why}.")
    if "DQ-QUARANTINE" in codes:
        return f"Check what the source sends {when}; corrected rows can be sent again.", shown
    if "DQ-LABELS" in codes:
        return f"Check the source of the labels {when}: fewer arrive than usual.", shown
    if "DQ-DUP" in codes and "DQ-VOLUME" not in codes:
        return f"Check {when} whether the source sends records twice.", shown
    return f"Check the source of the records {when}.", shown


def _day(at: datetime, timezone: str) -> str:
    """A day in the reader's zone: Sun 12 July."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local:%a} {local.day} {local:%B}"


def _report(situation: Situation) -> Remedy | None:
    report = next((n.report_id for n in reversed(situation.notices) if n.report_id), None)
    report = report or (situation.latest.report_id if situation.latest else None)
    if report is None:
        return None
    return Remedy(_command("reports open", report), "This only opens the report of the check.")


def _command(verb: str, *values: str, stream: str = "", why: bool = False) -> str:
    """A command line that can be pasted; what stands in it is quoted for the shell."""
    parts = ["trueup", verb, *(shlex.quote(value) for value in values)]
    if stream:
        parts.append(f"--stream {shlex.quote(stream)}")
    return " ".join([*parts, *(['--why "…"'] if why else [])])
