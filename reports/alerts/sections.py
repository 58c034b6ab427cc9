"""What stands below the four lines: signals, gate tests, reasons, ids."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Signal
from trueup.monitoring.severity import Severity
from trueup.monitoring.signals.catalogue import kind_of
from trueup.reports.alerts.facts import GateLine
from trueup.reports.alerts.letter import Details
from trueup.reports.alerts.plain_figures import moment
from trueup.reports.alerts.situation import Situation
from trueup.storage.escaping import for_header
from trueup.storage.formatting import aligned_figure

_ROWS = 12  # of a section
_SAID = 400  # characters of a cell
_TOLD = "GATE-REFIT"  # also where it is passed: whose figures the others are


def sections_of(situation: Situation) -> tuple[Details, ...]:
    """Every section that has rows."""
    made = (_events(situation), _signals(situation), _gate(situation), _reasons(situation), _ids(situation))
    return tuple(section for section in made if section.rows)


def _gravest(codes: Sequence[str]) -> list[str]:
    """The code that says most about an incident; none of none."""
    return sorted(codes, key=lambda code: kind_of(code).gravity)[:1]


def clean(value: str, length: int = _SAID) -> str:
    """A value on one line, without control characters and direction marks; cut at `length`."""
    line = for_header(value[: 8 * length])  # of a text of 100 kB no more is looked at
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _events(situation: Situation) -> Details:
    """The open incidents beside the first, where one message tells of several."""
    rows = [
        (clean(i.stem), i.severity.value, f"since {moment(i.opened_at)}" if i.resolved_at is None
         else f"closed {moment(i.resolved_at)}")
        for i in situation.incidents
    ] if len(situation.incidents) > 1 else []  # fmt: skip
    return Details("All that this message is about", ("incident", "severity", "state"), tuple(rows))


def _signals(situation: Situation) -> Details:
    signals = list(situation.signals(breached=False).values())
    breached = sorted((s for s in signals if s.verdict == "breached"), key=lambda s: kind_of(s.code).gravity)
    rows = [_row(s) for s in breached[:_ROWS]]
    if len(breached) > _ROWS:
        rows.append(("", "more breached", f"{len(breached) - _ROWS}"))
    ok = sum(s.verdict == "ok" for s in signals)
    unjudged = sum(s.verdict == "insufficient" for s in signals)
    if rows and ok:
        rows.append(("", "ok", f"{ok}"))
    if rows and unjudged:
        rows.append(("", "not judged, too few records or labels", f"{unjudged}"))
    return Details("Signals", ("code", "finding", "figure"), tuple(rows))


def _row(signal: Signal) -> tuple[str, str, str]:
    found = f"p = {signal.p_value:.2g}" if signal.p_value is not None else aligned_figure(signal.value)
    return clean(signal.code, 60), clean(signal.said), found


def _gate(situation: Situation) -> Details:
    tests: Sequence[GateLine] = situation.judged.tests if situation.judged else ()
    failed = [t for t in tests if not t.passed]
    rows = [(clean(t.code, 60), clean(t.said), "failed") for t in failed[:_ROWS]]
    rows += [(clean(t.code, 60), clean(t.said), "passed") for t in tests if t.passed and t.code == _TOLD]
    passed = sum(t.passed and t.code != _TOLD for t in tests)
    if passed:
        rows.append(("", "passed", f"{passed}"))
    version = situation.judged.version if situation.judged else ""
    return Details(f"Tests of v{version}", ("code", "finding", "result"), tuple(rows))


def _reasons(situation: Situation) -> Details:
    shown = tuple(f"{code}:" for code in situation.signals(breached=False))  # their sentences stand above
    if any(incident.severity is Severity.HIGH for incident in situation.incidents):
        shown = (*shown, "Low severity")  # of one of the causes, where the message is about a grave one as well
    said = list(dict.fromkeys(r for n in situation.notices for r in n.reasons if not r.startswith(shown)))
    return Details("Why trueup acted so", ("reason",), tuple((clean(reason),) for reason in said[:6]))


def _ids(situation: Situation) -> Details:
    rows: list[tuple[str, str]] = []
    for incident in situation.incidents:
        rows.append(("Incident", incident.id))
        if incident.resolved_at is None and not incident.acknowledged_by:
            said = "Say that you have it (ends reminders, changes nothing else)"
            rows.append((said, f"trueup alerts ack {incident.id}"))
        if incident.acknowledged_by:
            rows.append(("Taken by", clean(incident.acknowledged_by, 60)))
        if incident.resolved_at is None and incident.causes[:1] == (Cause.LABEL_FEED,) and situation.judged:
            command = f"trueup models promote --to {situation.judged.version} --stream {clean(situation.stream, 60)}"
            rows.append(("If the labels are as they should be", f'{command} --why "…"'))
        rows += [("What the code means", f"trueup runbook {clean(code, 60)}") for code in _gravest(incident.codes)]
    for name, attribute in (("Report", "report_id"), ("Cycle", "cycle_id"), ("Training run", "run_id")):
        found = dict.fromkeys(str(value) for n in situation.notices if (value := getattr(n, attribute)))
        rows += [(name, value) for value in found]
    return Details("Ids", ("what", "id or command"), tuple(rows[:14]))
