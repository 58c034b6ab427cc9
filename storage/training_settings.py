"""How models of a stream are trained: `[streams.S.training]`."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from trueup.storage.policy import Frozen, checked_span
from trueup.storage.timepoints import parse_span
from trueup.storage.trainers.trainer_settings import Trainer

_CANDIDATE = re.compile(r"default|[\w.]+:[\w.]+")


class Training(Frozen):
    """What may become champion, and how long finding it may take. embeddings: tried where that extra is installed."""

    candidates: tuple[str, ...] = ("default",)
    evaluation_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    split_salt: str = ""
    refit_below: Annotated[int, Field(ge=0)] = 0
    time_limit: str = "5m"
    embeddings: bool = True
    owner: str = ""
    spaces: dict[str, dict[str, Any]] = Field(default_factory=dict)  # family, hyperparameter: what may be drawn
    configurations: Annotated[int, Field(ge=1, le=1000)] = 20  # drawn of all spaces together
    trainer: Trainer = Trainer()

    _checked = field_validator("time_limit")(checked_span)

    @model_validator(mode="after")
    def _named_whole(self) -> Training:
        wrong = [value for value in self.candidates if not _CANDIDATE.fullmatch(value)]
        if wrong or not (self.candidates or self.trainer.is_set):
            told = f"'{wrong[0]}' is no candidate" if wrong else "there is no candidate, so nothing could be trained"
            raise ValueError(f"candidates: {told}; write 'default', or 'module:function' for one of your own")
        return self

    @cached_property
    def limit_span(self) -> timedelta:
        return parse_span(self.time_limit)
