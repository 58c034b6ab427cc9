"""A training job of one's own: `[streams.NAME.training.trainer]`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path, PurePath
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from trueup.storage.policy import Frozen, positive_span
from trueup.storage.timepoints import parse_span

JOB = "TRUEUP_JOB"  # the variable that names the job's folder
_ALWAYS = ("PATH", "LANG", "TZ", "DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY")  # beside LC_…
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB)")
_SCRIPT = re.compile(r"[^-\s][^\s]*\.[A-Za-z]\w*")
_BYTES = {"MB": 10**6, "GB": 10**9}


class Trainer(Frozen):
    """A program or Prefect deployment that trains models; without `command` or `deployment` there is none.

    command: the program and its arguments; it runs beside trueup.toml. deployment: of Prefect, as "flow/name".
    python: the interpreter that answers for its models; left out: trueup's own.
    limit: of one training. grace: between the request to end and the end by force.
    retries: tries more after exit status 75.
    memory: of the job, and of the process that answers for a model; empty: no limit. answer_limit: of one answer.
    env: names of the variables that the program may see, beside PATH, LANG, LC_… and TZ.
    judged_by: the rows that its models are judged on; "folds" takes a training more for each fold.
    """

    command: tuple[str, ...] = ()
    deployment: str = ""
    python: str = ""
    limit: str = "1h"
    grace: str = "30s"
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    memory: str = "4GB"
    answer_limit: str = "1min"
    env: tuple[str, ...] = ()
    judged_by: Literal["evaluation", "folds", "later"] = "evaluation"

    _checked = field_validator("limit", "grace", "answer_limit")(positive_span)

    @field_validator("memory")
    @classmethod
    def _is_a_size(cls, value: str) -> str:
        if value and not (_SIZE.fullmatch(value) and _bytes(value)):
            raise ValueError(f"'{value}' is no size; write a number and MB or GB, as in '4GB', or '' for no limit")
        return value

    @field_validator("deployment")
    @classmethod
    def _names_flow_and_deployment(cls, value: str) -> str:
        if value and not all(part.strip() for part in value.partition("/")):
            raise ValueError(f"'{value}' names no deployment; write flow and deployment, as in 'train/nightly'")
        return value

    @model_validator(mode="after")
    def _asks_one(self) -> Trainer:
        if self.command and self.deployment:
            raise ValueError("both command and deployment are set; a trainer is one of them, so leave the other out")
        if self.command and not self.command[0]:
            raise ValueError("command begins with an empty text; write the program first, then its arguments")
        return self

    @property
    def is_set(self) -> bool:
        """Whether there is a trainer."""
        return bool(self.command or self.deployment)

    @property
    def name(self) -> str:
        """What it is called in tables and mails: the deployment, or the command's script, or its program."""
        if self.deployment:
            return self.deployment
        script = next((part for part in self.command[1:] if _SCRIPT.fullmatch(part)), "")
        return PurePath(script or self.command[0]).name if self.command else ""

    @cached_property
    def limit_span(self) -> timedelta:
        return parse_span(self.limit)

    @cached_property
    def grace_span(self) -> timedelta:
        return parse_span(self.grace)

    @cached_property
    def answer_span(self) -> timedelta:
        return parse_span(self.answer_limit)

    @property
    def memory_bytes(self) -> int | None:
        """The most memory in bytes; None: no limit."""
        return _bytes(self.memory) if self.memory else None


def allowed_environment(
    names: tuple[str, ...], environ: Mapping[str, str], *, home: Path, scratch: Path
) -> dict[str, str]:
    """The variables that another's program sees: PATH, LANG, LC_…, TZ, those that are named, HOME and TMPDIR."""
    seen = {k: v for k, v in environ.items() if k in _ALWAYS or k.startswith("LC_") or k in names}
    return {**seen, "PATH": seen.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(scratch)}


def _bytes(size: str) -> int:
    found = _SIZE.fullmatch(size)
    assert found is not None  # the settings were checked
    return int(float(found[1]) * _BYTES[found[2]])
