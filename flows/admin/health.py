"""Whether a stream's answers are good now: its last verdict, its metric against the reference, and what is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trueup.flows.app import App
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.severity import Severity
from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.signal_words import metric_before
from trueup.storage.stream import StreamSettings

_LATELY = 10  # checks whose metric is shown


@dataclass(frozen=True, kw_only=True)
class Health:
    """A stream's health.

    verdict: of the newest check, asked for or scheduled; None: nothing was checked yet. as_of: the time it speaks of.
    metric: what the model is judged by. value, reference: in the newest check that could judge it, and what that was
    compared with. recent: its values in the last checks that could judge it, oldest first.
    severity: of the gravest open incident. champion_since: when the champion came to answer, by the clock.
    champion_days: whole days since then.
    """

    verdict: Verdict | None
    as_of: datetime | None
    report_id: str | None
    metric: str
    value: float | None
    reference: float | None
    recent: tuple[float, ...]
    severity: Severity | None
    champion_since: datetime | None
    champion_days: int | None


def health_of(app: App, stream: StreamSettings, champion: int | None, now: datetime) -> Health:
    """Look it up in the store; no report is read."""
    newest = app.checks.newest(stream.name)
    past = app.checks.past_values(stream.name, METRIC, _LATELY)
    values = [one.value for one in past if one.value is not None]
    last = app.promotions.last_committed(stream.name)
    since = last.at if last and last.to_version == champion else None
    return Health(
        verdict=_verdict(app.checks.verdicts(newest[0])) if newest else None,
        as_of=newest[1] if newest else None,
        report_id=newest[0] if newest else None,
        metric=stream.metric,
        value=values[0] if values else None,
        reference=_reference(stream, past[0].value, past[0].effect) if past else None,
        recent=tuple(reversed(values)),
        severity=min((Severity(i.severity) for i in app.incidents.open_ones(stream.name)), default=None),
        champion_since=since,
        champion_days=(now - since).days if since else None,
    )


def _verdict(numbers: dict[str, int]) -> Verdict:
    """Of a whole check: breached where a signal is, not judged where none could be."""
    return next((v for v in (Verdict.BREACHED, Verdict.OK) if numbers.get(str(v))), Verdict.INSUFFICIENT)


def _reference(stream: StreamSettings, value: float | None, drop: float | None) -> float | None:
    signal = Signal(code=METRIC, name=stream.metric, verdict=Verdict.OK, said="", value=value, effect=drop)
    return metric_before(signal)
