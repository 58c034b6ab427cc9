"""What signals are compared with since a change that was answered, or that turned out harmless.

A baseline says when the change began and up to when its records are taken in any case: the promoted version's cut-off,
or the check that found it harmless. Later records join them until there are five windows, so that an unlucky window is
no yardstick for long; but none from the current window on, nor from where the signal began to be breached again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.labels import with_mature_labels, with_resolved_labels
from trueup.monitoring.check import Check
from trueup.monitoring.comparison import AnsweredChange
from trueup.monitoring.signals.catalogue import kind_of
from trueup.monitoring.window import Window
from trueup.storage.baselines import Baseline, BaselineKind
from trueup.storage.cycles import CountedCheck
from trueup.storage.policy import Policy
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows, new_content, stack, unique_content
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import utc

_WINDOWS = 5  # of records since a change, until which later ones join them
_NEARLY = 0.9  # of a span: it is counted from the first record, which comes after its beginning


@dataclass(frozen=True)
class _Known:
    """Records since the oldest change with mature labels; the champion's snapshot, and of that what it was not fitted
    on, with its answers; when the current window begins."""

    rows: Rows
    past: Rows
    answered: Rows
    current: np.datetime64
    provenance: str


def answered_changes(
    app: App,
    stream: StreamSettings,
    champion: VersionRecord,
    newer: Rows,
    past: Rows,
    answered: Rows,
    window: Window,
    *,
    as_of: datetime,
    provenance: str,
) -> dict[str, AnsweredChange]:
    """The changes that hold under a champion, by the code of the signal whose reference they move.

    Args:
        newer: the rows after the champion's cut-off with its answers.
        past, answered: its snapshot, and of that what it was not fitted on, with its answers.
        provenance: of the labels that are compared.
    """
    held = app.baselines.accepted(stream.name, champion.version)
    moved = {code: baseline for code, baseline in held.items() if baseline.kind != BaselineKind.ACCEPTED}
    if not moved or stream.series:
        return {}
    oldest = min(baseline.first_time for baseline in moved.values())
    rows = newer
    if oldest <= champion.cut_off:
        after = oldest - timedelta(microseconds=1)
        rows = with_resolved_labels(
            stream, app.reader.read(stream, after=after, as_of=as_of, version=champion.version)
        )
    times = window.rows.meta["time"].to_numpy()
    begins = times[0] if len(times) else _stamp(as_of)
    known = _Known(with_mature_labels(stream, rows, as_of), past, answered, begins, provenance)
    counted = app.cycles.counted_checks(stream.name, version=champion.version, before=as_of)
    return {
        code: _change(stream.policy, baseline, known, breached_since(counted, code), champion)
        for code, baseline in moved.items()
    }


def breached_since(counted: list[CountedCheck], code: str) -> datetime | None:
    """The first record of the counted checks running (newest first) that breached a code; None: the newest did not."""
    began = None
    for past in counted:
        check = Check.from_json(past.document)
        if code not in {signal.code for signal in check.breached}:
            break
        began = datetime.fromisoformat(check.first_time) if check.first_time else began
    return began


def _change(
    policy: Policy, baseline: Baseline, known: _Known, breached: datetime | None, champion: VersionRecord
) -> AnsweredChange:
    first, last = _stamp(baseline.first_time), _stamp(baseline.last_time)
    end = known.current if breached is None else min(known.current, _stamp(breached))
    rows = known.rows.take(known.rows.meta["time"].to_numpy() >= first)
    times = rows.meta["time"].to_numpy()
    if policy.window_records is not None:
        early = np.arange(len(rows)) < _WINDOWS * policy.window_records
    else:
        early = times < first + _WINDOWS * np.timedelta64(policy.window_span)
    taken = (times <= last) | (early & (times < end))
    full = _fills(policy, int(taken.sum()), max(last, end) - first)
    rows = rows.take(taken)
    reference = _comparable(baseline.code, rows, known, champion).newest(policy.reference)
    waits = "" if full else (
        f"{len(rows)} records since the change of {baseline.first_time:%Y-%m-%d %H:%M} UTC, {baseline.why}; a "
        f"comparison needs a full window ({policy.window})."
    )
    return AnsweredChange(reference, baseline.first_time, baseline.why, waits)


def _fills(policy: Policy, count: int, span: np.timedelta64) -> bool:
    if policy.window_records is not None:
        return count >= policy.window_records
    return bool(span >= _NEARLY * np.timedelta64(policy.window_span))


def _comparable(code: str, rows: Rows, known: _Known, champion: VersionRecord) -> Rows:
    """The rows since a change that a signal may be compared with: like with like (invariant 3)."""
    side = kind_of(code).side
    if side == "inputs":
        return rows
    new = rows.meta["time"].to_numpy() > _stamp(champion.cut_off)
    if side == "model":  # the champion's answers to what it did not know: on either side of its cut-off
        newer = new_content(rows.take(new & rows.meta["predicted"].notna().to_numpy()), known.past)
        first = rows.meta["time"].to_numpy()[:1]
        since = known.answered.take(known.answered.meta["time"].to_numpy() >= first)
        return stack([since, newer], list(rows.features.columns))
    labelled = rows.take(rows.meta["provenance"].eq(known.provenance).to_numpy())
    later = labelled.meta["time"].to_numpy() > _stamp(champion.cut_off)
    once = set(unique_content(known.past, known.past).meta["content"])
    unknown = set(new_content(labelled.take(later), known.past).meta["content"])
    content = labelled.meta["content"]
    return labelled.take(np.where(later, content.isin(unknown), content.isin(once)))


def _stamp(moment: datetime) -> np.datetime64:
    return np.datetime64(utc(moment).replace(tzinfo=None), "us")
