"""GATE-GOLDEN: the challenger answers rightly what is beyond doubt."""

from __future__ import annotations

import numpy as np

from trueup.storage.stream import StreamSettings
from trueup.training.gate.context import GateContext, StoredModel
from trueup.training.gate.result import GateTest
from trueup.training.models.fitting import answer

_NAMED = 5


def golden_guardrail(context: GateContext) -> GateTest:
    """GATE-GOLDEN of what both models answer to the stream's golden set.

    Raises:
        ModelUnusable: a model fails on the records.
    """
    golden, stream = context.golden, context.stream
    assert golden is not None

    def answers(stored: StoredModel) -> np.ndarray:
        return answer(stored.model, stream, golden.features)[0]

    challenger = answers(context.challenger)
    champion = None if context.champion is None else answers(context.champion)
    return golden_test(stream, golden.lines, golden.expected, challenger, champion)


def golden_test(
    stream: StreamSettings, lines: np.ndarray, expected: np.ndarray, challenger: np.ndarray, champion: np.ndarray | None
) -> GateTest:
    """The share of a golden set that the challenger answers rightly.

    It must reach `golden_share`, or what the champion reaches where that is less: refusing a challenger for what the
    champion in force gets wrong as well protects nobody.

    Args:
        lines, expected, challenger, champion: of n golden records their lines in the file, the right answers, and those
            of both models (champion: None where there is none to ask).
    """
    right = _right(stream, expected, challenger)
    share, bound = float(right.mean()), stream.gate.golden_share
    said = f"{int(right.sum())} of {len(right)} golden records right"
    if champion is not None:
        standing = _right(stream, expected, champion)
        said += f", champion {int(standing.sum())}"
        bound = min(bound, float(standing.mean()))
    wrong = lines[~right]
    if len(wrong):
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        said += f"; wrong on line {', '.join(str(line) for line in wrong[:_NAMED])}{more} of {stream.gate.golden}"
    return GateTest(code="GATE-GOLDEN", passed=share >= bound, value=share, bound=bound, said=said)


def _right(stream: StreamSettings, expected: np.ndarray, answers: np.ndarray) -> np.ndarray:
    if stream.is_regression:
        return np.abs(answers.astype(float) - expected.astype(float)) <= stream.gate.golden_within
    return np.asarray(answers.astype(str) == expected.astype(str))
