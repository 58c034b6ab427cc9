"""Tests for answers that are too easy: a feature that determines the label, texts on both sides, a perfect metric.

DATA-LEAK stops the training; the other two only warn. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from trueup.feedback.determination import DETERMINED, determinations
from trueup.storage.content import normalise
from trueup.storage.formatting import metric_name, percent
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.gate.result import GateTest, inapplicable

PERFECT = 0.99        # of accuracy, an F1 or the area under the curve; for numbers of r²
_LEAST_JUDGED = 50     # labelled held-out rows that a perfect metric is believed of
_NAMED = 3            # culprits that a message names
_BARE = re.compile(r"[\W\d_]+")


def leak_test(stream: StreamSettings, rows: Rows) -> GateTest:
    """DATA-LEAK: no feature, no two and no word of a text determine the label of newer rows.

    Measured on labelled rows of both sides in time order (`trueup.feedback.determination`).
    """
    code = "DATA-LEAK"
    labelled = rows.take(rows.labelled)
    numeric = {c: labelled.features[c].to_numpy(dtype=float) for c in stream.numeric}
    others = {c: _texts(labelled, c) for c in stream.categorical}
    texts = {c: _texts(labelled, c) for c in stream.text}
    answer = labelled.meta["label"].to_numpy()
    measured = determinations(answer, numeric | others, texts, regression=stream.is_regression)
    if not measured:
        return inapplicable(code, f"{len(labelled)} labelled records are too few, or their labels vary too little")
    first = measured[0]
    which = f"{first.said} {'determine' if len(first.columns) > 1 else 'determines'} the label"
    if first.gain < DETERMINED:
        said = "no feature, pair of features or word determines the label"
        if first.gain > 0:
            said += f"; closest: {first.said}, which avoids {percent(first.gain)} of the errors of a constant answer"
        return GateTest(code=code, passed=True, value=first.gain, bound=DETERMINED, said=said)
    more = [one.said for one in measured[1:_NAMED] if one.gain >= DETERMINED]
    also = f"; so do {' and '.join(more)}" if more else ""
    said = (
        f"{which}: it avoids {percent(first.gain)} of the errors of a constant answer on the newest {first.rows:,} "
        f"records{also}"
    )
    if stream.gate.leak == "allow":
        honest = f'{said}. Declared honest (gate.leak = "allow")'
        return GateTest(code=code, passed=True, value=first.gain, bound=DETERMINED, said=honest)
    said += (
        ". The model would copy the answer instead of learning it. Remove the column from the features, or the words "
        'from the text; if they are known when the prediction is made, set gate.leak = "allow"'
    )
    return GateTest(code=code, passed=False, value=first.gain, bound=DETERMINED, said=said)


def _texts(rows: Rows, column: str) -> np.ndarray:
    values = rows.features[column]
    return np.asarray(values.astype(object).where(values.notna(), None), dtype=object)


def overlap_test(stream: StreamSettings, rows: Rows) -> GateTest:
    """DATA-OVERLAP: how many labelled held-out texts are in training too, signs, digits and case aside; it warns.

    Whole texts that are alike never fall on both sides, unless `group` decides the side.
    """
    code = "DATA-OVERLAP"
    if not stream.text:
        return inapplicable(code, "the stream has no text")
    side = rows.meta["evaluation"].to_numpy(dtype=bool)
    held_out, learning = rows.take(rows.labelled & side), rows.take(rows.labelled & ~side)
    if not len(held_out):
        return inapplicable(code, "there are no labelled held-out records")
    known = set(_bare(stream, learning))
    shared = sum(text in known for text in _bare(stream, held_out))
    share = shared / len(held_out)
    said = (
        f"{shared:,} of {len(held_out):,} held-out texts ({percent(share)}) are in the training side too (ignoring "
        "signs and digits)"
    )
    if share > 0.5:
        said = f"warning: {said}, so the hold-out metric is too high; the backtest leaves out only identical texts"
    return GateTest(code=code, passed=True, value=share, bound=0.5, said=said)


def _bare(stream: StreamSettings, rows: Rows) -> list[str]:
    joined = (" ".join(t for t in row if isinstance(t, str)) for row in rows.features[list(stream.text)].to_numpy())
    return [_BARE.sub(" ", normalise(text)).strip() for text in joined]


def perfect_test(stream: StreamSettings, metrics: Mapping[str, float], judged: int) -> GateTest:
    """DATA-PERFECT: whether the held-out metric is too good to be believed; it only warns."""
    code = "DATA-PERFECT"
    name = "r2" if stream.is_regression else "accuracy" if stream.metric == "accuracy" else "f1_macro"
    value = metrics.get(name, float("nan"))
    if judged < _LEAST_JUDGED or value != value:
        return inapplicable(code, f"{judged} labelled held-out records; {_LEAST_JUDGED} needed")
    said = f"{metric_name(name)} {value:.3f} on {judged:,} held-out records"
    if value > PERFECT:
        said = (
            f"warning: {said} is almost perfect. Check whether each feature is known when the prediction is made. "
            "Training continues"
        )
    return GateTest(code=code, passed=True, value=value, bound=PERFECT, said=said)
