"""What a stream is: its schema, label, schedule, policy, training and recipients, as frozen values.

The keys and defaults are the contract of `trueup.toml`; a key that does not stand here is refused by name.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from trueup.storage.timepoints import parse_span


class Frozen(BaseModel):
    """A value that cannot change and knows no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _span(value: str) -> str:
    parse_span(value)
    return value


class OrderTime(Frozen):
    """Time by intake order, for streams without a clock: row k lies k steps after start."""

    start: str
    step: str

    _checked = field_validator("step")(_span)


class LabelPolicy(Frozen):
    """Where a record's label comes from, and when it counts."""

    column: str = ""
    classes: dict[str, str | list[str]] = Field(default_factory=dict)
    arrived: str = ""
    maturity: str = "0d"

    _checked = field_validator("maturity")(_span)

    @cached_property
    def maturity_span(self) -> timedelta:
        return parse_span(self.maturity)


class Schedule(Frozen):
    """When the stream's cycles run; without a cron line only when asked for."""

    cron: str = ""

    @field_validator("cron")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value:
            from croniter import croniter

            if not croniter.is_valid(value):
                raise ValueError(f"'{value}' is no cron line; write five fields, as in '0 * * * *' for every hour")
        return value


LEAST_PROBATION = 50  # labelled rows
METRICS = ("accuracy", "f1_macro", "f1_score", "roc_auc", "mae", "rmse", "r2")
ERROR_METRICS = frozenset({"mae", "rmse"})  # lower is better, and a drop is relative to the reference


class Policy(Frozen):
    """When a check alerts and when it asks for a challenger."""

    window: int | str = 500
    reference: Annotated[int, Field(ge=30)] = 5000
    min_labels: Annotated[int, Field(ge=1)] = 200
    false_alarms: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    metric: Literal["accuracy", "f1_macro", "f1_score", "roc_auc", "mae", "rmse", "r2", ""] = ""
    max_drop: Annotated[float, Field(ge=0)] = 0.03
    retrain_on: tuple[Literal["drift", "metric"], ...] = ("drift", "metric")
    confirm: Annotated[int, Field(ge=1)] = 2
    cooldown: str = "1d"
    retrains_per_week: Annotated[int, Field(ge=0)] = 3
    promotion: Literal["auto", "approve", "off"] = "auto"
    approval: str = "7d"
    probation: int | str = 500
    mute: tuple[str, ...] = ()

    _checked = field_validator("cooldown", "approval")(_span)

    @field_validator("window", "probation", mode="before")
    @classmethod
    def _number_from_environment(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.strip().isdigit() else value

    @field_validator("window")
    @classmethod
    def _full_enough(cls, value: int | str) -> int | str:
        if isinstance(value, str):
            parse_span(value)
        elif value < 30:
            raise ValueError(f"window = {value}: under 30 records no check can say anything; use 30 or more")
        return value

    @field_validator("probation")
    @classmethod
    def _long_enough(cls, value: int | str) -> int | str:
        if isinstance(value, str):
            if value:
                parse_span(value)
        elif value and value < LEAST_PROBATION:
            raise ValueError(
                f"probation = {value}: on fewer than {LEAST_PROBATION} labelled rows no champion is said to be "
                f'worse than the one before; use {LEAST_PROBATION} or more, a span such as "14d", or 0 for none'
            )
        return value

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


OWN_POLICY = "default"  # the stream's own policy, as a replay names it
BASELINES = ("never", "always", "periodic")  # what a replay holds policies against


class Training(Frozen):
    """What may become champion, and how long finding it may take."""

    candidates: tuple[str, ...] = ("default",)
    evaluation_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    split_salt: str = ""
    time_limit: str = "5m"
    owner: str = ""

    _checked = field_validator("time_limit")(_span)

    @cached_property
    def limit_span(self) -> timedelta:
        return parse_span(self.time_limit)


class GatePolicy(Frozen):
    """What a challenger may cost: bounds of the gate's tests beside the comparison on the metric."""

    slice_margin: Annotated[float, Field(ge=0)] = 0.05
    calibration_margin: Annotated[float, Field(ge=0)] = 0.05
    max_share_per_user: Annotated[float, Field(gt=0, le=1)] = 0.2
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


class SentPrediction(Frozen):
    """The columns in which records carry the answer of a model that runs elsewhere; without `column` none does."""

    column: str = ""
    score: str = ""
    version: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are named."""
        return tuple(c for c in (self.column, self.score, self.version) if c)

    @model_validator(mode="after")
    def _said_by_an_answer(self) -> SentPrediction:
        if self.columns and not self.column:
            raise ValueError("score and version say more of an answer, and no column holds one; name it as `column`")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"{', '.join(self.columns)}: column, score and version are three different columns")
        return self


class Retention(Frozen):
    """How much is kept of what nothing speaks of any more; where this says nothing, nothing is removed.

    versions: so many of the newest, beside those that the audit trail needs. reports: pages of quiet checks, so long.
    """

    versions: Annotated[int, Field(ge=0)] = 0
    reports: str = ""

    @field_validator("reports")
    @classmethod
    def _a_span_or_nothing(cls, value: str) -> str:
        return _span(value) if value else value

    @cached_property
    def reports_span(self) -> timedelta | None:
        return parse_span(self.reports) if self.reports else None

    @property
    def is_set(self) -> bool:
        return bool(self.versions or self.reports)


_ATOM = r"[^\s\x00-\x1f\x7f<>@,;:\"()\[\]\\.]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*")


def mail_address(value: str) -> str:
    """The value, if a mail server could take it for an address (RFC 5321 without quoted local parts and literals).

    Raises:
        ValueError: it is none; with advice.
    """
    if not _ADDRESS.fullmatch(value):
        raise ValueError(
            f"'{value}' is not a mail address, so nobody would be told; write the address alone, one a string, as in "
            '"oncall@example.org"'
        )
    return value


class Recipients(Frozen):
    """Who is woken."""

    to: tuple[Annotated[str, AfterValidator(mail_address)], ...] = ()


class Stream(Frozen):
    """A named flow of records with its own schema, champion, policy, schedule and recipients."""

    name: str
    task: Literal["classification", "regression"] = "classification"
    id: str = ""
    time: str | tuple[str, ...] | OrderTime
    time_format: str = ""
    text: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    series: bool = False
    label: LabelPolicy = LabelPolicy()
    schedule: Schedule = Schedule()
    policy: Policy = Policy()
    policies: dict[str, Policy] = Field(default_factory=dict)  # for `trueup replay`; what they lack is as in `policy`
    training: Training = Training()
    gate: GatePolicy = GatePolicy()
    prediction: SentPrediction = SentPrediction()
    retention: Retention = Retention()
    alerts: Recipients = Recipients()

    @model_validator(mode="before")
    @classmethod
    def _complete_policies(cls, values: Any) -> Any:
        named = values.get("policies") if isinstance(values, dict) else None
        if not isinstance(named, dict):
            return values
        own = values.get("policy", {})
        own = own.model_dump() if isinstance(own, Policy) else own
        if not isinstance(own, dict):
            return values  # refused as what it is
        return {**values, "policies": {k: {**own, **v} if isinstance(v, dict) else v for k, v in named.items()}}

    @field_validator("policies")
    @classmethod
    def _named_freely(cls, values: dict[str, Policy]) -> dict[str, Policy]:
        taken = sorted({OWN_POLICY, *BASELINES} & values.keys())
        if taken:
            raise ValueError(
                f"a policy is named '{taken[0]}', which a replay uses already: '{OWN_POLICY}' is the stream's own "
                f"policy, and {', '.join(BASELINES)} are what it is held against; give it another name"
            )
        return values

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
            raise ValueError("a stream's name is also a folder's: use letters, digits, '_' and '-' only")
        return value

    @model_validator(mode="after")
    def _describes_a_model(self) -> Stream:
        if not self.features:
            raise ValueError(
                "no feature is declared, so there is nothing to learn from or to compare; "
                "name columns under text, numeric or categorical"
            )
        twice = {c for c in self.features if self.features.count(c) > 1}
        if twice:
            raise ValueError(f"{sorted(twice)} declared twice; a column is either text, numeric or categorical")
        if self.label.column and self.label.column in self.features:
            raise ValueError(f"the label's column '{self.label.column}' is also a feature; that would leak the answer")
        if self.is_regression and self.label.classes:
            raise ValueError("label.classes belongs to classification; a regression stream takes its label as it is")
        known = {*self.features, self.label.column, self.label.arrived}
        leaking = sorted(known.intersection(self.prediction.columns))
        if leaking:
            raise ValueError(
                f"prediction: '{leaking[0]}' is also a feature or the label's; what a service answered would be learnt "
                "from, or taken for the truth"
            )
        if self.is_regression and self.prediction.score:
            raise ValueError("prediction.score is a probability and belongs to classification; leave it out")
        if self.gate.golden and (self.gate.golden_within > 0) != self.is_regression:
            raise ValueError(
                "gate.golden_within says how far from the expected number an answer is right: a regression with a "
                "golden set needs it, above 0, and a classification has no use for it"
            )
        for policy in (self.policy, *self.policies.values()):
            if policy.metric == "roc_auc" and self.prediction.column and not self.prediction.score:
                raise ValueError("metric 'roc_auc' ranks probabilities, and prediction.score names none; name a column")
            if policy.metric and (policy.metric in {"mae", "rmse", "r2"}) != self.is_regression:
                raise ValueError(f"metric '{policy.metric}' does not fit task '{self.task}'")
        return self

    @property
    def is_regression(self) -> bool:
        """Whether the label is a number; otherwise it is a class."""
        return self.task == "regression"

    @property
    def features(self) -> tuple[str, ...]:
        """The columns a model may learn from, in a fixed order."""
        return self.text + self.numeric + self.categorical

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are kept ready for checks and training: features, then slices that are no feature."""
        return self.features + tuple(c for c in self.slices if c not in self.features)

    @property
    def metric(self) -> str:
        """What the model is judged by."""
        return self.policy.metric or ("mae" if self.is_regression else "f1_macro")

    @property
    def lower_is_better(self) -> bool:
        return self.metric in ERROR_METRICS

    @property
    def time_columns(self) -> tuple[str, ...]:
        if isinstance(self.time, OrderTime):
            return ()
        return (self.time,) if isinstance(self.time, str) else self.time
