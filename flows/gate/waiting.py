"""A challenger that was refused for want of evidence, and is judged again on the rows of the next windows."""

from __future__ import annotations

from collections.abc import Sequence

from trueup.storage.promotions import TRAINED, PromotionAttempt, PromotionKind, PromotionState

WINDOWS_AGAIN = 4  # counted checks after its refusal
_OF_ROWS = (
    "GATE-LABELS", "GATE-METRIC", "GATE-BETTER", "GATE-LOSS", "GATE-LINE", "GATE-EVALUATION", "GATE-OLDER",
    "GATE-CALIBRATION", "GATE-CLASSES", "GATE-SLICE",
)  # fmt: skip


def waiting_challenger(history: Sequence[PromotionAttempt], champion: int) -> PromotionAttempt | None:
    """The refused attempt whose challenger is judged again at the next counted check; None where none waits.

    It is the newest training's, refused against this champion by tests that other rows may answer otherwise, judged
    again fewer than four times and not dropped.

    Args:
        history: of the stream, newest first.
    """
    newest = next((p for p in history if p.kind in TRAINED), None)
    if newest is None or newest.state is not PromotionState.REFUSED or newest.to_version is None:
        return None
    failed = [test["code"] for test in newest.gate["tests"] if not test["passed"]]
    if newest.from_version != champion or not failed or not all(code.startswith(_OF_ROWS) for code in failed):
        return None
    later = [p for p in history if p.to_version == newest.to_version and p.id != newest.id]
    over = any(p.kind is not PromotionKind.AGAIN or not p.gate["tests"] for p in later)
    refused = sum(p.state is PromotionState.REFUSED for p in later)
    return None if over or refused != len(later) or refused >= WINDOWS_AGAIN else newest
