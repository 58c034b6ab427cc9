"""What a stream is: its schema, label, schedule, policy, training and recipients, as frozen values.

The keys and defaults are the contract of `trueup.toml`; a key that does not stand here is refused by name.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from trueup.storage.addresses import RecipientList
from trueup.storage.feedback_mapping import FeedbackMapping
from trueup.storage.file_format import FileFormat
from trueup.storage.policy import (
    BASELINES,
    ERROR_METRICS,
    OWN_POLICY,
    Frozen,
    GatePolicy,
    Policy,
    Retention,
    checked_span,
    positive_span,
)
from trueup.storage.schedule import Schedule
from trueup.storage.sources.source_settings import SourceSettings
from trueup.storage.timepoints import parse_span
from trueup.storage.training_settings import Training


class OrderTime(Frozen):
    """Time by intake order, for streams without a clock: row k lies k steps after start."""

    start: str
    step: str

    _checked = field_validator("step")(positive_span)


class LabelPolicy(Frozen):
    """Where a record's label comes from, and when it counts."""

    column: str = ""
    classes: dict[str, str | list[str]] = Field(default_factory=dict)
    arrived: str = ""
    maturity: str = "0d"

    _checked = field_validator("maturity")(checked_span)

    @cached_property
    def maturity_span(self) -> timedelta:
        return parse_span(self.maturity)


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


OWN_PREFIX = "__"  # begins the names of what is kept beside the columns of a file
_TAG = re.compile(r"[\w/. -]{1,100}", re.ASCII)
_LONGEST_TAG = 500
_OWN_TAGS = frozenset({"algorithm", "feature_type", "stage", "elsewhere", "pruned"})


class Recipients(Frozen):
    """Who is woken."""

    to: RecipientList = ()


class StreamSettings(Frozen):
    """A named flow of records with its own schema, champion, policy, schedule and recipients."""

    name: str
    task: Literal["classification", "regression", "drift"] = "classification"
    id: str = ""
    time: str | tuple[str, ...] | OrderTime
    time_format: str | tuple[str, ...] = ""
    time_locale: str = ""
    time_zone: str = ""
    text: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    mask_at_intake: tuple[str, ...] = ()  # text columns whose addresses, phone and card numbers are not stored
    user: str = ""
    series: bool = False
    on_change: Literal["refuse", "revise"] = "refuse"
    missing: tuple[str, ...] | dict[str, tuple[str, ...]] = ()  # of all declared columns, or by column
    format: FileFormat = FileFormat()
    label: LabelPolicy = LabelPolicy()
    schedule: Schedule = Schedule()
    policy: Policy = Policy()
    policies: dict[str, Policy] = Field(default_factory=dict)  # for `trueup replay`; what they lack is as in `policy`
    training: Training = Training()
    gate: GatePolicy = GatePolicy()
    prediction: SentPrediction = SentPrediction()
    feedback: FeedbackMapping = FeedbackMapping()
    source: SourceSettings = SourceSettings()  # of records
    feedback_source: SourceSettings = SourceSettings()
    retention: Retention = Retention()
    tags: dict[str, str] = Field(default_factory=dict)  # of runs and versions in MLflow
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
                f"policy, and {', '.join(BASELINES)} are what it is compared with; give it another name"
            )
        return values

    @field_validator("tags")
    @classmethod
    def _tags_of_ones_own(cls, values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            if name in _OWN_TAGS or name.startswith(("trueup.", "mlflow.")):
                raise ValueError(f"tags: '{name}' is written by trueup or MLflow itself; give the tag another name")
            if not _TAG.fullmatch(name) or not 0 < len(value) <= _LONGEST_TAG:
                raise ValueError(
                    f"tags: '{name}' is no tag that MLflow takes; a name has letters, digits, '_', '-', '.', ' ' and "
                    f"'/', and a value up to {_LONGEST_TAG} characters"
                )
        return values

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
            raise ValueError("a stream's name is also a folder's: use letters, digits, '_' and '-' only")
        return value

    @model_validator(mode="after")
    def _describes_a_model(self) -> StreamSettings:
        if not self.features:
            raise ValueError(
                "no feature is declared, so there is nothing to learn from or to compare; "
                "name columns under text, numeric or categorical"
            )
        twice = {c for c in self.features if self.features.count(c) > 1}
        if twice:
            named = ", ".join(f"'{column}'" for column in sorted(twice))
            raise ValueError(f"{named} declared twice; a column is either text, numeric or categorical")
        if self.label.column and self.label.column in self.features:
            raise ValueError(f"the label's column '{self.label.column}' is also a feature; that would leak the answer")
        if not self.predicts and (self.label.column or self.label.classes or self.prediction.column):
            raise ValueError(
                "task 'drift' predicts nothing, so a label or a prediction has no use; take them out, or write task = "
                "\"classification\" or \"regression\""
            )
        if self.is_regression and self.label.classes:
            raise ValueError("label.classes belongs to classification; a regression uses its labels unchanged")
        known = {*self.features, self.label.column, self.label.arrived}
        leaking = sorted(known.intersection(self.prediction.columns))
        if leaking:
            raise ValueError(
                f"prediction: '{leaking[0]}' is also a feature or the label, so the model would learn from what "
                "a service answered"
            )
        if self.is_regression and self.prediction.score:
            raise ValueError("prediction.score is a probability and belongs to classification; leave it out")
        if self.series and self.training.trainer.judged_by == "folds":
            raise ValueError("judged_by is 'folds', across which neighbours of a series know each other; write 'later'")
        if self.gate.golden and (self.gate.golden_within > 0) != self.is_regression:
            raise ValueError(
                "gate.golden_within says how far from the expected number an answer is right: a regression with a "
                "golden set needs it, above 0, and a classification has no use for it"
            )
        for policy in (self.policy, *self.policies.values()):
            if policy.metric == "roc_auc" and self.prediction.column and not self.prediction.score:
                raise ValueError("metric 'roc_auc' ranks probabilities, and prediction.score names no column; name one")
            if policy.metric and (policy.metric in {"mae", "rmse", "r2"}) != self.is_regression:
                raise ValueError(f"metric '{policy.metric}' does not fit task '{self.task}'")
        return self

    @model_validator(mode="after")
    def _names_columns_that_a_file_can_have(self) -> StreamSettings:
        named = (*self.time_columns, *self.columns, *self.group)
        if "" in named or self.time == ():
            raise ValueError("a column is named '', so no file could have it; write its name, or leave it out")
        label, sent = (self.label.column, self.label.arrived), self.prediction.columns
        for column in (self.id, *named, *label, *sent):
            if column.startswith(OWN_PREFIX):
                raise ValueError(f"the column '{column}' begins with two underscores, as trueup's own do; rename it")
        for column in self.missing if isinstance(self.missing, dict) else ():
            if column not in (self.id, *named, *label, *sent):
                raise ValueError(f"missing: '{column}' is no column that the stream names, so its marks never count")
        return self

    @field_validator("mask_at_intake")
    @classmethod
    def _masks_texts(cls, values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for column in values:
            if column not in info.data.get("text", ()) or column == info.data.get("id"):
                raise ValueError(f"'{column}' is not declared under text; only texts are masked, and never an id")
        return values

    @property
    def is_regression(self) -> bool:
        """Whether the label is a number; otherwise it is a class."""
        return self.task == "regression"

    @property
    def predicts(self) -> bool:
        """Whether anything is predicted; otherwise inputs are compared, and that is all."""
        return self.task != "drift"

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

    @property
    def time_formats(self) -> tuple[str, ...]:
        """Every way in which a time may be written; "" is ISO 8601."""
        return (self.time_format,) if isinstance(self.time_format, str) else self.time_format
