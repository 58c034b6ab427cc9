"""Records and labels as they came, for the page of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from trueup.reports.pictures.course import DelayAt, Volume, delay_over_time, volume_over_time
from trueup.reports.pictures.drawing import Drawing


@dataclass(frozen=True, kw_only=True)
class ArrivalCourse:
    """Even periods, oldest first. period: one of them in words. with_records: every label came with its record.

    maturity: how old a record must be before its label counts as complete; None where nothing is predicted.
    """

    volumes: tuple[Volume, ...]
    delays: tuple[DelayAt, ...]
    period: str
    with_records: bool
    maturity: timedelta | None

    @property
    def labels(self) -> int:
        """Labelled records in all periods."""
        return sum(volume.labels for volume in self.volumes)

    @property
    def said(self) -> str:
        """What there is to say of the labels' delay, in a sentence."""
        if self.maturity is None:
            return "Nothing is predicted here, so no labels are needed."
        if not self.labels:
            return "No labels came in this time."
        if self.with_records:
            return "Labels come with their records."
        return f"Delays are of the labels known by now: of the newest {self.period}s the late ones are still to come."

    def drawings(self) -> tuple[Drawing, ...]:
        """Volume, and where labels come later than their records, their delay."""
        late = self.labels and not self.with_records and self.maturity is not None
        return (volume_over_time(self.volumes), *((delay_over_time(self.delays),) if late else ()))
