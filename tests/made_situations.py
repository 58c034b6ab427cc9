"""Situations of every kind of alert, as the store would have them, with what outsiders wrote in all of their texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import AnswerQuality, Contributor, Signal, Verdict, Worse
from trueup.monitoring.severity import severity_of
from trueup.reports.alerts.facts import AlertFacts, AlertKind, GateLine
from trueup.reports.alerts.situation import (
    ChampionSince,
    CheckState,
    IncidentState,
    JudgedChallenger,
    MetricPoint,
    Situation,
)
from trueup.reports.alerts.stems import stem_of

AT = datetime(2024, 6, 14, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
HURT = AnswerQuality(before=0.1, now=0.3, interval=(0.255, 0.349), labels=423, wanted=200, records_a_day=430.0)
FINE = replace(HURT, now=0.105, interval=(0.08, 0.14))
UNKNOWN = replace(HURT, now=None, interval=None, labels=40)
OFF = AnswerQuality(before=8.1, now=12.3, interval=(11.2, 13.4), labels=423, wanted=200, records_a_day=430.0)


def metric(now: float = 0.71, *, breached: bool = True, name: str = "f1_macro") -> Signal:
    """The metric against a reference of 0.91."""
    verdict = Verdict.BREACHED if breached else Verdict.OK
    return Signal(
        code="PRF-METRIC",
        name=name,
        verdict=verdict,
        said=f"Macro-F1 {now} on 423 labelled records.",
        value=now,
        threshold=0.86,
        p_value=1e-12,
        effect=0.91 - now,
        interval=(0.12, 0.29),
        worse=Worse.LOWER,
    )


def texts(word: str = "bussin") -> Signal:
    """Texts that changed by one word."""
    return Signal(
        code="DRF-TEXT",
        name="words",
        verdict=Verdict.BREACHED,
        said=f"The word '{word}' came up.",
        p_value=1e-9,
        contributors=(Contributor(word, 0.001, 0.08, ("r1", "r2", "r3")),),
    )


def feed(code: str, said: str, value: float | None = 0.4) -> Signal:
    """A breach of the feed."""
    return Signal(code=code, name=code, verdict=Verdict.BREACHED, said=said, value=value)


def opened(*causes: Cause, codes: tuple[str, ...], decided: str = "high", stream: str = "reviews") -> IncidentState:
    """An incident that opened at AT, the gravest cause first."""
    return IncidentState(
        id="4f1c2ab09d3e",
        causes=tuple(causes),
        codes=codes,
        severity=severity_of(causes[0], decided),
        stem=stem_of(stream, causes[0], AT, codes),
        opened_at=AT,
    )


def facts(kind: AlertKind, **values: object) -> AlertFacts:
    """A notice of AT."""
    known = {"stream": "reviews", "as_of": AT, "report_id": "27e6f8893323", "cycle_id": "c1", "home": "/srv/trueup"}
    return AlertFacts(kind=kind, **{**known, **values})  # type: ignore[arg-type]


def situation(
    *notices: AlertFacts,
    incidents: tuple[IncidentState, ...] = (),
    signals: tuple[Signal, ...] = (),
    answers: AnswerQuality | None = HURT,
    **values: object,
) -> Situation:
    """How things stood, with a history of ten checks and v1 as champion."""
    history = tuple(
        MetricPoint(at=AT - k * 7 * DAY, measured=0.91 - 0.002 * k if k else 0.71, estimated=0.9, bound=0.86, version=1)
        for k in reversed(range(10))
    )
    known: dict[str, object] = {
        "stream": "reviews",
        "task": "classification",
        "metric": "f1_macro",
        "now": AT,
        "written_at": AT,
        "home": "/srv/trueup",
        "host": "worker-3",
        "champion": 1,
        "champion_since": AT - 70 * DAY,
        "newest_record": AT,
        "history": history,
        "changes": (ChampionSince(at=AT - 70 * DAY, version=1),),
        "latest": CheckState(as_of=AT, report_id="27e6f8893323", signals=signals, answers=answers),
    }
    return Situation(notices=notices, incidents=incidents, **{**known, **values})  # type: ignore[arg-type]


TESTS = (
    GateLine(code="GATE-LABELS", passed=True, value=420.0, bound=100.0, said="420 new labelled records."),
    GateLine(code="GATE-BETTER", passed=False, value=0.82, bound=0.9, said="82 % sure that it is better."),
)
BETTER = {
    "records": 423,
    "wrong_before": 0.3,
    "wrong_now": 0.12,
    "repaired": 90,
    "broken": 14,
    "examples": [{"id": "r1", "truth": "negative", "before": "positive", "now": "negative"}],
}


def judged(
    outcome: str = "passed", tests: tuple[GateLine, ...] = TESTS[:1], needed: int | None = None
) -> JudgedChallenger:
    """v2, compared with v1."""
    return JudgedChallenger(version=2, from_version=1, tests=tests, outcome=outcome, needed=needed, answers=BETTER)


_QUALITY = opened(Cause.METRIC, Cause.DRIFT, codes=("PRF-METRIC", "DRF-TEXT"))
_DRIFT = opened(Cause.DRIFT, codes=("DRF-TEXT",), decided="low")
_BOTH = (metric(), texts())
_VERSIONS: dict[str, object] = {"from_version": 1, "to_version": 2, "gate": TESTS[:1], "run_id": "f9ef"}
_NOW_V2: dict[str, object] = {"champion": 2, "judged": judged()}


def _alone(kind: AlertKind, cause: Cause, why: str, **values: object) -> Situation:
    incident = opened(cause, codes=(cause.upper(),))
    return situation(facts(kind, why=why, from_version=1), incidents=(incident,), **values)  # type: ignore[arg-type]


def _feed(code: str, said: str, **values: object) -> Situation:
    signal = feed(code, said, **values)  # type: ignore[arg-type]
    notice = facts(AlertKind.INCIDENT_OPENED, signals=(signal,), codes=(code,))
    return situation(
        notice,
        incidents=(opened(Cause.FEED, codes=(code,)),),
        signals=(signal,),
        answers=FINE,
        newest_record=AT - 17 * DAY,
    )


# What a message can be about, by a name for people.
KINDS: dict[str, Callable[[], Situation]] = {
    "quality fell, retraining": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=_BOTH, codes=_QUALITY.codes, action="retrain"),
        incidents=(_QUALITY,),
        signals=_BOTH,
        examples={"DRF-TEXT": ("this is bussin", "so bussin", "bussin fr")},
    ),
    "quality fell, fixed": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=_BOTH, codes=_QUALITY.codes, action="retrain"),
        facts(AlertKind.PROMOTION, **_VERSIONS),
        incidents=(_QUALITY,),
        signals=_BOTH,
        repaired=("so bussin Now positive, was negative; label positive.",),
        **_NOW_V2,  # type: ignore[arg-type]
    ),
    "quality fell, refused": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=_BOTH, codes=_QUALITY.codes, action="retrain"),
        facts(AlertKind.REFUSED, **{**_VERSIONS, "gate": TESTS}),
        incidents=(_QUALITY,),
        signals=_BOTH,
        judged=judged("not enough evidence", TESTS, 720),
    ),
    "numbers are off": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=(metric(name="mae"),), codes=("PRF-METRIC",)),
        incidents=(opened(Cause.METRIC, codes=("PRF-METRIC",)),),
        signals=(metric(name="mae"),),
        answers=OFF,
        task="regression",
        metric="mae",
    ),
    "drift, unharmed": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=(texts(),), codes=("DRF-TEXT",)),
        incidents=(_DRIFT,),
        signals=(texts(), metric(0.905, breached=False)),
        answers=FINE,
    ),
    "drift, no labels": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=(texts(),), codes=("DRF-TEXT",)),
        incidents=(opened(Cause.DRIFT, codes=("DRF-TEXT",)),),
        signals=(texts(),),
        answers=UNKNOWN,
    ),
    "worse": lambda: situation(
        facts(AlertKind.INCIDENT_WORSE, signals=_BOTH, codes=_QUALITY.codes), incidents=(_QUALITY,), signals=_BOTH
    ),
    "closed": lambda: situation(
        facts(AlertKind.INCIDENT_RESOLVED, signals=(metric(0.9, breached=False),), codes=("PRF-METRIC",)),
        incidents=(replace(_QUALITY, opened_at=AT - 9 * DAY, resolved_at=AT, outcome="quiet"),),
        signals=(metric(0.9, breached=False),),
        answers=FINE,
        champion=2,
        changes=(ChampionSince(at=AT - 5 * DAY, version=2),),
    ),
    "first champion": lambda: situation(
        facts(AlertKind.PROMOTION, to_version=1, gate=TESTS[:1]),
        answers=None,
        judged=replace(judged(), version=1, answers={}),
    ),
    "promoted": lambda: situation(
        facts(AlertKind.PROMOTION, **_VERSIONS),
        answers=FINE,
        repaired=("so bussin Now positive, was negative; label positive.",),
        **_NOW_V2,  # type: ignore[arg-type]
    ),
    "promoted by hand": lambda: situation(
        facts(AlertKind.PROMOTION, **{**_VERSIONS, "who": "ann", "why": "the new topics matter", "forced": True}),
        answers=FINE,
        **_NOW_V2,  # type: ignore[arg-type]
    ),
    "refused": lambda: situation(
        facts(AlertKind.REFUSED, **{**_VERSIONS, "gate": TESTS}), answers=FINE, judged=judged("refused", TESTS)
    ),
    "no challenger": lambda: situation(
        facts(AlertKind.REFUSED, from_version=1, why="only one class has labels"), answers=FINE
    ),
    "waits for approval": lambda: situation(
        facts(AlertKind.APPROVAL, **_VERSIONS, until=AT + 47 * DAY),
        answers=FINE,
        judged=judged(),
        timezone="Europe/Berlin",
    ),
    "labels look wrong": lambda: situation(
        facts(AlertKind.LABEL_FEED, **_VERSIONS, until=AT + 7 * DAY, why="61 % of the newest labels disagree"),
        incidents=(opened(Cause.LABEL_FEED, codes=("GATE-FEED",)),),
        answers=FINE,
        judged=judged(),
    ),
    "promotion is off": lambda: situation(facts(AlertKind.JUDGED, **_VERSIONS), answers=FINE, judged=judged()),
    "rolled back": lambda: situation(
        facts(AlertKind.ROLLBACK, from_version=2, to_version=1, why="v2 was worse on 200 records"),
        incidents=(opened(Cause.ROLLBACK, codes=("ROLLBACK",)),),
        answers=FINE,
    ),
    "rolled back by hand": lambda: situation(
        facts(AlertKind.ROLLBACK, from_version=2, to_version=1, who="ann", why="complaints"),
        incidents=(opened(Cause.ROLLBACK, codes=("ROLLBACK",)),),
        answers=FINE,
    ),
    "expired": lambda: situation(facts(AlertKind.EXPIRED, **_VERSIONS, until=AT), answers=FINE),
    "cycle failed": lambda: _alone(AlertKind.FAILURE, Cause.CYCLE, "The disk is full (OSError: ENOSPC)."),
    "source failed": lambda: _alone(
        AlertKind.FAILURE, Cause.SOURCE, "The source 's3://exports/*.csv' cannot be read. It reported: no such host."
    ),
    "trainer failed": lambda: _alone(
        AlertKind.FAILURE, Cause.TRAINER, "train.py failed (exit status 1). Its last words: no table 'features'."
    ),
    "champion lost": lambda: _alone(AlertKind.FAILURE, Cause.CHAMPION, "v1 cannot be loaded: model.skops is missing."),
    "no champion": lambda: _alone(AlertKind.NO_CHAMPION, Cause.NO_CHAMPION, "12 labelled records.", champion=None),
    "no records": lambda: _feed("DQ-VOLUME", "No record came in the newest day, 430 usually.", value=0.0),
    "no labels": lambda: _feed("DQ-LABELS", "Of records 3 days old 2 % have a label, usually 40 %."),
    "records refused": lambda: _feed("DQ-QUARANTINE", "12 % of the items were refused, usually 0.2 %."),
    "records repeat": lambda: _feed("DQ-DUP", "4 % of the records repeat another, usually 0.3 %."),
    "reminder": lambda: situation(
        facts(AlertKind.REMINDER, signals=_BOTH, codes=_QUALITY.codes),
        incidents=(_QUALITY,),
        signals=_BOTH,
        next_told="The team lead is told at 06:10 UTC if nobody takes it.",
    ),
    "escalation": lambda: situation(
        facts(AlertKind.ESCALATION, signals=_BOTH, codes=_QUALITY.codes), incidents=(_QUALITY,), signals=_BOTH
    ),
    "not delivered": lambda: situation(
        facts(AlertKind.UNDELIVERED, why="bob@example.org: 550 no such user"), answers=FINE
    ),
    "test": lambda: situation(facts(AlertKind.TEST), answers=FINE),
    "delivered late": lambda: situation(
        facts(AlertKind.INCIDENT_OPENED, signals=_BOTH, codes=_QUALITY.codes),
        incidents=(_QUALITY,),
        signals=_BOTH,
        now=AT + 8 * timedelta(hours=1),
        late_because="no connection to the mail server",
    ),
}
