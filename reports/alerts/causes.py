"""What moved, in words: at most three causes of an incident, each with masked examples."""

from __future__ import annotations

import re

from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Contributor, Signal
from trueup.monitoring.signals.catalogue import METRIC, kind_of
from trueup.reports.alerts.facts import AlertKind
from trueup.reports.alerts.letter import MovedInput
from trueup.reports.alerts.plain_figures import share
from trueup.reports.alerts.situation import Situation
from trueup.reports.masking import masked

_MOST = 3
_PARTS = 3  # contributors that are named of one signal
_HEADS = {
    "DRF-TEXT": "Words",
    "DRF-CLASS": "Answers",
    "DRF-LABEL": "Labels",
    "DRF-SCORE": "Scores",
    "DRF-TEXT-length": "Words in a text",
}
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_WORD = 40  # characters of a word or level that are shown


def causes_of(situation: Situation) -> tuple[MovedInput, ...]:
    """The causes, the gravest first; none where nothing is open, or what is wrong names its cause already."""
    if not situation.open and not situation.newest(AlertKind.INCIDENT_OPENED):
        return _repaired(situation)
    found = sorted(situation.signals().values(), key=lambda s: kind_of(s.code).gravity)
    moved = [s for s in found if s.code not in (METRIC, "PRF-EST") and kind_of(s.code).cause is not Cause.FEED]
    repaired = _repaired(situation)
    room = _MOST - len(repaired)
    told = tuple(MovedInput(_said(s), situation.examples.get(s.code, ())) for s in _one_of_text(moved)[:room])
    if not told and Cause.METRIC in situation.causes:
        return (MovedInput("No input changed: the meaning of the labels may have changed, or their source."),)
    return (*told, *repaired)


def _repaired(situation: Situation) -> tuple[MovedInput, ...]:
    judged = situation.judged
    if judged is None or judged.version != situation.champion or not situation.repaired:
        return ()
    right, wrong = judged.answers.get("repaired", 0), judged.answers.get("broken", 0)
    records = judged.answers.get("records", 0)
    said = f"On {records:,} new records v{judged.version} corrects {right:,} wrong answers"
    said += f", and gets {wrong:,} wrong that were right"
    if situation.is_regression:
        said = f"On {records:,} new records v{judged.version} is nearer on {right:,} and farther off on {wrong:,}"
    return (MovedInput(f"{said}.", situation.repaired[:_MOST]),)


def _one_of_text(signals: list[Signal]) -> list[Signal]:
    """Signals, where several speak of the texts only the first."""
    texts = [s for s in signals if s.code.startswith("DRF-TEXT")]
    return [s for s in signals if s not in texts[1:]]


def _said(signal: Signal) -> str:
    kind = kind_of(signal.code)
    subject = signal.code.removeprefix(f"{kind.code}-") if kind.subject else ""
    name = masked(subject, _WORD)
    parts = [_part(c) for c in signal.contributors[:_PARTS]]
    if signal.code.startswith("DQ-MISSING-") and signal.contributors:
        now, before = (
            share(value, simple=False) for value in (signal.contributors[0].now, signal.contributors[0].before)
        )
        return f"'{name}' is missing in {now} records, was {before}."
    if not parts or kind.cause is not Cause.DRIFT:
        plain = re.sub(r" \([^()]*\)", "", signal.said).split(". ", 1)[0].split("; ", 1)[0]
        return masked(plain.rstrip(".") + ".", 240)
    head = _HEADS.get(signal.code) or (f"'{name}'" if name else kind.title)
    return f"{head[:1].upper()}{head[1:]}, by share of records: {'; '.join(parts)}."


def _part(contributor: Contributor) -> str:
    now, before = share(contributor.now, simple=False), share(contributor.before, simple=False)
    what = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.3g}", masked(contributor.what, _WORD))
    return f"{what}: {now}, was {before}"
