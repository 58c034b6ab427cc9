"""Where records or feedback come in from by themselves: `[streams.NAME.source]` and `.feedback_source`."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from pydantic import field_validator, model_validator

from trueup.storage.policy import Frozen, checked_span
from trueup.storage.timepoints import parse_span

FILES_SETTLE = "10s"


class SourceSettings(Frozen):
    """One place, which each cycle takes from what is new; without `files` there is none.

    files: a glob on a local folder (relative: beside trueup.toml), or an fsspec URL with one.
    settle: how long a file must have been unchanged before it counts as whole.
    """

    files: str = ""
    settle: str = ""

    @field_validator("settle")
    @classmethod
    def _is_a_span(cls, value: str) -> str:
        return checked_span(value) if value else value

    @model_validator(mode="after")
    def _settles_something(self) -> SourceSettings:
        if self.settle and not self.is_set:
            raise ValueError("settle says how old data must be, and no source is named; write files = \"folder/*.csv\"")
        return self

    @property
    def is_set(self) -> bool:
        """Whether a place is named."""
        return bool(self.files)

    @cached_property
    def settle_span(self) -> timedelta:
        return parse_span(self.settle or FILES_SETTLE)
