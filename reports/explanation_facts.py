"""What an explanation is made of, and what it says: frozen values, no sentence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trueup.storage.promotions import PromotionAttempt


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """The check that asked for a training, and what was concluded from it; times as they are stored, ISO 8601."""

    report_id: str | None
    codes: tuple[str, ...]
    reasons: tuple[str, ...]
    first_time: str | None = None
    last_time: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChampionExplanation:
    """What made a version champion. tests: of the gate it was judged by, empty where none was asked.

    gain: by how much it beat the version before on the stream's metric, on rows that neither knew.
    """

    version: int
    event_id: str | None
    at: datetime | None
    as_of: datetime | None
    who: str | None
    kind: str | None
    why: str | None
    from_version: int | None
    labels: int | None
    gain: float | None
    asked: TrainingRequest | None
    tests: tuple[Mapping[str, Any], ...]
    probation: Mapping[str, Any] | None
    said: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OtherExplanation:
    """A version that is not champion: how far it came, against which champion, what failed and would have been needed.

    version: None where nothing could be trained. labels, labels_needed: new ones that it was judged by, and how many it
    takes to see a gain worth having nine times in ten; None where unknown.
    """

    version: int | None
    state: str
    at: datetime | None
    as_of: datetime | None
    against: int | None
    asked: TrainingRequest | None
    labels: int | None
    labels_needed: int | None
    failed: tuple[Mapping[str, Any], ...]
    needed: tuple[str, ...]
    said: str


@dataclass(frozen=True, kw_only=True)
class Trail:
    """What an explanation is made of: all attempts, newest first; who asked, by cycle; the newest look of a probation.

    metric: what the stream's models are judged by. versions: all that the store knows.
    """

    stream: str
    metric: str
    champion: int | None
    history: Sequence[PromotionAttempt]
    versions: Collection[int]
    asked: Mapping[str, TrainingRequest]
    probation: Mapping[str, Any] | None = None
