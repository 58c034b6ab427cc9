"""The letter for a situation: one message for all that happened, true when it is sent."""

from __future__ import annotations

from collections.abc import Callable

from trueup.monitoring.severity import Severity
from trueup.reports.alerts.affected_line import affected_line
from trueup.reports.alerts.causes import causes_of
from trueup.reports.alerts.done_line import done_line
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.reports.alerts.letter import Letter, Picture, Standing
from trueup.reports.alerts.plain_figures import moment
from trueup.reports.alerts.sections import clean, sections_of
from trueup.reports.alerts.situation import Situation
from trueup.reports.alerts.stems import stem_with
from trueup.reports.alerts.todo_line import todo_line
from trueup.reports.alerts.wrong_line import wrong_line

_LINE = 280  # characters of one of the four lines: five rows of a phone


def letter_of(situation: Situation, picture: Picture | None = None, link: str = "") -> Letter:
    """One message about all that the situation's notices tell.

    picture: of the metric over the last windows. link: the one page to look at, "" where none is set.
    """
    todo, remedy = todo_line(situation)
    standing = _standing(situation)
    severity = Severity.HIGH if any(i.severity is Severity.HIGH for i in situation.incidents) else Severity.LOW
    return Letter(
        stream=clean(situation.stream, 60),
        kind=str(_kind(situation)),
        severity=severity,
        standing=standing,
        stem=_stem(situation),
        tag=_tag(situation, standing, severity),
        wrong=clean(wrong_line(situation), _LINE),
        affected=clean(affected_line(situation), _LINE),
        done=clean(done_line(situation), _LINE),
        todo=clean(todo + (f" {situation.next_told}" if situation.next_told else ""), _LINE),
        action=remedy,
        link=link,
        causes=causes_of(situation),
        picture=picture,
        sections=sections_of(situation),
        foot=_foot(situation),
        incidents=tuple(i.id for i in situation.incidents),
        report=situation.latest.report_id if situation.latest else "",
        over=tuple(i.id for i in situation.incidents if i.resolved_at is not None),
    )


def _kind(situation: Situation) -> AlertKind:
    """Of the newest notice; an acknowledgement is the news only where nothing else is."""
    kinds = [notice.kind for notice in situation.notices if notice.kind is not AlertKind.ACKNOWLEDGED]
    return kinds[-1] if kinds else AlertKind.ACKNOWLEDGED


def _standing(situation: Situation) -> Standing:
    if not situation.incidents:
        return Standing.NONE
    if not situation.open:
        return Standing.CLOSED
    return Standing.ACKNOWLEDGED if all(i.acknowledged_by for i in situation.open) else Standing.OPEN


def _tag(situation: Situation, standing: Standing, severity: Severity) -> str:
    if situation.notices[-1].kind is AlertKind.TEST:
        return "TEST"
    if standing is Standing.CLOSED:
        return "CLOSED"
    return str(severity).upper()


def _stem(situation: Situation) -> str:
    first = next(iter(situation.open or situation.incidents), None)
    if first is not None:
        return first.stem
    notice = situation.notices[-1]
    return stem_with(situation.stream, _NEWS.get(notice.kind, lambda n: str(n.kind).replace("_", " "))(notice))


_NEWS: dict[AlertKind, Callable[[AlertFacts], str]] = {
    AlertKind.PROMOTION: lambda n: f"v{n.to_version} answers now",
    AlertKind.APPROVAL: lambda n: f"v{n.to_version} waits for your decision",
    AlertKind.REFUSED: lambda n: "no new version" if n.to_version is None else f"v{n.to_version} was refused",
    AlertKind.JUDGED: lambda n: f"v{n.to_version} passed, promotion is off",
    AlertKind.EXPIRED: lambda n: f"v{n.to_version} was not decided in time",
    AlertKind.TEST: lambda n: "test message",
    AlertKind.UNDELIVERED: lambda n: "messages cannot be delivered",
}


def _foot(situation: Situation) -> tuple[tuple[str, str], ...]:
    first = situation.incidents[0] if situation.incidents else None
    late = ""
    if situation.late_because:
        late = f"written {moment(situation.written_at)}, delivered {moment(situation.now)}, because "
        late += clean(situation.late_because, 160)
    rows = (
        ("Delivered late", late),
        ("Since", moment(first.opened_at) if first else moment(situation.notices[-1].as_of)),
        ("Stream", clean(situation.stream, 60)),
        ("Deployment", clean(situation.home, 200)),
        ("Host", clean(situation.host, 80)),
    )
    return tuple((name, value) for name, value in rows if value)
