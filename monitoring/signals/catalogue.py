"""Every signal of a check, once: what measures it, what it means for decision, budget, mail and report.

To add a signal: write its measurement in a file of this folder, add its line here, and a section to docs/monitoring.md.
Measurements are named and not imported, so that whoever only reads codes loads neither numpy nor scipy.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from importlib import import_module
from typing import Any, Literal

from trueup.monitoring.causes import Cause


class DrawnOn(Enum):
    """The column of the Evidently report whose drift test answers with the signal's figure and verdict."""

    FEATURE = auto()  # the feature that the signal is about
    TEXT = auto()
    SCORE = auto()  # for regression the predicted numbers
    PREDICTED_CLASS = auto()
    LABEL = auto()


@dataclass(frozen=True)
class Advice:
    """What to look at beside the report: why, and the words of the command after `trueup`."""

    why: str
    command: str


@dataclass(frozen=True, kw_only=True)
class SignalKind:
    """One kind of signal.

    code: as it stands in checks, settings and mails; where there is one for each column or slice, without its name.
    subject: "column" or "slice" where there is one for each, empty where there is one for the stream.
    title: what it measures, in a few words; the first words of its row in docs/monitoring.md.
    cause: of the incident that it opens. Signals of the cause `feed` are judged by time, in checks that count or not.
    phrase: what a mail's subject says of a breach; {} stands for the quoted subject.
    gravity: rank among signals breached together, the smallest leads the subject of a mail.
    samples: "module:function" from (Stream, Sides) to pairs of samples, which are then tested for drift.
    tests: "module:function" from (Stream, Comparison) to pending tests or finished signals. A kind has one of the two.
    weight: its own part of the false-alarm budget in [0, 1); with 0 it shares evenly what the others leave.
    side: what of `Sides` it reads: "inputs", "model" or "labels".
    accepts_baseline: whether a person can accept a window as its reference; it has to be one of `samples`.
    drawn_on: the column whose drift test it is in the Evidently report, if it is one.
    advice: what a mail advises beside the report.
    """

    code: str
    subject: str = ""
    title: str
    cause: Cause
    phrase: str
    gravity: int
    samples: str = ""
    tests: str = ""
    weight: float = 0.0
    side: Literal["inputs", "model", "labels"] = "inputs"
    accepts_baseline: bool = False
    drawn_on: DrawnOn | None = None
    advice: Advice | None = None

    @property
    def heading(self) -> str:
        """The code as docs/monitoring.md has it: `DRF-IN-<column>`."""
        return f"{self.code}-<{self.subject}>" if self.subject else self.code

    @property
    def judged_by_time(self) -> bool:
        """Whether it acts in every check, with a full window or not: a silent feed must not be silent."""
        return self.cause is Cause.FEED

    def code_of(self, subject: str = "") -> str:
        """The code of the signal about one column or slice."""
        return f"{self.code}-{subject}" if self.subject else self.code

    def phrase_of(self, code: str) -> str:
        """The phrase for the signal of this code."""
        return self.phrase.replace("{}", f"'{code.removeprefix(f'{self.code}-')}'")


SCORE, LABEL_DRIFT, METRIC = "DRF-SCORE", "DRF-LABEL", "PRF-METRIC"
_HERE = "trueup.monitoring.signals"

# In the order in which a check lists its signals. Score and metric speak of the model itself, so they have a weight:
# a shift of sentiment shows without labels in the score alone.
CATALOGUE: tuple[SignalKind, ...] = (
    SignalKind(
        code="DRF-IN", subject="column", title="distribution of one feature", cause=Cause.DRIFT, phrase="{} drifted",
        gravity=13, samples=f"{_HERE}.samples:feature_values", accepts_baseline=True, drawn_on=DrawnOn.FEATURE,
    ),
    SignalKind(
        code="DRF-TEXT", title="which words the texts hold", cause=Cause.DRIFT, phrase="the texts changed", gravity=11,
        samples=f"{_HERE}.samples:text_input", accepts_baseline=True, drawn_on=DrawnOn.TEXT,
    ),
    SignalKind(
        code="DRF-TEXT-length", title="how many words a text holds", cause=Cause.DRIFT, phrase="the texts changed",
        gravity=11, samples=f"{_HERE}.samples:text_lengths", accepts_baseline=True,
    ),
    SignalKind(
        code="DRF-TEXT-unseen", title="share of words that the champion never saw", cause=Cause.DRIFT,
        phrase="the texts changed", gravity=11, samples=f"{_HERE}.samples:unseen_words",
        side="model",
    ),
    SignalKind(
        code=SCORE, title="mean probability, or distribution of predicted numbers", cause=Cause.DRIFT,
        phrase="the model's scores shifted", gravity=8, samples=f"{_HERE}.samples:scores", weight=0.4,
        side="model", drawn_on=DrawnOn.SCORE,
    ),
    SignalKind(
        code="DRF-CLASS", title="shares of the predicted classes", cause=Cause.DRIFT,
        phrase="the predicted classes shifted", gravity=9, samples=f"{_HERE}.samples:predicted_classes",
        side="model", drawn_on=DrawnOn.PREDICTED_CLASS,
    ),
    SignalKind(
        code=LABEL_DRIFT, title="distribution of the labels", cause=Cause.DRIFT, phrase="the labels shifted",
        gravity=10, samples=f"{_HERE}.samples:labels", side="labels", accepts_baseline=True, drawn_on=DrawnOn.LABEL,
    ),
    SignalKind(
        code="DQ-MISSING", subject="column", title="share of missing values", cause=Cause.DATA,
        phrase="{} is missing more or less often", gravity=7, samples=f"{_HERE}.samples:missing_values",
        accepts_baseline=True,
    ),
    SignalKind(
        code="DRF-MULTI", title="how the columns go together", cause=Cause.DRIFT,
        phrase="columns that rose and fell together no longer do", gravity=12,
        tests=f"{_HERE}.correlation_drift:correlation_drift",
    ),
    SignalKind(
        code=METRIC, title="the champion's metric", cause=Cause.METRIC, phrase="quality fell", gravity=1,
        tests=f"{_HERE}.performance:performance", weight=0.2,
    ),
    SignalKind(
        code="PRF-SLICE", subject="slice", title="the metric within each value of a slice", cause=Cause.METRIC,
        phrase="quality fell in {}", gravity=3, tests=f"{_HERE}.slice_performance:slice_performance",
    ),
    SignalKind(
        code="PRF-EST", title="the metric, estimated before labels come", cause=Cause.METRIC,
        phrase="estimated quality fell", gravity=2, tests=f"{_HERE}.estimated_performance:estimated_performance",
    ),
    SignalKind(
        code="DQ-VOLUME", title="records in the newest whole period", cause=Cause.FEED,
        phrase="the flow of records changed", gravity=4, tests=f"{_HERE}.volume:volume",
    ),
    SignalKind(
        code="DQ-DUP", title="repeats within the window", cause=Cause.FEED, phrase="more records repeat", gravity=6,
        tests=f"{_HERE}.duplicates:duplicates",
    ),
    SignalKind(
        code="DQ-QUARANTINE", title="share of refused items", cause=Cause.FEED, phrase="more records are refused",
        gravity=5, tests=f"{_HERE}.quarantine_rate:quarantine_rate",
        advice=Advice("See what was refused, and why", "quarantine list"),
    ),
    SignalKind(
        code="DQ-LABELS", title="labels of the last two weeks, by age", cause=Cause.FEED,
        phrase="fewer labels come", gravity=4, tests=f"{_HERE}.label_coverage:label_coverage",
    ),
)


def kind_of(code: str) -> SignalKind:
    """The kind of the signal with this code.

    A stored check can hold a code of another release. It then counts as bad data, which never asks for a challenger.
    """
    exact = next((kind for kind in CATALOGUE if kind.code == code), None)
    found = exact or next((kind for kind in CATALOGUE if kind.subject and code.startswith(f"{kind.code}-")), None)
    return found or SignalKind(code=code, title=code, cause=Cause.DATA, phrase=f"{code} breached", gravity=99)


def drawn_on(column: DrawnOn) -> tuple[SignalKind, ...]:
    """The kinds whose verdict stands at a column of the Evidently report."""
    return tuple(kind for kind in CATALOGUE if kind.drawn_on is column)


def function_at(path: str) -> Any:
    """The function that "module:function" names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
