"""What a guardrail is given, for tests of single ones."""

from __future__ import annotations

import pandas as pd

from trueup.storage.stream import StreamSettings
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.context import GateContext, StoredModel
from trueup.training.gate.guardrails import guardrail_tests
from trueup.training.gate.result import GateTest

NOBODY = StoredModel(None, 1)  # a model that no test asks


def guardrails_of(
    stream: StreamSettings,
    paired: Paired,
    *,
    challenger: StoredModel = NOBODY,
    champion: StoredModel | None = None,
    reference: pd.DataFrame | None = None,
) -> dict[str, GateTest]:
    """Every guardrail's test by its code; without a champion's model the champion answers elsewhere."""
    context = GateContext(
        stream=stream,
        seed=0,
        paired=paired,
        challenger=challenger,
        champion=champion,
        reference=pd.DataFrame() if reference is None else reference,
    )
    return {test.code: test for test in guardrail_tests(context)}
