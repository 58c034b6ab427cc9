"""What a model version says in MLflow of how it became champion, so that the trail outlives the loss of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.timepoints import iso, utc

TAG = "trueup.promotion."  # begins the tags; then comes the attempt's id
_BEFORE = "promotion."  # began them before all of lineage had one prefix
WHY_LENGTH = 2000  # characters of the reason; MLflow takes 100,000 a tag


def tag_of(attempt: PromotionAttempt, at: datetime) -> tuple[str, str]:
    """The tag of a change of the champion that was carried out at a time: its name, and the attempt as JSON."""
    told = {
        "at": iso(at), "as_of": iso(attempt.as_of), "who": attempt.who, "kind": attempt.kind,
        "from_version": attempt.from_version, "to_version": attempt.to_version, "why": attempt.why[:WHY_LENGTH],
        "codes": list(attempt.codes), "labels": attempt.labels, "cycle_id": attempt.cycle_id,
        "gate": {
            "passed": attempt.gate["passed"],
            "tests": [{key: test[key] for key in ("code", "passed", "value", "bound", "said")}
                      for test in attempt.gate["tests"]],
        },
    }  # fmt: skip
    return TAG + attempt.id, json.dumps(told, ensure_ascii=False)


def attempts_of(stream: str, tags: Mapping[str, str]) -> tuple[list[PromotionAttempt], list[str]]:
    """The changes that a version's tags tell of, in no order, and the names of those that cannot be read."""
    found, unreadable = [], []
    for name, value in tags.items():
        if name.startswith((TAG, _BEFORE)):
            try:
                found.append(_attempt(stream, name.removeprefix(TAG).removeprefix(_BEFORE), json.loads(value)))
            except (ValueError, KeyError, TypeError):
                unreadable.append(name)
    return found, unreadable


def _attempt(stream: str, attempt_id: str, told: dict[str, Any]) -> PromotionAttempt:
    return PromotionAttempt(
        id=attempt_id,
        stream=stream,
        cycle_id=told["cycle_id"],
        kind=PromotionKind(told["kind"]),
        state=PromotionState.COMMITTED,
        from_version=told["from_version"],
        to_version=told["to_version"],
        as_of=utc(datetime.fromisoformat(told["as_of"])),
        at=utc(datetime.fromisoformat(told["at"])),
        who=told["who"],
        why=told["why"],
        codes=tuple(told["codes"]),
        labels=told["labels"],
        gate=told["gate"],
    )
