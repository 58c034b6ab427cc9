"""What a check compares: rows of the champion's snapshot on one hand, the newest window on the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from trueup.storage.rows import Rows

_NONE = np.array([], dtype="datetime64[us]")


@dataclass(frozen=True)
class Intake:
    """When things came in, for the signals that are judged by time.

    arrived: event times (datetime64[us], UTC) of all the stream's records known at `as_of`, ascending.
    quarantined_at, accepted_at: when items were received (datetime64[us], UTC), ascending, none after `as_of`; of what
        came in after it, as in a replay, the day on which it happened.
    labels: of the records of the last weeks their times, ascending, and when the first label of each was known (NaT:
        none is by now).
    batches_at: when batches of records were received, none after `as_of`; None: those of `accepted_at`.
    """

    arrived: np.ndarray
    quarantined_at: np.ndarray
    accepted_at: np.ndarray
    labels: tuple[np.ndarray, np.ndarray] = (_NONE, _NONE)
    batches_at: np.ndarray | None = None

    @staticmethod
    def nothing() -> Intake:
        """A stream of which nothing is known by time."""
        return Intake(_NONE, _NONE, _NONE)


@dataclass(frozen=True)
class AnsweredChange:
    """A change that was answered, or harmless: what a signal is compared with since.

    rows: the records since the change. since: when it began (UTC). said: why they are the reference, in words.
    waits: why the signal is not judged yet; empty where the rows fill a window.
    """

    rows: Rows
    since: datetime
    said: str
    waits: str = ""


@dataclass(frozen=True)
class Comparison:
    """Like against like (invariant 3); every part may be empty, and is then answered with `insufficient`.

    reference: the newest `policy.reference` rows of the champion's snapshot, both sides of the split.
    current: the window.
    model_reference: evaluation rows whose content stands once in the snapshot, with the champion's answers.
    model_current: window rows whose content is new to the champion, with its answers.
    quality_reference: labelled rows out of time, answered by the recipe refitted on what came before their block.
    quality_blocks: the number of that block, one integer for each row of `quality_reference`.
    quality_current: mature labelled rows of the window, of one provenance, new in content, with the champion's answers.
    quality_looks: in how many checks running one of those labels is read; 1 where the window alone holds enough.
    quality_own: how many of them, the newest, are of the window; None: all.
    accepted: windows that a person accepted, by the code of the signal that they are the reference of.
    answered: changes that were answered or harmless, by the code of the signal that is compared with the rows since.
    past: the whole snapshot in time order; its features may be left out, since only series streams look at them.
    learnt: the newest rows of it that the champion was trained on; None: those of `past`.
    intake: when records and refused items came in.
    as_of: the time (UTC) at which the world is looked at.
    settled: until when all parts of the feed have reported; None: until as_of.
    seed: of every random draw, so that a check can be repeated to the digit.
    """

    reference: Rows
    current: Rows
    model_reference: Rows
    model_current: Rows
    quality_reference: Rows
    quality_blocks: np.ndarray
    quality_current: Rows
    past: Rows
    intake: Intake
    as_of: datetime
    settled: datetime | None = None
    seed: int = 0
    quality_looks: int = 1
    quality_own: int | None = None
    learnt: Rows | None = None
    accepted: Mapping[str, Rows] = field(default_factory=dict)
    answered: Mapping[str, AnsweredChange] = field(default_factory=dict)

    def mature64(self, maturity: timedelta) -> np.datetime64:
        """The newest event time whose label counts as complete at `as_of`."""
        return self.as_of64 - np.timedelta64(maturity)

    @property
    def as_of64(self) -> np.datetime64:
        """`as_of` as the store writes times: UTC without a zone, in microseconds."""
        return _stored(self.as_of)

    @property
    def settled64(self) -> np.datetime64:
        """`settled`, or `as_of` where nothing is waited for, as the store writes times."""
        return _stored(self.settled or self.as_of)


def _stored(moment: datetime) -> np.datetime64:
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return np.datetime64(utc.replace(tzinfo=None), "us")
