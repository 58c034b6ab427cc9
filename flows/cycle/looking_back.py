"""The history that a cycle's decision is made with, read from the store."""

from __future__ import annotations

from datetime import datetime

from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.trainer_step import open_request
from trueup.flows.train.asking import open_request_words
from trueup.monitoring.check import Check
from trueup.monitoring.policy import History, PastAttempt, PastCheck, quality_held
from trueup.storage.cycles import CountedCheck
from trueup.storage.policy import Policy
from trueup.storage.promotions import TRAINED, PromotionState


def history_of(context: CycleContext, version: int, labels: int) -> History:
    """Earlier counted checks of this champion and attempts to replace it, up to the cycle's time."""
    app, cycle, stream = context.app, context.cycle, context.stream
    counted = tuple(
        _past(stream.policy, past)
        for past in app.cycles.counted_checks(stream.name, version=version, before=cycle.as_of)
    )
    last = app.cycles.last_check(stream.name, cycle.as_of)
    past = app.promotions.history(stream.name)
    moved = {p.to_version for p in past if p.state is PromotionState.COMMITTED}  # also when it was judged again
    attempts = tuple(
        PastAttempt(
            p.as_of, frozenset(p.codes), p.labels, p.state is PromotionState.REFUSED and p.to_version not in moved,
            p.from_version == version,
        )
        for p in past
        if p.cycle_id != cycle.id and p.kind in TRAINED and p.as_of <= cycle.as_of
    )
    latest = _past(stream.policy, last) if last is not None and last.version == version else None
    champion, request = app.promotions.version(stream.name, version), open_request(context)
    return History(
        counted, attempts, labels, latest, context.paused, movable=not stream.series,
        trained=champion.trained_labels if champion else 0, training=open_request_words(request) if request else "",
    )  # fmt: skip


def _past(policy: Policy, past: CountedCheck) -> PastCheck:
    check = Check.from_json(past.document)
    return PastCheck(
        past.as_of,
        {s.code: s.direction for s in check.breached},
        datetime.fromisoformat(check.first_time) if check.first_time else None,
        quality_held(policy, check),
    )
