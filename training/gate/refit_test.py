"""GATE-REFIT: a version that serves refitted on both sides of the split was judged by the fit that it was made of."""

from __future__ import annotations

from trueup.training.gate.result import GateTest
from trueup.training.models.refit import refit_in_words


def refit_test(version: int, labels: int, judged: int, failure: str = "") -> GateTest:
    """Whether the fit on the training side, made again from the snapshot for the gate, answers as it did.

    Args:
        labels, judged: that the serving and the judged fit know.
        failure: why it does not; empty where it does.
    """
    said = f"v{version} {refit_in_words(labels, judged)}, made again here"
    if failure:
        said = f"v{version} cannot be judged: made again from its snapshot, the fit on the training side {failure}"
    return GateTest(code="GATE-REFIT", passed=not failure, value=0.0 if failure else 1.0, bound=1.0, said=said)
