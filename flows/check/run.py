"""One check: measured, drawn as an Evidently report, and stored."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

from trueup.flows.app import App
from trueup.flows.check.comparison import Look, look
from trueup.flows.check.external_predictions import notes_on_answers, skew
from trueup.flows.check.predictions import scoring
from trueup.monitoring.check import Check
from trueup.storage.leases import Lease
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import Stream
from trueup.storage.timepoints import iso


def score_new(
    app: App, stream: Stream, champion: VersionRecord, as_of: datetime, lease: Lease | None = None
) -> int:
    """Give every record newer than the champion's cut-off the champion's answer, if it has one; how many got it now.

    Raises:
        LeaseHeld: the `lease` of a cycle was lost.
        ModelUnusable: the champion cannot be loaded or scored.
    """
    answers = scoring(app, stream, champion)
    if not app.reader.unanswered(stream, champion.version, after=champion.cut_off, as_of=as_of):
        return 0
    rows = app.reader.read(stream, after=champion.cut_off, as_of=as_of, version=champion.version)
    rows = answers(rows.take(rows.meta["predicted"].isna().to_numpy()))
    if len(rows):
        predicted, chances = rows.meta["predicted"].to_numpy(), rows.meta["score"].to_numpy()
        app.reader.add_predictions(stream, champion.version, rows, predicted, chances, lease)
    return len(rows)


Draw = Callable[[App, Stream, VersionRecord, Look, Check], tuple[str, ...]]


def draw_report(app: App, stream: Stream, champion: VersionRecord, seen: Look, check: Check) -> tuple[str, ...]:
    """Draw a check as an Evidently report, and keep its page and snapshot in the archive; what it could not show."""
    from trueup.monitoring.report.render import render

    state = "counted" if check.counted else "provisional"
    report = render(
        stream,
        seen.comparison.reference,
        seen.comparison.current,
        seen.comparison.model_reference,
        seen.comparison.model_current,
        seen.comparison.quality_current,
        check.signals,
        title=f"{stream.name}: {state} check against champion v{champion.version}",
        seed=seen.comparison.seed,
        quality_reference=seen.comparison.quality_reference,
        as_of=seen.comparison.as_of,
        notes=check.notes,
    )
    app.report_files.store(stream.name, check.report_id, html=report.html, snapshot=report.snapshot)
    return report.notes


def measure_look(
    app: App,
    stream: Stream,
    champion: VersionRecord,
    seen: Look,
    *,
    cycle_id: str | None,
    draw: Draw = draw_report,
) -> Check:
    """Measure the signals of a comparison, and have them drawn."""
    from trueup.monitoring.signals.measure import measure

    signals, notes = measure(stream, seen.comparison)
    times = seen.window.rows.meta["time"]
    check = Check(
        report_id=_report_id(stream, champion, seen.comparison.as_of, cycle_id),
        counted=cycle_id is not None and seen.counts,
        signals=signals,
        first_time=iso(times.iloc[0].to_pydatetime()) if len(times) else None,
        last_time=iso(times.iloc[-1].to_pydatetime()) if len(times) else None,
        notes=notes,
    )
    as_of = seen.comparison.as_of
    said = (*notes_on_answers(app, stream, champion, as_of), *skew(app, stream, champion, as_of))
    check = replace(check, notes=(*notes, *said))
    return replace(check, notes=(*check.notes, *draw(app, stream, champion, seen, check)))


def edge_of(seen: Look) -> tuple[int, datetime] | None:
    """Place and time of the window's newest record, as the store keeps them with the check."""
    last = seen.window.last
    return None if last is None else (last.seq, seen.window.rows.meta["time"].iloc[-1].to_pydatetime())


def single_check(app: App, stream: Stream, champion: VersionRecord, as_of: datetime) -> Check:
    """A check that a person asked for: scored, measured, stored, and never counted."""
    score_new(app, stream, champion, as_of)
    seen = look(app, stream, champion, as_of)
    check = measure_look(app, stream, champion, seen, cycle_id=None)
    app.cycles.keep_check(
        stream=stream.name,
        cycle_id=None,
        as_of=as_of,
        version=champion.version,
        last=edge_of(seen),
        document=check.as_json(),
        now=app.now(),
    )
    return check


def _report_id(stream: Stream, champion: VersionRecord, as_of: datetime, cycle_id: str | None) -> str:
    """A cycle's report keeps its name when the cycle is resumed; one that a person asks for gets a new one."""
    named = f"{stream.name}|{champion.version}|{iso(as_of)}|{cycle_id or uuid.uuid4().hex}"
    return blake2b(named.encode(), digest_size=6).hexdigest()
