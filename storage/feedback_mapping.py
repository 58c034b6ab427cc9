"""Which columns of a file of feedback say what: `[streams.NAME.feedback]`, as frozen settings."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from trueup.storage.file_format import FileFormat
from trueup.storage.policy import Frozen

FEEDBACK_KINDS = ("label", "thumb", "rating", "vote")


class FeedbackMapping(Frozen):
    """The columns of a file of feedback, and what its rows mean.

    record: the id of the record that is spoken of. kind: one of FEEDBACK_KINDS that all rows are of, else the column
    that says it. user: "" where nobody is named. each: a column that holds a list, of which each item is a row of
    feedback with columns of its own (`annotations.created_at`). cancelled: a column; rows where it is true are left
    out, as are those whose value is one of `ignore`. several: which label counts where several users give one.
    """

    record: str = "record_id"
    kind: str = "kind"
    value: str = "value"
    user: str = "user"
    time: str | tuple[str, ...] = "at"
    time_format: str | tuple[str, ...] = ""
    time_locale: str = ""
    time_zone: str = ""
    each: str = ""
    cancelled: str = ""
    ignore: tuple[str, ...] = ()
    several: Literal["newest", "majority"] = "newest"
    format: FileFormat = FileFormat()

    @model_validator(mode="after")
    def _names_each_column_once(self) -> FeedbackMapping:
        if not (self.record and self.kind and self.value and self.time):
            raise ValueError("record, kind, value and time are never empty: each names a column, kind perhaps a kind")
        twice = sorted({c for c in self.columns if self.columns.count(c) > 1})
        if twice:
            raise ValueError(f"'{twice[0]}' is named for two things; name a column for each")
        return self

    @property
    def always(self) -> str:
        """The kind that all rows are of; "" where a column says it."""
        return self.kind if self.kind in FEEDBACK_KINDS else ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns beside the time."""
        kind = "" if self.always else self.kind
        return tuple(c for c in (self.record, kind, self.value, self.user, self.cancelled) if c)
