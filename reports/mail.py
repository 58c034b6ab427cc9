"""Mails about alerts: composed from their facts alone, the same facts to the same letter.

What outsiders wrote (review words, server replies) is data: control characters and text-direction marks are taken out,
every value is one line, and the HTML body escapes all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Signal
from trueup.monitoring.signals.catalogue import kind_of
from trueup.reports.alert_words import NextStep, Words, words_of_alert
from trueup.reports.alerts.facts import AlertFacts, AlertKind, GateFigure
from trueup.reports.signal_words import metric_before
from trueup.storage.escaping import for_header, for_page
from trueup.storage.formatting import aligned_figure

if TYPE_CHECKING:
    import jinja2

SUBJECT_LENGTH = 120  # what mail lists show of a subject, with room to spare
LINE_LENGTH = 600

_TONES = {
    AlertKind.INCIDENT_OPENED: "#b45309",
    AlertKind.INCIDENT_RESOLVED: "#15803d",
    AlertKind.PROMOTION: "#1d4ed8",
    AlertKind.APPROVAL: "#1d4ed8",
    AlertKind.LABEL_FEED: "#b45309",
    AlertKind.JUDGED: "#475569",
    AlertKind.EXPIRED: "#b45309",
    AlertKind.ROLLBACK: "#b45309",
    AlertKind.REFUSED: "#b45309",
    AlertKind.FAILURE: "#b91c1c",
    AlertKind.NO_CHAMPION: "#b91c1c",
    AlertKind.TEST: "#475569",
    AlertKind.INCIDENT_WORSE: "#b45309",
    AlertKind.REMINDER: "#b45309",
    AlertKind.ESCALATION: "#b45309",
    AlertKind.UNDELIVERED: "#b45309",
    AlertKind.DIGEST: "#475569",
    AlertKind.ACKNOWLEDGED: "#475569",
}


@dataclass(frozen=True)
class Mail:
    """A mail without its envelope: one line of subject, and the same words as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class _Row:
    """A figure held against its bound."""

    code: str
    name: str
    value: str
    bound: str
    said: str
    good: bool


@dataclass(frozen=True)
class _Letter:
    """What both templates show, cleaned."""

    stream: str
    title: str
    tone: str
    as_of: str
    words: Words
    reasons: tuple[str, ...]
    figures: tuple[_Row, ...]
    gate: tuple[_Row, ...]
    traces: tuple[tuple[str, str], ...]
    home: str


def compose(alert: AlertFacts) -> Mail:
    """The mail for an alert."""
    letter = _letter(alert)
    subject = f"[trueup] {letter.stream}: {letter.words.subject}"
    if len(subject) > SUBJECT_LENGTH:
        subject = subject[: SUBJECT_LENGTH - 1].rstrip() + "…"
    templates = _templates()
    return Mail(
        subject=subject,
        text=templates.get_template("alert.txt").render(letter=letter),
        html=templates.get_template("alert.html").render(letter=letter),
    )


def one_line(value: str, length: int = LINE_LENGTH) -> str:
    """The value on one line, without control characters, direction marks and broken code points; cut at `length`."""
    line = for_header(value)
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _letter(alert: AlertFacts) -> _Letter:
    words = words_of_alert(alert)
    shown = tuple(
        signal
        for signal in alert.signals
        if signal.verdict == "breached" or alert.kind is AlertKind.INCIDENT_RESOLVED
    )
    moved = alert.kind in (AlertKind.PROMOTION, AlertKind.ROLLBACK)
    traces = (
        ("Incident", alert.incident_id),
        ("Report", alert.report_id),
        ("Report's page", f"trueup reports open {alert.report_id}" if alert.report_id else None),
        ("Training run", alert.run_id),
        ("Champion before" if moved else "Champion", _version(alert.from_version)),
        ("Champion now" if moved else "Challenger", _version(alert.to_version)),
        ("Cycle", alert.cycle_id),
    )
    subject = one_line(words.subject)
    steps = tuple(NextStep(step.why, one_line(step.command)) for step in words.steps)
    return _Letter(
        stream=one_line(alert.stream),
        title=subject[:1].upper() + subject[1:],
        tone=_TONES[alert.kind],
        as_of=f"{alert.as_of:%Y-%m-%d %H:%M} UTC",
        words=Words(subject, one_line(words.happened), one_line(words.did), steps),
        reasons=tuple(one_line(reason) for reason in alert.reasons),
        figures=tuple(_signal_row(signal) for signal in shown),
        gate=tuple(_gate_row(test) for test in alert.gate),
        traces=tuple((name, one_line(value)) for name, value in traces if value),
        home=one_line(alert.home),
    )


def _signal_row(signal: Signal) -> _Row:
    value, bound = aligned_figure(signal.value), aligned_figure(signal.threshold)
    if kind_of(signal.code).cause is Cause.METRIC:
        before = metric_before(signal)
        value = value if before is None else f"{aligned_figure(before)} → {value}"
    elif signal.p_value is not None:
        value, bound = f"p = {signal.p_value:.2g}", f"p < {signal.threshold:.2g}" if signal.threshold else "–"
    return _Row(
        one_line(signal.code), one_line(signal.name), value, bound, one_line(signal.said), signal.verdict != "breached"
    )


def _gate_row(test: GateFigure) -> _Row:
    return _Row(
        one_line(test.code),
        "passed" if test.passed else "failed",
        aligned_figure(test.value),
        aligned_figure(test.bound),
        one_line(test.said),
        test.passed,
    )


def _version(version: int | None) -> str | None:
    return None if version is None else f"v{version}"


@cache
def _templates() -> jinja2.Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("trueup.reports"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        finalize=for_page,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
