"""What a stream looks like at a time: its rows with labels as the policy reads them, and like held against like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from trueup.feedback.labels import resolve
from trueup.flows.app import App
from trueup.monitoring.comparison import Comparison, Intake
from trueup.monitoring.window import Edge, Window, window_of
from trueup.storage import snapshots
from trueup.storage.content import hash64
from trueup.storage.errors import ModelUnusable, NoChampion, TimeRefused
from trueup.storage.promotions import VersionRecord
from trueup.storage.rows import Rows, new_content
from trueup.storage.stream import Stream
from trueup.storage.tables import microseconds
from trueup.storage.timepoints import iso


def seed_of(stream: Stream, as_of: datetime) -> int:
    """One seed for all that is drawn for a stream at a time, so that a resumed cycle comes to the same end."""
    return hash64(f"{stream.name}|{iso(as_of)}") & 0x7FFFFFFF


def champion_version(app: App, stream: Stream) -> int | None:
    """The version in force; None where none ever was.

    Raises:
        ModelUnusable: one was promoted, and the registry names none: it must not be taken for a stream without.
    """
    version = app.registry.alias(stream.name, "champion")
    last = app.promotions.last_committed(stream.name) if version is None else None
    if last is not None:
        raise ModelUnusable(
            f"The registry lost the champion of '{stream.name}', v{last.to_version}: nothing answers, nothing is "
            "compared, and no other model takes its place by itself. Restore the tracking store (mlflow.db and "
            "mlflow/ of the home folder, or the MLflow server), or let a version that it still holds answer: trueup "
            f"models promote --to {last.to_version} --force --stream {stream.name} --why '...'"
        )
    return version


def champion_of(app: App, stream: Stream) -> VersionRecord:
    """The champion in force.

    Raises:
        NoChampion: there never was one.
        ModelUnusable: the registry lost it, or names one that the store does not know.
    """
    version = champion_version(app, stream)
    if version is None:
        raise NoChampion(stream.name)
    record = app.promotions.version(stream.name, version)
    if record is None:
        raise ModelUnusable(
            f"The registry's champion of '{stream.name}' is version {version}, which the store does not know, so its "
            "reference is missing and nothing can be compared or promoted over it. Restore the store (trueup.db, or "
            "the database) from a backup. Where it is lost for good, move mlflow.db and mlflow/ aside as well (or name "
            "another [tracking] uri), take the records in again, and train: "
            f"trueup train --stream {stream.name}"
        )
    return record


def refuse_rewind(app: App, stream: Stream, as_of: datetime, champion: VersionRecord | None) -> None:
    """Refuse a time that models would have to be rewound for.

    Raises:
        TimeRefused: it lies before the champion's cut-off or before the last cycle that had a champion to check.
    """
    if champion is not None and as_of < champion.cut_off:
        raise TimeRefused(
            f"{iso(as_of)} lies before {iso(champion.cut_off)}, up to which champion v{champion.version} of "
            f"'{stream.name}' knew the stream; models are not rewound. Ask for a later time."
        )
    last = app.cycles.last_checked(stream.name)
    if last is not None and as_of < last:
        raise TimeRefused(
            f"{iso(as_of)} lies before the last cycle that checked '{stream.name}' ({iso(last)}); what it decided "
            "is not undone. Ask for a later time."
        )


def resolved(stream: Stream, rows: Rows) -> Rows:
    """Rows whose raw label values have become classes or numbers; what matches no class is unlabelled."""
    label = resolve(stream, rows.meta["label"])
    known = pd.notna(label)
    provenance = np.where(known, rows.meta["provenance"].to_numpy(), None)
    return rows.with_meta(label=label, provenance=provenance)


def mature(stream: Stream, rows: Rows, as_of: datetime) -> Rows:
    """Rows whose labels count: those of records younger than the maturity are taken away."""
    limit = np.datetime64((as_of - stream.label.maturity_span).replace(tzinfo=None), "us")
    young = rows.meta["time"].to_numpy() > limit
    return rows.with_meta(
        label=np.where(young, None, rows.meta["label"].to_numpy()),
        provenance=np.where(young, None, rows.meta["provenance"].to_numpy()),
    )


def snapshot_rows(app: App, stream: Stream, as_of: datetime) -> Rows:
    """All records known at a time, both sides, with the labels that count then."""
    return mature(stream, resolved(stream, app.reader.read(stream, as_of=as_of)), as_of)


@dataclass(frozen=True)
class Look:
    """A comparison, the window it was made of, and whether a cycle's check of it counts."""

    comparison: Comparison
    window: Window
    counts: bool
    labels: int  # labels newer than the champion's cut-off that count by now


def look(app: App, stream: Stream, champion: VersionRecord, as_of: datetime) -> Look:
    """Hold the newest window after the champion's cut-off against the champion's snapshot (invariant 3)."""
    rows = resolved(
        stream, app.reader.read(stream, after=champion.cut_off, as_of=as_of, version=champion.version)
    )
    window = window_of(stream.policy, rows, cut_off=champion.cut_off, as_of=as_of)
    regression = stream.is_regression
    past = snapshots.load(app.archive, champion.snapshot, regression=regression, ids=False)
    out_of_time = snapshots.load(app.archive, champion.quality, regression=regression)
    blocks = snapshots.extra(app.archive, champion.quality, "block")
    ripe = mature(stream, rows, as_of)
    provenance = _usual(out_of_time)
    same = (out_of_time.meta["provenance"] == provenance).to_numpy()
    judged, looks = judged_rows(stream, ripe.take(_settled(stream, ripe, as_of)), past, provenance, champion, as_of)
    accepted, quarantined = app.reader.received(stream, as_of)
    comparison = Comparison(
        reference=past.newest(stream.policy.reference),
        current=window.rows,
        model_reference=snapshots.load(app.archive, champion.reference, regression=regression),
        model_current=new_content(window.rows, past),
        quality_reference=out_of_time.take(same),
        quality_blocks=blocks[same],
        quality_current=judged,
        quality_looks=looks,
        accepted=_accepted(app, stream, champion, rows),
        past=past,
        intake=Intake(app.reader.times(stream, as_of), quarantined, accepted),
        as_of=as_of,
        seed=seed_of(stream, as_of),
    )
    last = next(iter(app.cycles.counted_checks(stream.name, limit=1)), None)
    edge = None if last is None else Edge(microseconds(last.last_time), last.last_seq)
    return Look(comparison, window, window.counts(edge), int(ripe.labelled.sum()))


def _accepted(app: App, stream: Stream, champion: VersionRecord, rows: Rows) -> dict[str, Rows]:
    """The windows that were accepted under this champion, out of its rows after the cut-off."""
    times = rows.meta["time"].to_numpy()
    windows: dict[tuple[datetime, datetime], Rows] = {}
    found = {}
    for code, baseline in app.baselines.accepted(stream.name, champion.version).items():
        span = (baseline.first_time, baseline.last_time)
        if span not in windows:
            first, last = (np.datetime64(moment.replace(tzinfo=None), "us") for moment in span)
            windows[span] = rows.take((times >= first) & (times <= last))
        found[code] = windows[span]
    return found


def judged_rows(
    stream: Stream, settled: Rows, past: Rows, provenance: str, champion: VersionRecord, as_of: datetime
) -> tuple[Rows, int]:
    """The labelled and answered rows that the metric is judged on, and in how many checks running such a row is read.

    Those of the window whose records are past their maturity; where it holds fewer than `min_labels`, the newest
    `min_labels` since the champion's cut-off.
    """
    policy, limit = stream.policy, as_of - stream.label.maturity_span
    window = window_of(policy, settled, cut_off=champion.cut_off, as_of=limit).rows

    def labelled(rows: Rows) -> Rows:
        rows = new_content(rows, past)
        return rows.take((rows.meta["provenance"].eq(provenance) & rows.meta["predicted"].notna()).to_numpy())

    judged = labelled(window)
    if len(judged) >= policy.min_labels or stream.series or not len(window):
        return judged, 1
    judged = labelled(settled).newest(policy.min_labels)
    if not len(judged):
        return judged, 1
    times = settled.meta["time"].to_numpy()
    reached = int((times >= judged.meta["time"].to_numpy()[0]).sum())
    if policy.window_span is not None:
        back = (times[-1] - judged.meta["time"].to_numpy()[0]) / np.timedelta64(policy.window_span)
        return judged, max(1, int(np.ceil(back)))
    return judged, max(1, -(-reached // len(window)))


def _settled(stream: Stream, rows: Rows, as_of: datetime) -> np.ndarray:
    """Mask of the records that are old enough for their label to count."""
    limit = np.datetime64((as_of - stream.label.maturity_span).replace(tzinfo=None), "us")
    return np.asarray(rows.meta["time"].to_numpy() <= limit)


def _usual(rows: Rows) -> str:
    """The provenance that most labels have."""
    values = rows.meta["provenance"].dropna()
    return str(values.mode().iloc[0]) if len(values) else "record"
