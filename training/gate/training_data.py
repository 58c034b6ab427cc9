"""Tests of the rows before anything is fitted on them: what cannot teach a model, or is meant to mislead one.

A failing test stops the training, so that no model of such rows is ever registered; DATA-SHARE and DATA-OVERLAP only
warn. Pure: who gave the labels, and what the champion knew, is handed in.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from trueup.storage.formatting import percent, percent_change
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.gate.leak import leak_test, overlap_test
from trueup.training.gate.result import GateTest, inapplicable
from trueup.training.models.fitting import LEAST_ROWS_OF_CLASS

LEAST_TRAINING_LABELS = 50       # labelled training rows
DUPLICATES = 0.9        # share of repeats among them; of Flipkart's short reviews .26 repeat, of Greenlight's .08
SHARE_JUMP = 0.2        # change of the class shares that is warned of
FEW_LABELS = 50                # labels of one user, up to which nobody is suspected


def data_tests(
    stream: StreamSettings, rows: Rows, users: np.ndarray, known: np.ndarray, since: datetime | None
) -> tuple[GateTest, ...]:
    """All tests of a training's rows.

    Args:
        rows: what the version would be trained and judged on, both sides.
        users: who gave each row's label, where feedback did; None elsewhere.
        known: the labels of the champion's snapshot; empty without a champion.
        since: the champion's cut-off; labels known later are new. None: all are.
    """
    labelled = rows.labelled
    side = rows.meta["evaluation"].to_numpy(dtype=bool)
    learning = rows.take(labelled & ~side)
    new = labelled
    if since is not None:
        new = labelled & (rows.meta["known_at"].to_numpy() > np.datetime64(since.replace(tzinfo=None), "us"))
    return (
        labels_test(len(learning)),
        kinds_test(stream, learning),
        duplicates_test(stream, learning),
        class_share_test(stream, rows.meta["label"].to_numpy()[new], known),
        user_test(users[new], stream.gate.max_share_per_user),
        leak_test(stream, rows),
        overlap_test(stream, rows),
    )


def labels_test(found: int) -> GateTest:
    """DATA-LABELS: enough labelled rows on the training side."""
    said = f"{found} labelled training rows"
    if found < LEAST_TRAINING_LABELS:
        said += f", {LEAST_TRAINING_LABELS} needed"
    bound = float(LEAST_TRAINING_LABELS)
    return GateTest(code="DATA-LABELS", passed=found >= bound, value=float(found), bound=bound, said=said)


def kinds_test(stream: StreamSettings, learning: Rows) -> GateTest:
    """DATA-CLASSES: two classes or more with enough rows to be learnt; for regression labels that vary."""
    labels = learning.meta["label"]
    if stream.is_regression:
        kinds = int(labels.nunique())
        said = f"labels with {kinds} different values"
    else:
        counts = labels.astype(str).value_counts()
        kinds = int((counts >= LEAST_ROWS_OF_CLASS).sum())
        told = ", ".join(f"'{' '.join(name.split())}' {count:,}" for name, count in counts.head(5).items()) or "none"
        said = f"{kinds} classes with {LEAST_ROWS_OF_CLASS} or more labelled training rows ({told})"
    if kinds < 2:
        said += "; a model needs two. Check label.classes, or add labels of the other classes"
    return GateTest(code="DATA-CLASSES", passed=kinds >= 2, value=float(kinds), bound=2.0, said=said)


def duplicates_test(stream: StreamSettings, learning: Rows) -> GateTest:
    """DATA-DUPLICATES: the labelled training rows are not nearly all repeats of each other."""
    code = "DATA-DUPLICATES"
    if not stream.text:
        return inapplicable(code, "the stream has no text")
    if not len(learning):
        return inapplicable(code, "there are no labelled training rows")
    share = 1 - len(np.unique(learning.meta["content"].to_numpy())) / len(learning)
    said = f"{percent(share)} of {len(learning):,} labelled training rows repeat an earlier one"
    if share > DUPLICATES:
        said += ": probably a source that sends the same records again. `trueup check` (DQ-DUP) shows since when"
    return GateTest(code=code, passed=share <= DUPLICATES, value=share, bound=DUPLICATES, said=said)


def class_share_test(stream: StreamSettings, new: np.ndarray, known: np.ndarray) -> GateTest:
    """DATA-SHARE: how far the class shares of the new labels lie from those that the champion knew; it only warns.

    The distance is the total variation: the share of labels that would have to be others.
    """
    code = "DATA-SHARE"
    before = np.array([str(label) for label in known if label is not None], dtype=object)
    if stream.is_regression:
        return inapplicable(code, "numbers have no class shares; DRF-LABEL compares them")
    if not len(before) or len(new) < FEW_LABELS:
        newer = f"{len(new)} labels newer than the champion; {FEW_LABELS} needed"
        return inapplicable(code, newer if len(before) else "there is no champion yet")
    now = new.astype(str)
    gaps = {name: float(np.mean(now == name) - np.mean(before == name)) for name in np.unique([*before, *now])}
    jump = sum(abs(gap) for gap in gaps.values()) / 2
    name = max(gaps, key=lambda one: abs(gaps[one]))
    said = f"labels '{name}' {percent_change(float(np.mean(before == name)), float(np.mean(now == name)))}"
    if jump > SHARE_JUMP:
        said = f"warning: {said}. Check whether the records changed, or who labels them. Training continues"
    return GateTest(code=code, passed=True, value=jump, bound=SHARE_JUMP, said=said)


def user_test(users: np.ndarray, bound: float) -> GateTest:
    """DATA-USER: no single user supplies more than a share of the new labels.

    One who gives that many decides what the model learns, by mistake or on purpose (label poisoning; Biggio et al.
    2012, ICML). Up to FEW_LABELS labels nobody is suspected. Labels that came with the record or without a user count
    in the whole, and are nobody's.
    """
    code = "DATA-USER"
    named = users[users != None]  # noqa: E711 - elementwise
    if not len(named):
        return inapplicable(code, "no new label comes from feedback with a user")
    names, counts = np.unique(named.astype(str), return_counts=True)
    most = int(counts.argmax())
    share = float(counts[most] / len(users))
    passed = share <= bound or counts[most] <= FEW_LABELS
    said = f"user '{' '.join(names[most].split())[:60]}' gave {counts[most]} of {len(users)} new labels"
    if not passed:
        said += (
            f" ({percent(share)}, limit {percent(bound)}). Check this feedback; if you trust the user, raise "
            "gate.max_share_per_user"
        )
    elif share > bound:
        said += f"; no limit up to {FEW_LABELS}"
    return GateTest(code=code, passed=bool(passed), value=share, bound=bound, said=said)
