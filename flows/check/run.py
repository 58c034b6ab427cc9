"""One check: measured, drawn as an Evidently report, and stored."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

from trueup.flows.app import App
from trueup.flows.check.comparison import WindowComparison, compare_window
from trueup.flows.check.external_predictions import notes_on_answers, serving_skew
from trueup.flows.check.predictions import score_new
from trueup.flows.check.reader_lease import announced
from trueup.monitoring.check import Check
from trueup.storage.promotions import VersionRecord
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso

Draw = Callable[[App, StreamSettings, VersionRecord, WindowComparison, Check], tuple[str, ...]]


def draw_report(
    app: App, stream: StreamSettings, champion: VersionRecord, compared: WindowComparison, check: Check
) -> tuple[str, ...]:
    """Draw a check as an Evidently report, and keep it and its signals' distributions; what it could not show."""
    from trueup.monitoring.report.render import render

    state = "counted" if check.counted else "provisional"
    report = render(
        stream,
        compared.comparison.reference,
        compared.comparison.current,
        compared.comparison.model_reference,
        compared.comparison.model_current,
        compared.comparison.quality_current,
        check.signals,
        title=f"{stream.name}: {state} check against champion v{champion.version}",
        seed=compared.comparison.seed,
        quality_reference=compared.comparison.quality_reference,
        as_of=compared.comparison.as_of,
    )
    app.report_files.store(
        stream.name, check.report_id, snapshot=report.snapshot,
        distributions={s.code: s.distribution for s in check.signals if s.distribution is not None},
    )  # fmt: skip
    return report.notes


def measure_window(
    app: App,
    stream: StreamSettings,
    champion: VersionRecord,
    compared: WindowComparison,
    *,
    cycle_id: str | None,
    draw: Draw = draw_report,
) -> Check:
    """Measure the signals of a comparison, and have them drawn."""
    from trueup.monitoring.answer_quality import answer_quality
    from trueup.monitoring.signals.measure import measure

    signals, notes = measure(stream, compared.comparison)
    times = compared.window.rows.meta["time"]
    judged = compared.comparison.quality_current.meta["time"]
    check = Check(
        report_id=_report_id(stream, champion, compared.comparison.as_of, cycle_id),
        counted=cycle_id is not None and compared.counts,
        signals=signals,
        first_time=iso(times.iloc[0].to_pydatetime()) if len(times) else None,
        last_time=iso(times.iloc[-1].to_pydatetime()) if len(times) else None,
        judged_from=iso(judged.min().to_pydatetime()) if len(judged) else None,
        answers=answer_quality(stream, compared.comparison) if stream.predicts else None,
        notes=notes,
    )
    as_of = compared.comparison.as_of
    said = (*notes_on_answers(app, stream, champion, as_of), *serving_skew(app, stream, champion, as_of))
    check = replace(check, notes=(*notes, *said, *filter(None, [compared.note])))
    return replace(check, notes=(*check.notes, *draw(app, stream, champion, compared, check)))


def edge_of(compared: WindowComparison) -> tuple[int, datetime] | None:
    """Place and time of the window's newest record, as the store keeps them with the check."""
    last = compared.window.last
    return None if last is None else (last.seq, compared.window.rows.meta["time"].iloc[-1].to_pydatetime())


@announced
def single_check(app: App, stream: StreamSettings, champion: VersionRecord, as_of: datetime) -> Check:
    """A check that a person asked for: scored, measured, stored, and never counted."""
    score_new(app, stream, champion, as_of)
    compared = compare_window(app, stream, champion, as_of)
    check = measure_window(app, stream, champion, compared, cycle_id=None)
    app.cycles.keep_check(
        stream=stream.name,
        cycle_id=None,
        as_of=as_of,
        version=champion.version,
        last=edge_of(compared),
        document=check.as_json(),
        now=app.now(),
    )
    return check


def _report_id(stream: StreamSettings, champion: VersionRecord, as_of: datetime, cycle_id: str | None) -> str:
    """A cycle's report keeps its name when the cycle is resumed; one that a person asks for gets a new one."""
    named = f"{stream.name}|{champion.version}|{iso(as_of)}|{cycle_id or uuid.uuid4().hex}"
    return blake2b(named.encode(), digest_size=6).hexdigest()
