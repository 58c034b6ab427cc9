"""By which rule a challenger is judged: the stream's own, or proof while the metric or the labels are in trouble."""

from __future__ import annotations

from trueup.monitoring.check import Check, History
from trueup.monitoring.trouble import in_trouble
from trueup.storage.stream import StreamSettings


def under_rule_in_force(stream: StreamSettings, check: Check | None, history: History) -> tuple[StreamSettings, str]:
    """The stream with the rule that holds now, and why it is stricter than the settings say; empty: it is not."""
    if stream.gate.rule == "better" or check is None:
        return stream, ""
    codes = in_trouble(check, history)
    if not codes:
        return stream, ""
    gate = stream.gate.model_copy(update={"rule": "better"})
    return stream.model_copy(update={"gate": gate}), (
        f"Judged by the stricter rule (better): {', '.join(codes)} breached in this check or in the one before, so a "
        "model that is no worse today could be worse tomorrow."
    )
