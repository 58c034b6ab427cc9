"""The gate's tests beside the comparison on the metric: what each needs is gathered here and handed to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.stream import Stream

if TYPE_CHECKING:
    from training.gate import GateTest
    from training.paired import Paired


@dataclass(frozen=True)
class Meeting:
    """A challenger and what it is held against, as the further tests look at them."""

    paired: Paired
    seed: int


def further_tests(stream: Stream, meeting: Meeting) -> tuple[GateTest, ...]:
    """Every test that does not ask for the better metric, in the order in which people read them."""
    from training.gate_answers import calibration_test, classes_test
    from training.gate_slices import slice_tests

    paired, bounds = meeting.paired, stream.gate
    return (
        *slice_tests(stream, paired, bounds.slice_margin, meeting.seed),
        calibration_test(paired, bounds.calibration_margin, meeting.seed),
        classes_test(paired),
    )
