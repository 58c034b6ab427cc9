"""How a stream stands, in a word, a tone and a sentence: the first thing that its pages say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trueup.monitoring.check import Verdict
from trueup.monitoring.severity import Severity
from trueup.storage.formatting import capitalised
from trueup.storage.timepoints import to_minute


class Tone(StrEnum):
    """How a badge is coloured, the worst first; each word is a class of the style."""

    BAD = "bad"
    WARN = "warn"
    STILL = "still"  # nothing is known, or it is over
    FINE = "fine"


@dataclass(frozen=True, kw_only=True)
class IncidentLink:
    """An incident in a line. said: what is wrong, without the stream's name. resolved_at: None while it is open."""

    id: str
    said: str
    severity: Severity
    opened_at: datetime
    resolved_at: datetime | None
    taken_by: str
    href: str


@dataclass(frozen=True, kw_only=True)
class StreamGlance:
    """What is shown of a stream wherever it is named.

    predicts: whether anything is answered; is_regression: by numbers. metric: as settings name it; value, reference: of
    the newest check that could judge it, and what that was compared with; recent: its last values, oldest first.
    verdict: of the newest check; None: there is none. incidents: the open ones, the gravest first. last_cycle,
    next_cycle: by the clock; overdue: a scheduled one has not come. paused: since when, by whom and why; empty: it is
    not. no_champion: why there is none though one was tried; empty: there is one, or none was tried. try_href: the page
    that answers a typed record; empty: none is served.
    """

    stream: str
    href: str
    predicts: bool
    is_regression: bool
    metric: str
    value: float | None
    reference: float | None
    recent: tuple[float, ...]
    verdict: Verdict | None
    breached: tuple[str, ...]
    as_of: datetime | None
    check_href: str
    incidents: tuple[IncidentLink, ...]
    champion: int | None
    champion_since: datetime | None
    no_champion: str
    records: int
    last_cycle: datetime | None
    next_cycle: datetime | None
    overdue: bool
    paused: str
    try_href: str = ""


@dataclass(frozen=True)
class StreamStanding:
    """word: of the badge. said: one sentence."""

    tone: Tone
    word: str
    said: str

    @property
    def rank(self) -> int:
        """Its place in a list, the worst first."""
        return list(Tone).index(self.tone)


def standing_of(glance: StreamGlance) -> StreamStanding:
    """The gravest of what there is to say of a stream."""
    grave = next((i for i in glance.incidents if i.severity is Severity.HIGH), None)
    if grave is not None:
        return StreamStanding(Tone.BAD, "incident", f"{capitalised(grave.said)}.")
    if glance.overdue:
        last = f"The last one ended {to_minute(glance.last_cycle)}" if glance.last_cycle else "None has ended yet"
        return StreamStanding(Tone.BAD, "overdue", f"A scheduled cycle did not come. {last}.")
    if glance.no_champion and glance.champion is None:
        return StreamStanding(Tone.BAD, "no model", f"No model answers: {glance.no_champion}")
    if glance.paused:
        return StreamStanding(Tone.WARN, "paused", capitalised(glance.paused))
    if glance.incidents:
        return StreamStanding(Tone.WARN, "changed", f"{capitalised(glance.incidents[0].said)}.")
    if glance.verdict is None:
        return StreamStanding(Tone.STILL, "not checked", "No check has been made yet.")
    if glance.verdict is Verdict.BREACHED:
        codes = ", ".join(glance.breached[:3]) + (" and more" if len(glance.breached) > 3 else "")
        return StreamStanding(Tone.WARN, "breached", f"The newest check breached {codes}; no incident is open.")
    if glance.verdict is Verdict.INSUFFICIENT:
        return StreamStanding(Tone.STILL, "not judged", "The newest check had too few records to judge.")
    unjudged = " Quality is not judged yet: too few labels." if glance.predicts and glance.value is None else ""
    return StreamStanding(Tone.FINE, "all right", f"Nothing breached in the newest check.{unjudged}")
