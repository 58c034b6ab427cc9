"""The newest window beside the champion's reference: like is compared with like (invariant 3)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from trueup.flows.app import App
from trueup.flows.check.answered import answered_changes
from trueup.flows.check.champion_rows import champion_rows
from trueup.flows.check.labels import with_mature_labels
from trueup.flows.check.lateness import complete_until, late_part_of
from trueup.flows.check.read_back import rows_read_back
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.lateness import in_whole_units
from trueup.monitoring.signals.catalogue import kind_of
from trueup.monitoring.window import StreamPosition, Window, window_of
from trueup.storage import snapshots
from trueup.storage.baselines import BaselineKind
from trueup.storage.content import seed_of
from trueup.storage.formatting import capitalised
from trueup.storage.instants import microseconds
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows, new_content
from trueup.storage.stream import StreamSettings

LABEL_HISTORY = timedelta(weeks=18)  # sixteen earlier weeks, each with two weeks of records before it


@dataclass(frozen=True)
class WindowComparison:
    """A comparison, the window it was made of, and whether a cycle's check of it counts."""

    comparison: Comparison
    window: Window
    counts: bool
    note: str  # why the window ends before as-of, where the settings do not say so


def compare_window(app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime) -> WindowComparison:
    """Hold the newest window after the champion's cut-off against the champion's snapshot (invariant 3)."""
    end, note = _end_of_window(app, stream, as_of)
    with ThreadPoolExecutor(1) as beside:  # SQLite and Arrow hold nothing that the other waits for
        came_in = beside.submit(_intake, app, stream, as_of, end)
        return _compared(app, stream, champion, as_of, end, note, came_in)


def _compared(
    app: App,
    stream: StreamSettings,
    champion: VersionRecord,
    as_of: datetime,
    end: datetime,
    note: str,
    came_in: Future[Intake],
) -> WindowComparison:
    regression = stream.is_regression
    known = champion_rows(app, stream, champion)
    past = known.past
    out_of_time = snapshots.load(app.archive, champion.quality, regression=regression)
    blocks = snapshots.extra(app.archive, champion.quality, "block")
    provenance = _usual(out_of_time)
    same = (out_of_time.meta["provenance"] == provenance).to_numpy()
    baselines = app.baselines.accepted(stream.name, champion.version).values()
    since = min((baseline.first_time for baseline in baselines), default=None)
    for rows in rows_read_back(app, stream, champion, as_of, end=end, since=since):
        ripe = with_mature_labels(stream, rows, as_of)
        settled = ripe.take(_settled(stream, ripe, as_of))
        judged, looks, own = judged_rows(stream, settled, past, provenance, champion, as_of)
        if len(judged) >= stream.policy.min_labels:
            break
    window = window_of(stream.policy, rows.until(end), cut_off=champion.cut_off, as_of=end)
    model_reference = snapshots.load(app.archive, champion.reference, regression=regression)
    changes = answered_changes(
        app, stream, champion, rows, past, model_reference, window, as_of=as_of, provenance=provenance
    )
    comparison = Comparison(
        reference=known.reference,
        current=window.rows,
        model_reference=model_reference,
        model_current=new_content(window.rows, past),
        quality_reference=out_of_time.take(same),
        quality_blocks=blocks[same],
        quality_current=judged,
        quality_looks=looks,
        quality_own=own,
        accepted=_accepted(app, stream, champion, ripe, past, provenance),
        answered=changes,
        past=past,
        learnt=known.learnt,
        intake=came_in.result(),
        as_of=as_of,
        settled=end,
        seed=seed_of(stream, as_of),
    )
    last = next(iter(app.cycles.counted_checks(stream.name, limit=1)), None)
    position = None if last is None else StreamPosition(microseconds(last.last_time), last.last_seq)
    return WindowComparison(comparison, window, window.counts(position), note)


def _intake(app: App, stream: StreamSettings, as_of: datetime, end: datetime) -> Intake:
    """When what is known at as_of came in, of records those until the window's end."""
    accepted, quarantined = app.reader.received(stream, as_of)
    arrived = app.reader.times(stream, as_of)
    return Intake(
        arrived[: np.searchsorted(arrived, np.datetime64(end.replace(tzinfo=None), "us"), side="right")],
        quarantined,
        accepted,
        app.reader.label_times(stream, arrived, after=as_of - LABEL_HISTORY, as_of=as_of),
        app.reader.batches(stream, as_of),
    )


def _end_of_window(app: App, stream: StreamSettings, as_of: datetime) -> tuple[datetime, str]:
    """When the window ends: `policy.settle` before as-of, or earlier where part of the feed is shown to come later."""
    late = late_part_of(app, stream, as_of)
    end = complete_until(stream, late, as_of)
    if late is None:
        return end, ""
    return end, (
        f"{capitalised(late.said)}. So that this is not mistaken for drift, the window ends "
        f"{in_whole_units(late.span)} earlier. To make this permanent, set policy.{late.setting}."
    )


def _accepted(
    app: App, stream: StreamSettings, champion: VersionRecord, rows: Rows, past: Rows, provenance: str
) -> dict[str, Rows]:
    """The windows that a person accepted under this champion, out of its rows after the cut-off, by code.

    Labels are compared where they are of one provenance, of records whose content the champion's snapshot lacks.
    """
    found = {}
    for code, baseline in app.baselines.accepted(stream.name, champion.version).items():
        if baseline.kind != BaselineKind.ACCEPTED:
            continue
        times = rows.meta["time"].to_numpy()
        first, last = (
            np.datetime64(moment.replace(tzinfo=None), "us") for moment in (baseline.first_time, baseline.last_time)
        )
        window = rows.take((times >= first) & (times <= last))
        if kind_of(code).side == "labels":
            window = new_content(window.take(window.meta["provenance"].eq(provenance).to_numpy()), past)
        found[code] = window
    return found


def judged_rows(
    stream: StreamSettings, settled: Rows, past: Rows, provenance: str, champion: VersionRecord, as_of: datetime
) -> tuple[Rows, int, int]:
    """The labelled and answered rows that the metric is judged on.

    Those of the window whose records are past their maturity; where it holds fewer than `min_labels`, the newest
    `min_labels` since the champion's cut-off.

    Returns:
        the rows in the order of time; in how many checks running such a row is read; how many of them, the newest, are
        of the window.
    """
    policy, limit = stream.policy, as_of - stream.label.maturity_span
    window = window_of(policy, settled, cut_off=champion.cut_off, as_of=limit).rows

    def labelled(rows: Rows) -> Rows:
        alike = rows.meta["provenance"].eq(provenance) & rows.meta["predicted"].notna()
        return new_content(rows.take(alike.to_numpy()), past)  # in this order: most records of a window have no label

    judged = labelled(window)
    own = len(judged)
    if own >= policy.min_labels or not len(window):
        return judged, 1, own
    judged = labelled(settled).newest(policy.min_labels)
    if not len(judged):
        return judged, 1, own
    times = settled.meta["time"].to_numpy()
    reached = int((times >= judged.meta["time"].to_numpy()[0]).sum())
    if policy.window_span is not None:
        back = (times[-1] - judged.meta["time"].to_numpy()[0]) / np.timedelta64(policy.window_span)
        return judged, max(1, int(np.ceil(back))), own
    return judged, max(1, -(-reached // len(window))), own


def _settled(stream: StreamSettings, rows: Rows, as_of: datetime) -> np.ndarray:
    """Mask of the records that are old enough for their label to count."""
    limit = np.datetime64((as_of - stream.label.maturity_span).replace(tzinfo=None), "us")
    return np.asarray(rows.meta["time"].to_numpy() <= limit)


def _usual(rows: Rows) -> str:
    """The provenance that most labels have."""
    values = rows.meta["provenance"].dropna()
    return str(values.mode().iloc[0]) if len(values) else "record"
