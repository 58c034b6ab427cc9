"""The step that holds a new champion against the one before it, and goes back where that one is better."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.labels import with_mature_labels, with_resolved_labels
from trueup.flows.check.predictions import predictor_of, score_new
from trueup.flows.cycle.context import CycleContext
from trueup.flows.cycle.outputs import ProbationOutput, ScoreOutput
from trueup.flows.gate.label_evidence import labels_before
from trueup.flows.promote.commit import commit
from trueup.flows.promote.notifications import announcement_of
from trueup.storage import snapshots
from trueup.storage.actors import PROBATION
from trueup.storage.content import seed_of
from trueup.storage.errors import ModelUnusable, StaleEvidence, StoreUnusable
from trueup.storage.formatting import confidence, figure, metric_name, percent
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState, VersionRecord
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

# kinds of changes; who went back is not sent back again
ON_PROBATION = frozenset(
    {PromotionKind.CHALLENGER, PromotionKind.AGAIN, PromotionKind.APPROVED, PromotionKind.FORCED}
)


def probation_step(context: CycleContext) -> None:
    """Compare the champion with the one before it while it is on probation; a lost one is rolled back.

    Then the rest of the cycle is about the champion that stands again: its answers are made, and it is checked.
    """
    app, cycle = context.app, context.cycle
    champion = context.champion
    if champion is None or "check" in cycle.steps:  # a cycle begun before there was this step goes on as it began
        context.finish_step("probation", None)
        return
    decided = app.promotions.of_cycle(cycle.id, (PromotionKind.PROBATION,))
    if decided is not None:
        _finish(context, decided)
        return
    attempt = attempt_on_probation(app, context.stream, champion, cycle.as_of)
    if attempt is None:
        context.finish_step("probation", None)
        return
    stands = ask(context, attempt, _before(context, attempt))
    if stands.outcome != "rolled_back":
        context.finish_step("probation", stands)
        return
    planned = _planned(context, stands)
    with context.lease.transaction(app.database) as connection:
        planned = app.promotions.add(connection, planned)
    _finish(context, planned)


def attempt_on_probation(app: App, stream: StreamSettings, champion: int, as_of: datetime) -> PromotionAttempt | None:
    """The change that made this champion, where it is one that a probation follows; else None."""
    last = app.promotions.last_committed(stream.name)
    if not stream.policy.probation or last is None or last.kind not in ON_PROBATION or last.from_version is None:
        return None
    return last if last.to_version == champion and last.as_of <= as_of else None


def ask(context: CycleContext, attempt: PromotionAttempt, before: ProbationOutput) -> ProbationOutput:
    """How the probation stands at the cycle's time; what keeps it from being asked is said, and ends no cycle."""
    if before.outcome in ("passed", "rolled_back"):
        return replace(before, over=True)
    if context.paused:
        return replace(before, outcome="skipped", said=context.paused)
    try:
        return _asked(context, attempt, before)
    except (ModelUnusable, StoreUnusable) as error:
        said = f"v{before.version} could not be compared with v{before.previous} this time: {error}"
        return replace(before, outcome="skipped", said=said)


def _asked(context: CycleContext, attempt: PromotionAttempt, before: ProbationOutput) -> ProbationOutput:
    from trueup.training.evaluation.gain import metric_pair
    from trueup.training.evaluation.label_feed import sound_rows
    from trueup.training.evaluation.probation import (
        RISK,
        Looks,
        Outcome,
        chance_of_previous,
        conclude,
        pair,
        rollback_bound,
    )

    app, stream, as_of = context.app, context.stream, context.cycle.as_of
    champion, previous = (_record(app, stream, number) for number in (before.version, before.previous))
    since = max(champion.cut_off, previous.cut_off)
    if attempt.kind == PromotionKind.FORCED:
        # who forced it knew what there was; only what came since may speak against it
        since = max(since, attempt.as_of)
    rows = rows_new_to_both(app, stream, champion, previous, since, as_of)
    last = _ends(stream, attempt, len(rows), as_of)
    looks = Looks(before.look, before.looked_at)
    window = _window_since(app, stream, champion, before.looked_on)
    now = replace(before, rows=len(rows), outcome="watching", said="")
    if not looks.due(len(rows), last=last, window=window):
        waits = f"{len(rows)} labelled records new to v{now.version} and v{now.previous}"
        if last:
            return replace(now, outcome="passed", said=f"probation over: {waits}, and no loss among them")
        return replace(now, said=f"{waits} so far; the next comparison needs more")
    met, left_out = sound_rows(
        pair(stream, rows, predictor_of(app, stream, previous)(rows)),
        labels_before(app, stream, champion),
        classes=tuple(stream.label.classes),
        ordered=not stream.series,
        window=stream.policy.window_records,
    )
    if left_out and not looks.due(len(met), last=last, window=window):
        said = f"{len(rows) - len(met)} of {len(rows)} labelled records are left out: {left_out}"
        return replace(now, rows=len(met), said=f"{said}. The next comparison needs more sound labels")
    chance, bound = chance_of_previous(stream.metric, met, seed_of(stream, as_of)), rollback_bound(looks.made + 1)
    if np.isnan(chance):
        said = f"{metric_name(stream.metric)} is not defined on these {len(met)} records"
        return replace(now, outcome="passed" if last else "watching", said=said)
    outcome = conclude(chance, bound, last=last)
    new, old = metric_pair(stream.metric, met)
    said = (
        f"{metric_name(stream.metric)} {figure(new)}, v{now.previous} {figure(old)} on {len(met):,} labelled records "
        f"new to both: {confidence(chance)} sure that v{now.previous} is better, rolled back from {confidence(bound)} "
        f"(total risk of a needless rollback {percent(RISK)})"
    )
    if left_out:
        said += f"; {len(rows) - len(met)} further records are left out: {left_out}"
    if outcome is Outcome.ROLLED_BACK:
        score_new(app, stream, previous, as_of, context.lease)  # first: where this fails, the alias stays
    now = replace(now, rows=len(met), look=looks.made + 1, looked_at=len(met), looked_on=iso(as_of) or "")
    return replace(now, chance=chance, bound=bound, outcome=str(outcome), said=said)


def rows_new_to_both(
    app: App, stream: StreamSettings, champion: VersionRecord, previous: VersionRecord, since: datetime, as_of: datetime
) -> Rows:
    """Labelled rows with since < time ≤ as_of, of content that neither knew and both answer, as the champion did.

    Both sides of the split: neither version was fitted on any of them.

    Raises:
        ModelUnusable: the previous version cannot answer.
    """
    rows = app.reader.read(stream, after=since, as_of=as_of, version=champion.version)
    rows = with_mature_labels(stream, with_resolved_labels(stream, rows), as_of)
    rows = rows.take(rows.labelled & rows.meta["predicted"].notna().to_numpy())
    for known in (champion, previous):
        contents = snapshots.extra(app.archive, known.snapshot, "content")
        rows = rows.take(~np.isin(rows.meta["content"].to_numpy(), contents))
    if previous.service is not None:  # its answers came with the records, as long as it served
        both = predictor_of(app, stream, previous)(rows).meta["seq"].to_numpy()
        rows = rows.take(np.isin(rows.meta["seq"].to_numpy(), both))
    return rows


def _window_since(app: App, stream: StreamSettings, champion: VersionRecord, looked_on: str) -> bool:
    """Whether a whole window of the champion's records was checked since its last look."""
    newest = next(iter(app.cycles.counted_checks(stream.name, version=champion.version, limit=1)), None)
    return bool(looked_on) and newest is not None and newest.as_of >= datetime.fromisoformat(looked_on)


def _ends(stream: StreamSettings, attempt: PromotionAttempt, rows: int, as_of: datetime) -> bool:
    """Whether this look is the last: so many rows were judged, or the span's labels have become mature."""
    span = stream.policy.probation_span
    if span is not None:
        return as_of >= attempt.as_of + span + stream.label.maturity_span
    assert isinstance(stream.policy.probation, int)
    return rows >= stream.policy.probation


def _before(context: CycleContext, attempt: PromotionAttempt) -> ProbationOutput:
    """How this probation stood after the cycle before."""
    assert attempt.from_version is not None
    assert attempt.to_version is not None
    cycles = context.app.cycles
    left = cycles.last_step_output(context.stream.name, "probation", since=attempt.as_of, before=context.cycle.as_of)
    if left is not None and left["event_id"] == attempt.id:
        return ProbationOutput.from_json(left)
    return ProbationOutput(event_id=attempt.id, version=attempt.to_version, previous=attempt.from_version)


def _record(app: App, stream: StreamSettings, number: int) -> VersionRecord:
    record = app.promotions.version(stream.name, number)
    if record is None:
        raise StoreUnusable(f"the store does not know v{number} of '{stream.name}'. Restore it from a backup.")
    return record


def _planned(context: CycleContext, stands: ProbationOutput) -> PromotionAttempt:
    """The rollback as it is recorded before the alias changes, with its evidence."""
    from trueup.training.gate.result import GateTest

    test = GateTest(code="PROBATION", passed=False, value=stands.chance, bound=stands.bound, said=stands.said)
    return PromotionAttempt(
        stream=context.stream.name,
        cycle_id=context.cycle.id,
        kind=PromotionKind.PROBATION,
        state=PromotionState.DECIDED,
        from_version=stands.version,
        to_version=stands.previous,
        as_of=context.cycle.as_of,
        at=context.app.now(),
        who=PROBATION,
        why=f"v{stands.version} lost its probation: {stands.said}.",
        codes=(),
        labels=stands.rows,
        gate={"passed": None, "tests": [test.__dict__], "probation": stands.as_json()},
    )


def _finish(context: CycleContext, decided: PromotionAttempt) -> None:
    """Carry out a way back that is written down; a person who acted since, or paused the stream, goes first."""
    app, stream, output = context.app, context.stream, ProbationOutput.from_json(decided.gate["probation"])
    scored = context.output_of(ScoreOutput)
    assert scored is not None
    rescored = replace(scored, champion=decided.to_version)
    moved = app.registry.alias(stream.name, "champion") == decided.to_version
    if decided.state is PromotionState.COMMITTED and moved:  # a person found the alias moved, and had it written down
        context.finish_step("score", rescored)
        context.finish_step("probation", output)
        return
    if decided.state is not PromotionState.DECIDED:
        context.finish_step("probation", None)
        return
    if context.paused and not moved:
        skipped = replace(output, outcome="skipped", said=context.paused)
        with context.step("probation", skipped) as connection:
            app.promotions.move(connection, decided.id, PromotionState.ABANDONED, app.now())
        return
    announcement = announcement_of(app, stream, decided)
    try:
        with commit(app, context.lease, decided) as connection:
            announcement(connection)
            context.keep_output(connection, rescored)  # from here on the cycle speaks of the champion that stands again
            context.keep_output(connection, output)
    except StaleEvidence:
        context.finish_step("probation", None)
