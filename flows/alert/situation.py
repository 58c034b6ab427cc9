"""How things stand with a stream when a message about it is made, and the letter made of that."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Signal
from trueup.monitoring.severity import Severity
from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.alerts.compose import letter_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind, GateLine
from trueup.reports.alerts.letter import Letter
from trueup.reports.alerts.links import commands_for, pages_of
from trueup.reports.alerts.moved_words import more_common
from trueup.reports.alerts.picture import drawn
from trueup.reports.alerts.situation import (
    ChampionSince,
    CheckState,
    IncidentState,
    JudgedChallenger,
    MetricPoint,
    Situation,
)
from trueup.reports.alerts.wrong_line import leading_cause
from trueup.reports.masking import Mask, masked
from trueup.storage.incidents import Incident
from trueup.storage.promotions import PromotionAttempt, PromotionState
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import TICK

_CHECKS = 30  # counted checks that the picture shows
_EXAMPLES = 3
_READ = 2_000  # characters of a text in which its word is looked for
_BEFORE = 60  # characters before the word that an example is shown for, beyond which it begins later


def letter_for(
    app: App,
    stream: str,
    notices: Sequence[AlertFacts],
    incidents: Sequence[IncidentState],
    *,
    now: datetime,
    written_at: datetime,
    late_because: str = "",
    timezone: str = "UTC",
    next_told: str = "",
    link: str = "",
) -> Letter:
    """One letter about notices of a stream, oldest first, and the incidents that they belong to, the gravest first.

    written_at: when the oldest notice was written. late_because: why it could not be sent before, empty if it was not
    tried. timezone: of the recipient. next_told: who is told next and when, in a sentence. link: the one page.
    """
    situation = situation_of(
        app, stream, notices, incidents, now=now, written_at=written_at, late_because=late_because, timezone=timezone,
        next_told=next_told,
    )  # fmt: skip
    pages = pages_of(app.settings.page_links, situation)
    letter = letter_of(situation, drawn(situation), link or next((address for _, address in pages), ""))
    ways = pages[1:] if pages else commands_for(situation)
    return replace(letter, foot=(*letter.foot, *ways))


def incident_state(incident: Incident) -> IncidentState:
    """An incident of the store as letters see it."""
    return IncidentState(
        id=incident.id,
        causes=incident.causes,
        codes=incident.codes,
        severity=Severity(incident.severity),
        stem=incident.stem,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        outcome=incident.outcome or "",
        acknowledged_by=incident.acknowledged_by or "",
    )


def situation_of(
    app: App,
    stream: str,
    notices: Sequence[AlertFacts],
    incidents: Sequence[IncidentState],
    *,
    now: datetime,
    written_at: datetime,
    late_because: str = "",
    timezone: str = "UTC",
    next_told: str = "",
    until: datetime | None = None,
    mask: Mask = masked,
) -> Situation:
    """What the letter is made of, read from the store; of a stream that the settings name no more, only the notices.

    until: how it stood then, in as-of time; None: as it stands now. mask: what examples are shown through.
    """
    settings = app.settings.streams.get(stream)
    told = Situation(
        stream=stream, task=settings.task if settings else "", metric=settings.metric if settings else "",
        notices=tuple(notices), incidents=tuple(incidents), now=now, written_at=written_at, late_because=late_because,
        timezone=timezone, home=str(app.home), host=socket.gethostname(), next_told=next_told,
    )  # fmt: skip
    return _with_store(app, settings, told, until, mask) if settings else told


def _with_store(
    app: App, stream: StreamSettings, told: Situation, until: datetime | None, mask: Mask
) -> Situation:
    checks = app.cycles.reports(stream.name, limit=1, until=until)
    latest = _state(checks[0]) if checks else None
    history = [p for p in app.promotions.history(stream.name) if until is None or p.as_of <= until]
    committed = [p for p in history if p.state is PromotionState.COMMITTED and p.to_version is not None]
    judged = _judged(told.notices, history)
    rows = _window(app, stream, checks[0]["document"]) if checks and _asks_for_examples(told, judged) else None
    return replace(
        told,
        champion=committed[0].to_version if committed else None,
        champion_since=committed[0].as_of if committed else None,
        newest_record=checks[0]["last_time"] if checks else None,
        latest=latest,
        history=_points(app, stream, _CHECKS, until),
        changes=tuple(ChampionSince(at=p.as_of, version=p.to_version or 0) for p in reversed(committed)),
        judged=judged,
        examples=_examples(stream, told, rows, mask) if rows is not None else {},
        stopped_by=_stopped_by(app, told, history),
        repaired=_repaired(stream, judged, rows, mask) if rows is not None and judged else (),
    )


def _stopped_by(app: App, told: Situation, history: Sequence[PromotionAttempt]) -> str:
    """Why trueup cannot do its work: the newest training of a stream without a model, or what opened the incident."""
    cause = leading_cause(told)
    if cause is Cause.NO_CHAMPION and history and history[0].to_version is None:
        return history[0].why
    if cause not in (Cause.CYCLE, Cause.CHAMPION, Cause.NO_CHAMPION, Cause.SOURCE, Cause.TRAINER):
        return ""
    notices = app.outbox.of_incident(next(i.id for i in told.open if cause in i.causes))
    facts = [AlertFacts.from_json(notice.facts) for notice in notices if notice.facts is not None]
    stopped = (AlertKind.FAILURE, AlertKind.NO_CHAMPION)
    return next((f.why for f in facts if f.kind in stopped and f.why), "")


def _state(row: Mapping[str, object]) -> CheckState:
    check = Check.from_json(row["document"])  # type: ignore[arg-type]
    return CheckState(
        as_of=row["as_of"],  # type: ignore[arg-type]
        report_id=check.report_id,
        signals=check.signals,
        answers=check.answers,
    )


def _points(app: App, stream: StreamSettings, limit: int, until: datetime | None) -> tuple[MetricPoint, ...]:
    points = []
    for past in app.cycles.counted_checks(stream.name, before=until and until + TICK, limit=limit):
        signals: dict[str, Signal] = {s.code: s for s in Check.from_json(past.document).signals}
        measured, estimated = signals.get(METRIC), signals.get("PRF-EST")
        points.append(
            MetricPoint(
                at=past.as_of,
                measured=measured.value if measured else None,
                estimated=estimated.value if estimated else None,
                bound=measured.threshold if measured else None,
                version=past.version,
            )
        )
    return tuple(reversed(points))


def _judged(notices: Sequence[AlertFacts], history: Sequence[PromotionAttempt]) -> JudgedChallenger | None:
    version = next((n.to_version for n in reversed(notices) if n.to_version is not None and n.gate), None)
    attempt = next((p for p in history if version is not None and p.to_version == version and p.gate), None)
    if version is None or attempt is None:
        return None
    gate = attempt.gate
    return JudgedChallenger(
        version=version,
        from_version=attempt.from_version,
        tests=tuple(GateLine(**test) for test in gate["tests"]),
        outcome=str(gate.get("outcome", "")),
        needed=gate.get("labels_needed"),
        answers=gate.get("answers") or {},
    )


def _asks_for_examples(told: Situation, judged: JudgedChallenger | None) -> bool:
    return bool(judged and judged.answers.get("examples")) or any(
        c.examples for n in told.notices for s in n.signals for c in s.contributors
    )


def _window(app: App, stream: StreamSettings, document: Mapping[str, str]) -> Rows | None:
    """The records of the newest check's window, and of the weeks before that its gate may have been asked on."""
    if not document.get("last_time") or not document.get("first_time"):
        return None
    last, first = (datetime.fromisoformat(document[name]) for name in ("last_time", "first_time"))
    return app.reader.read(stream, as_of=last, after=first - 3 * (last - first) - timedelta(microseconds=1))


def _examples(stream: StreamSettings, told: Situation, rows: Rows, mask: Mask) -> dict[str, tuple[str, ...]]:
    """Up to three records by the code of the signal that they show, of every notice's breached signals."""
    found: dict[str, tuple[str, ...]] = {}
    for signal in (s for n in told.notices for s in n.signals if s.verdict == "breached"):
        held = {i: c.what for c in reversed(more_common(signal.contributors)) for i in reversed(c.examples)}
        ids = list(reversed(held))[:_EXAMPLES]
        words = [held[i] if signal.code == "DRF-TEXT" else "" for i in ids]
        shown = [_shown(stream, rows, i, mask, signal.code, word) for i, word in zip(ids, words, strict=True)]
        found[signal.code] = tuple(dict.fromkeys(text for text in shown if text))
    return found


def _shown(stream: StreamSettings, rows: Rows, record: str, mask: Mask, code: str = "", word: str = "") -> str:
    """A record in a line: its text, from near `word` on, else the column of a signal, else its first columns."""
    at = (rows.meta["id"].astype(str) == record).to_numpy().nonzero()[0]
    if not len(at):
        return ""
    features = rows.features.iloc[int(at[-1])]
    column = code.removeprefix("DRF-IN-").removeprefix("DQ-MISSING-")
    if column in features.index:
        return mask(f"{column} = {_value(features[column])} (record {record})")
    if stream.text:
        text = mask(" ".join(str(features[c]) for c in stream.text if features[c] is not None), _READ)
        at = text.casefold().find(word) if word else 0
        start = text.find(" ", at - _BEFORE // 2, at) + 1 or at  # a whole word before it, where there is one
        return mask(text if at < _BEFORE else f"…{text[start:]}")
    return mask(", ".join(f"{c} = {_value(features[c])}" for c in features.index[:4]))


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _repaired(stream: StreamSettings, judged: JudgedChallenger, rows: Rows, mask: Mask) -> tuple[str, ...]:
    """Records that the challenger puts right, each in a line."""
    said = []
    for example in judged.answers.get("examples", ()):
        shown = _shown(stream, rows, example["id"], mask)
        if shown:
            answers = f"[now {example['now']}, was {example['before']}; label {example['truth']}]"
            said.append(mask(f"{answers} {shown}", 200))
    return tuple(said)
