"""Subjects of incidents: frozen when one opens, so that a mail client keeps its mails together."""

from __future__ import annotations

from datetime import datetime

from trueup.monitoring.causes import Cause
from trueup.storage.escaping import for_header

SUBJECT_STEM = 60  # characters of a subject without its tag: what a phone shows

_SAID = {
    Cause.METRIC: "more wrong answers since {day}",
    Cause.DRIFT: "the data changed on {day}",
    Cause.DATA: "values went missing on {day}",
    Cause.FEED: "the feed of records changed on {day}",
    Cause.CHAMPION: "the model cannot be used since {day}",
    Cause.NO_CHAMPION: "no model yet, training failed on {day}",
    Cause.CYCLE: "checks fail since {day}",
    Cause.TRAINER: "the training job fails since {day}",
    Cause.SOURCE: "new data is missing since {day}",
    Cause.ROLLBACK: "went back to an earlier model on {day}",
    Cause.LABEL_FEED: "labels are in doubt since {day}",
}
_FEED = {
    "DQ-LABELS": "fewer labels arrive since {day}",
    "DQ-VOLUME": "the number of records changed on {day}",
    "DQ-DUP": "more records repeat since {day}",
    "DQ-QUARANTINE": "more records are refused since {day}",
}


def stem_of(stream: str, cause: Cause, opened_at: datetime, codes: tuple[str, ...] = (), task: str = "") -> str:
    """The subject of an incident: no figure that ages, at most SUBJECT_STEM characters.

    cause: the gravest when it opens. opened_at: in as-of time. task: of the stream; numbers are off, not wrong.
    """
    said = next((_FEED[code] for code in codes if code in _FEED), _SAID[cause]) if cause is Cause.FEED else _SAID[cause]
    if cause is Cause.METRIC and task == "regression":
        said = "larger errors since {day}"
    return stem_with(stream, said.format(day=f"{opened_at.day} {opened_at:%B}"))


def stem_with(stream: str, said: str) -> str:
    """A subject that begins with the stream; what is too long is cut from the stream's name."""
    said, name = for_header(said)[: SUBJECT_STEM - 12], for_header(stream)
    room = SUBJECT_STEM - len(said) - 2
    return f"{name if len(name) <= room else name[: room - 1] + '…'}: {said}"
