"""What a drifted input, answer or label does now, in a few words with the figure that says it best."""

from __future__ import annotations

import re
from collections.abc import Sequence

from trueup.monitoring.check import Contributor, Signal
from trueup.monitoring.signals.catalogue import LABEL_DRIFT, kind_of
from trueup.reports.alerts.plain_figures import share
from trueup.reports.masking import masked

_CLASSES, _SCORES, _LENGTH = "DRF-CLASS", "DRF-SCORE", "DRF-TEXT-length"
_MEANT_FIRST = (LABEL_DRIFT, _CLASSES)  # people picture a class more easily than a score or a word
_WORD = 24  # characters of a word or level


def moved_phrases(signals: Sequence[Signal]) -> list[str]:
    """What moved, the easiest to picture first, each thing once.

    Predicted classes speak for the scores too, and a phrase with a figure for the same one without.
    """
    codes = {signal.code for signal in signals}
    told = [s for s in signals if not (s.code == _SCORES and codes & set(_MEANT_FIRST))]
    told.sort(key=lambda s: (_MEANT_FIRST.index(s.code) if s.code in _MEANT_FIRST else 9, kind_of(s.code).gravity))
    figures = {kind_of(s.code).phrase_of(s.code) for s in told if moved_phrase(s) != kind_of(s.code).phrase_of(s.code)}
    return list(dict.fromkeys(phrase for s in told if (phrase := moved_phrase(s)) not in figures))


def moved_phrase(signal: Signal) -> str:
    """One signal: "30 in 100 labels are 'negative', was 17 in 100"; without a figure where it has none."""
    kind = kind_of(signal.code)
    grown = more_common(signal.contributors)
    if not grown or kind.code not in _WORDS:
        return kind.phrase_of(signal.code)
    now, before = share(grown[0].now, simple=False), share(grown[0].before, simple=False)
    what = masked(grown[0].what, _WORD)
    subject = masked(signal.code.removeprefix(f"{kind.code}-"), _WORD)
    way = _WAYS.get((kind.code, signal.direction or ""), "")
    what = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2g}", what)
    return _WORDS[kind.code].format(now=now, before=before, what=what, subject=subject, way=way)


def more_common(contributors: Sequence[Contributor]) -> list[Contributor]:
    """Those that there is more of than before, in the order given: records that hold them show the change."""
    return [c for c in contributors if c.now > c.before]


_WORDS = {
    LABEL_DRIFT: "{now} labels are '{what}', was {before}",
    _CLASSES: "the model answers '{what}' for {now} records, was {before}",
    "DRF-TEXT": "{now} texts hold '{what}', was {before}",
    _LENGTH: "{way}{now} have {what} words, was {before}",
    _SCORES: "the model answers with {way}{what} for {now} records, was {before}",
}
_WAYS = {
    (_LENGTH, "up"): "texts are longer: ", (_LENGTH, "down"): "texts are shorter: ",
    (_SCORES, "up"): "higher scores: ", (_SCORES, "down"): "lower scores: ",
}  # fmt: skip
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
