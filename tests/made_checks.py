"""Checks stored as a cycle stores them, with a report that Evidently drew, for tests of who reads them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from tests.made_rows import make_rows
from trueup.flows.app import App
from trueup.monitoring.check import Check, Signal, Verdict
from trueup.monitoring.report.render import RenderedReport, render
from trueup.storage.errors import StoreUnusable

FIRST = datetime(2024, 1, 6, tzinfo=UTC)
EVIL = "</script><script>alert(1)</script><!--<script>"
SIGNALS = (
    Signal(code="DRF-TEXT", name="words", verdict=Verdict.BREACHED, said=EVIL, value=0.2, p_value=1e-9, threshold=1e-3,
           effect=0.2),
    Signal(code="DRF-SCORE", name="score", verdict=Verdict.OK, said="No change.", value=0.5, p_value=0.4,
           threshold=1e-3, effect=0.01),
    Signal(code="PRF-METRIC", name="f1_macro", verdict=Verdict.OK, said="As before.", value=0.9, p_value=0.4,
           threshold=0.85, effect=0.0, n_current=200),
    Signal(code="DQ-VOLUME", name="records in a day", verdict=Verdict.OK, said="As ever.", value=50.0, threshold=10.0),
    Signal(code="DQ-LABELS", name="labels", verdict=Verdict.INSUFFICIENT, said="Too early."),
)  # fmt: skip


@cache
def hostile_report() -> RenderedReport:
    """A small report over reviews that try to end a script."""
    stream, rows = make_rows(160, 1)
    rows = rows.with_meta(predicted=rows.meta["label"].to_numpy().copy(), score=rows.meta["time"].rank(pct=True))
    current = rows.take(slice(100, None))
    current = replace(current, features=current.features.assign(content=EVIL))
    reference = rows.take(slice(0, 100))
    return render(
        stream, reference, current, reference, current, current, SIGNALS[:1], title=EVIL, seed=1, as_of=FIRST
    )


def store_check(app: App, stream: str, place: int, *, plots: bool = True, version: int = 1) -> str:
    """Store the check of a week, whose metric falls by a hundredth each; its report's id."""
    report_id = uuid.uuid5(uuid.NAMESPACE_OID, f"{stream} {place}").hex[:12]
    at = FIRST + timedelta(weeks=place)
    signals = tuple(replace(s, value=0.9 - place / 100) if s.code == "PRF-METRIC" else s for s in SIGNALS)
    check = Check(report_id=report_id, counted=place % 2 == 0, signals=signals)
    if plots:
        drawn = hostile_report()
        app.report_files.store(stream, report_id, snapshot=drawn.snapshot)
    app.cycles.keep_check(
        stream=stream, cycle_id=None, as_of=at, version=version, last=None, document=check.as_json(), now=at
    )
    return report_id


def unreadable(report_id: str) -> str:
    """A stored snapshot that is damaged."""
    raise StoreUnusable(f"'{report_id}' is damaged.")
