"""What a drifted input, answer or label does now, in a few words with the figure that says it best."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.monitoring.check import Contributor, Signal
from trueup.monitoring.signals.catalogue import LABEL_DRIFT, kind_of
from trueup.reports.alerts.plain_figures import share
from trueup.reports.masking import masked

_CLASSES, _SCORES, _LENGTH = "DRF-CLASS", "DRF-SCORE", "DRF-TEXT-length"
_MEANT_FIRST = (LABEL_DRIFT, _CLASSES)  # people picture a class more easily than a score or a word
_WORD = 24  # characters of a word or level


def moved_phrases(signals: Sequence[Signal]) -> list[str]:
    """What moved, the easiest to picture first, each thing once: predicted classes speak for the scores too."""
    codes = {signal.code for signal in signals}
    told = [s for s in signals if not (s.code == _SCORES and codes & set(_MEANT_FIRST))]
    told.sort(key=lambda s: (_MEANT_FIRST.index(s.code) if s.code in _MEANT_FIRST else 9, kind_of(s.code).gravity))
    return list(dict.fromkeys(moved_phrase(signal) for signal in told))


def moved_phrase(signal: Signal) -> str:
    """One signal: "30 in 100 labels are 'negative', was 17 in 100"; without a figure where it has none."""
    kind = kind_of(signal.code)
    grown = more_common(signal.contributors)
    if not grown or kind.code not in _WORDS:
        return kind.phrase_of(signal.code)
    now, before = share(grown[0].now, simple=False), share(grown[0].before, simple=False)
    what = masked(grown[0].what, _WORD)
    subject = masked(signal.code.removeprefix(f"{kind.code}-"), _WORD)
    longer = {"up": "texts are longer: ", "down": "texts are shorter: "}.get(signal.direction or "", "")
    return _WORDS[kind.code].format(now=now, before=before, what=what, subject=subject, longer=longer)


def more_common(contributors: Sequence[Contributor]) -> list[Contributor]:
    """Those that there is more of than before, the strongest first: records that hold them show the change."""
    return sorted((c for c in contributors if c.now > c.before), key=lambda c: c.before - c.now)


_WORDS = {
    LABEL_DRIFT: "{now} labels are '{what}', was {before}",
    _CLASSES: "the model answers '{what}' for {now} records, was {before}",
    "DRF-TEXT": "{now} texts hold '{what}', was {before}",
    _LENGTH: "{longer}{now} have {what} words, was {before}",
}
