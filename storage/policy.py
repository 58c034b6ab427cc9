"""What a stream's checks, challengers and files are held to: policy, bounds of the gate, retention."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from trueup.storage.timepoints import parse_span


class Frozen(BaseModel):
    """A value that cannot change and knows no other keys."""

    # built with what holds it, not each by itself as well: a third of what reading the settings costs
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)


def checked_span(value: str) -> str:
    """The value, if it is a span.

    Raises:
        ValueError: it is none.
    """
    parse_span(value)
    return value


def positive_span(value: str) -> str:
    """The value, if it is a span of some length.

    Raises:
        ValueError: it is none, or 0.
    """
    if not parse_span(value):
        raise ValueError(f"'{value}' is no time span; write a span above 0, as in '1d'")
    return value


MANY = 1_000_000_000  # more than a number of records, labels or attempts means


LEAST_PROBATION = 50  # labelled rows
METRICS = ("accuracy", "f1_macro", "f1_score", "roc_auc", "mae", "rmse", "r2")
ERROR_METRICS = frozenset({"mae", "rmse"})  # lower is better, and a drop is relative to the reference


class Policy(Frozen):
    """When a check alerts and when it asks for a challenger."""

    window: int | str = 500
    settle: str = "0d"
    reference: Annotated[int, Field(ge=30, le=MANY)] = 5000
    min_labels: Annotated[int, Field(ge=1, le=MANY)] = 200
    false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    metric: Literal["accuracy", "f1_macro", "f1_score", "roc_auc", "mae", "rmse", "r2", ""] = ""
    max_drop: Annotated[float, Field(ge=0)] = 0.03
    retrain_on: tuple[Literal["drift", "metric", "growth"], ...] = ("drift", "metric", "growth")
    drift_growth: Annotated[float, Field(ge=0, le=MANY)] = 0.4
    growth: Annotated[float, Field(gt=0, le=MANY)] = 0.5
    confirm: Annotated[int, Field(ge=1, le=MANY)] = 2
    cooldown: str = "1d"
    retrains_per_week: Annotated[int, Field(ge=0, le=MANY)] = 3
    promotion: Literal["auto", "approve", "off"] = "auto"
    approval: str = "7d"
    probation: int | str = 500
    harmless: Literal["close", "keep"] = "close"
    mute: tuple[str, ...] = ()

    _checked = field_validator("cooldown", "approval")(checked_span)

    @field_validator("window", "probation", mode="before")
    @classmethod
    def _number_from_environment(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.strip().isdecimal() else value

    @field_validator("settle", mode="before")
    @classmethod
    def _span_of_any_length(cls, value: object) -> str:
        text = "0d" if value in (0, "0", "") else str(value)
        parse_span(text)
        return text

    @field_validator("window")
    @classmethod
    def _full_enough(cls, value: int | str) -> int | str:
        if isinstance(value, str):
            positive_span(value)
        elif value > MANY:
            raise ValueError("a window of so many records never fills; write fewer, or a span such as '7d'")
        elif value < 30:
            raise ValueError(f"window = {value}: a check needs 30 records; use 30 or more")
        return value

    @field_validator("probation")
    @classmethod
    def _long_enough(cls, value: int | str) -> int | str:
        if isinstance(value, str):
            if value:
                parse_span(value)
        elif value > MANY:
            raise ValueError("a probation of so many rows never ends; write fewer, or a span such as '14d'")
        elif value and value < LEAST_PROBATION:
            raise ValueError(
                f"probation = {value}: two versions cannot be compared on fewer than {LEAST_PROBATION} labelled rows; "
                f'use {LEAST_PROBATION} or more, a span such as "14d", or 0 for none'
            )
        return value

    def for_series(self) -> Policy:
        """The policy of a stream whose rows depend on each other: what was not set is as it serves such streams."""
        return self.model_copy(update={k: v for k, v in _SERIES.items() if k not in self.model_fields_set})

    @property
    def settle_span(self) -> timedelta:
        return parse_span(self.settle)

    @cached_property
    def cooldown_span(self) -> timedelta:
        return parse_span(self.cooldown)

    @cached_property
    def approval_span(self) -> timedelta:
        return parse_span(self.approval)

    @property
    def probation_span(self) -> timedelta | None:
        """The probation's length in time, or None where it is a number of labelled rows, or there is none."""
        return parse_span(self.probation) if isinstance(self.probation, str) and self.probation else None

    @property
    def window_records(self) -> int | None:
        """The window's size in records, or None where it is a span."""
        return self.window if isinstance(self.window, int) else None

    @property
    def window_span(self) -> timedelta | None:
        """The window's length in time, or None where it is a number of records."""
        return parse_span(self.window) if isinstance(self.window, str) else None


# chosen with the defaults above on one half of docs/promotion.md, "When retraining pays"
_SERIES: dict[str, object] = {"drift_growth": 0.0, "growth": 0.4}
OWN_POLICY = "default"  # the stream's own policy, as a replay names it
BASELINES = ("never", "always", "periodic")  # what a replay holds policies against


GateRule = Literal["better", "not_worse"]


class GatePolicy(Frozen):
    """What a challenger must be, and what it may cost: bounds of the gate's tests."""

    rule: GateRule = "better"
    slice_margin: Annotated[float, Field(ge=0)] = 0.05
    calibration_margin: Annotated[float, Field(ge=0)] = 0.05
    max_share_per_user: Annotated[float, Field(gt=0, le=1)] = 0.2
    leak: Literal["refuse", "allow"] = "refuse"
    latency_ratio: Annotated[float, Field(ge=1)] = 5.0
    latency_floor_ms: Annotated[float, Field(ge=0)] = 50.0
    size_ratio: Annotated[float, Field(ge=1)] = 5.0
    size_floor_mb: Annotated[float, Field(ge=0)] = 100.0
    golden: str = ""
    golden_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    golden_within: Annotated[float, Field(ge=0)] = 0.0
    behaviour: str = ""
    behaviour_failures: Annotated[float, Field(ge=0, le=1)] = 0.3
    behaviour_margin: Annotated[float, Field(ge=0, le=1)] = 0.1


class Retention(Frozen):
    """How much is kept of what nothing speaks of any more; where this says nothing, nothing is removed.

    versions: so many of the newest, beside those that the audit trail needs. reports: files of quiet checks, so long.
    incident_reports: files of checks that something was concluded from, so long; empty: for ever.
    """

    versions: Annotated[int, Field(ge=0, le=MANY)] = 0
    reports: str = ""
    incident_reports: str = ""

    @field_validator("reports", "incident_reports")
    @classmethod
    def _a_span_or_nothing(cls, value: str) -> str:
        return checked_span(value) if value else value

    @model_validator(mode="after")
    def _incidents_longer(self) -> Retention:
        longer, quiet = self.incident_reports_span, self.reports_span
        if longer is not None and (quiet is None or longer < quiet):
            raise ValueError(
                f"incident_reports is '{self.incident_reports}' and reports is '{self.reports}': what something was "
                "concluded from is kept at least as long as the rest; set reports, to a span no longer than it"
            )
        return self

    @cached_property
    def reports_span(self) -> timedelta | None:
        return parse_span(self.reports) if self.reports else None

    @cached_property
    def incident_reports_span(self) -> timedelta | None:
        return parse_span(self.incident_reports) if self.incident_reports else None

    @property
    def is_set(self) -> bool:
        return bool(self.versions or self.reports)
