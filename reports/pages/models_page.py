"""The page of a stream's models: every version, every attempt to change the champion, and the gates with figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.reports.pages.frame import PageFrame, page_part, whole_page
from trueup.reports.pages.gate_rows import GateRow, gate_table
from trueup.reports.pages.page_table import PageCell, PageColumn, PageTable, time_cell
from trueup.reports.pages.standing import Tone
from trueup.storage.formatting import aligned_figure, capitalised, confidence, metric_name, percent, signed

ANSWERS = "champion"  # the state of the version that answers
_TONES = {
    ANSWERS: Tone.FINE, "promoted": Tone.FINE, "approved": Tone.FINE, "first champion": Tone.FINE, "refused": Tone.BAD,
    "waits": Tone.WARN,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class VersionLine:
    """A version. state: in a word or two. recipe: of what kind it is. metric: on its hold-out; None: not known."""

    version: int
    state: str
    recipe: str
    metric: float | None
    labels: int | None
    cut_off: datetime
    trained_as_of: datetime


@dataclass(frozen=True, kw_only=True)
class AnswersChanged:
    """Challenger against champion on the same new records.

    before, now: shares of wrong answers of the one that answered and of the challenger; for numbers mean absolute
    errors. repaired, broken: answers that became right, or wrong; for numbers nearer, or farther off.
    """

    records: int
    before: float
    now: float
    repaired: int
    broken: int


@dataclass(frozen=True, kw_only=True)
class AttemptFacts:
    """An attempt to change the champion. outcome: in a word or two. gain: of the metric; sure: that it is better.

    why: what led to it, or what a person said. to_version: None where no version could be trained. comparison_href: the
    page of both models; empty: there is none.
    """

    as_of: datetime
    from_version: int | None
    to_version: int | None
    outcome: str
    who: str
    why: str
    labels: int
    gain: float | None
    sure: float | None
    answers: AnswersChanged | None
    tests: tuple[GateRow, ...]
    comparison_href: str = ""

    @property
    def title(self) -> str:
        """Which version, against which."""
        version = "No version" if self.to_version is None else f"v{self.to_version}"
        return version if self.from_version is None else f"{version} against v{self.from_version}"


@dataclass(frozen=True, kw_only=True)
class ModelsFacts:
    """Everything on the page: the newest versions and attempts, newest first, and how many attempts there are."""

    stream: str
    metric: str
    is_regression: bool
    versions: tuple[VersionLine, ...]
    attempts: tuple[AttemptFacts, ...]
    attempts_total: int
    stream_href: str
    index: str


def models_page(facts: ModelsFacts) -> bytes:
    """The page."""
    body = page_part(
        "models.html",
        facts=facts,
        champion=next((line for line in facts.versions if line.state == ANSWERS), None),
        metric=metric_name(facts.metric),
        shown=aligned_figure,
        anchor=anchor,
        versions=_versions(facts),
        attempts=_attempts(facts),
        gates=[
            (attempt, gate_table(attempt.tests, f"Tests of {attempt.title}"), _passed(attempt))
            for attempt in facts.attempts if attempt.tests
        ],
    )  # fmt: skip
    return whole_page(PageFrame("Models", ((facts.stream, facts.stream_href),), facts.index), body)


def _passed(attempt: AttemptFacts) -> str:
    """How many of the tests that applied it passed."""
    applied = [test for test in attempt.tests if test.applied]
    return f"{sum(test.passed for test in applied)} of {len(applied)} tests passed"


def _versions(facts: ModelsFacts) -> PageTable:
    columns = (
        PageColumn("Version"), PageColumn("State"), PageColumn("Kind", wide=True),
        PageColumn(f"{capitalised(metric_name(facts.metric))} (hold-out)", number=True),
        PageColumn("Labels", number=True), PageColumn("Trained on data until", time=True),
        PageColumn("Trained", time=True),
    )  # fmt: skip
    rows = tuple(
        (
            PageCell(f"v{line.version}", sort=line.version), PageCell(line.state, tone=tone_of(line.state)),
            PageCell(line.recipe), PageCell(aligned_figure(line.metric)),
            PageCell("–" if line.labels is None else f"{line.labels:,}"), time_cell(line.cut_off),
            time_cell(line.trained_as_of),
        )
        for line in facts.versions
    )  # fmt: skip
    return PageTable("Versions, newest first", columns, rows)


def tone_of(state: str) -> Tone:
    """The colour of a version's state, or of an attempt's outcome."""
    return _TONES.get(state, Tone.STILL)


def _attempts(facts: ModelsFacts) -> PageTable:
    wrong = "Mean error" if facts.is_regression else "Wrong answers"
    columns = (
        PageColumn("Attempt"), PageColumn("Outcome"), PageColumn("Time", time=True),
        PageColumn(f"{wrong}, before → now"),
        PageColumn("Nearer / farther" if facts.is_regression else "Repaired / broken"),
        PageColumn(f"Gain in {metric_name(facts.metric)}", number=True), PageColumn("Sure to be better", number=True),
    )  # fmt: skip
    return PageTable(
        "Attempts, newest first", columns, tuple(_attempt(one, facts.is_regression) for one in facts.attempts)
    )


def _attempt(attempt: AttemptFacts, is_regression: bool) -> tuple[PageCell, ...]:
    changed = attempt.answers
    shown = aligned_figure if is_regression else percent
    return (
        PageCell(attempt.title, f"#{anchor(attempt)}" if attempt.tests else ""),
        PageCell(attempt.outcome, tone=tone_of(attempt.outcome), more=f"by {attempt.who}"),
        time_cell(attempt.as_of),
        PageCell(
            "–" if changed is None else f"{shown(changed.before)} → {shown(changed.now)}",
            more="" if changed is None else f"on {changed.records:,} new records",
        ),
        PageCell("–" if changed is None else f"{changed.repaired:,} / {changed.broken:,}"),
        PageCell("–" if attempt.gain is None else signed(attempt.gain), sort=attempt.gain),
        PageCell("–" if attempt.sure is None else confidence(attempt.sure), sort=attempt.sure),
    )


def anchor(attempt: AttemptFacts) -> str:
    """The name of an attempt's place on the page."""
    return f"gate-{attempt.as_of:%Y%m%d%H%M%S}-v{attempt.to_version}"
