"""The weekly digest of one recipient, read from the store when it is sent."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import datetime

from trueup.flows.alert.routing.routes import Route, streams_by_recipient
from trueup.flows.alert.situation import incident_state
from trueup.flows.app import App
from trueup.monitoring.check import Signal, Verdict
from trueup.monitoring.signals.catalogue import METRIC
from trueup.reports.alerts.digest import ChangeOfWeek, Week, WeekOfStream, digest_letter
from trueup.reports.alerts.facts import AlertKind
from trueup.reports.alerts.letter import Letter
from trueup.storage.addresses import recipient_key
from trueup.storage.promotions import ROLLBACKS, PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.stream import StreamSettings

_WHAT = {
    PromotionState.COMMITTED: "promoted",
    PromotionState.REFUSED: "refused",
    PromotionState.HELD: "waits for a person",
    PromotionState.EXPIRED: "expired",
}


def digest_for(app: App, recipient: str, alert_ids: Sequence[str], now: datetime) -> Letter:
    """What happened since the week before the oldest of these digests, as it stands now."""
    told = app.told_again.digests_of(list(alert_ids))
    since = min((digest.since for digest in told), default=now)
    everybody = streams_by_recipient(app.settings)
    key = recipient_key(recipient)
    route, streams = next(
        ((route, streams) for route, streams in everybody.items() if recipient_key(route.recipient) == key),
        (Route(recipient), tuple(app.settings.streams)),
    )
    return digest_letter(
        Week(
            since=since,
            until=now,
            timezone=route.timezone,
            streams=tuple(_week_of(app, app.stream(name), since, now) for name in streams),
            home=str(app.home),
            host=socket.gethostname(),
        )
    )


def _week_of(app: App, stream: StreamSettings, since: datetime, until: datetime) -> WeekOfStream:
    verdicts = app.cycles.verdicts_between(stream.name, since, until)
    breached = sum(Verdict.BREACHED in found for found in verdicts)
    ok = sum(Verdict.OK in found and Verdict.BREACHED not in found for found in verdicts)
    history = app.promotions.history(stream.name)
    committed = next((p for p in history if p.state is PromotionState.COMMITTED and p.to_version is not None), None)
    still = sorted(app.incidents.open_ones(stream.name), key=lambda i: (i.severity, i.opened_at))
    return WeekOfStream(
        stream=stream.name,
        champion=committed.to_version if committed else None,
        metric=_metric(app, stream),
        ok=ok,
        breached=breached,
        unjudged=len(verdicts) - ok - breached,
        open=tuple(map(incident_state, still)),
        closed=sum(since < n.created_at <= until for n in app.outbox.of_kind(stream.name, AlertKind.INCIDENT_RESOLVED)),
        changes=tuple(_change(p) for p in reversed(history) if since < p.at <= until and _tells(p, history)),
        paused=app.pauses.current(stream.name) is not None,
        predicts=stream.predicts,
    )


def _metric(app: App, stream: StreamSettings) -> Signal | None:
    """The champion's metric by the newest check, where it could be judged."""
    for check in app.cycles.reports(stream.name, limit=1):
        found = (Signal.from_json(s) for s in check["document"]["signals"] if s["code"] == METRIC)
        return next((signal for signal in found if signal.verdict is not Verdict.INSUFFICIENT), None)
    return None


def _tells(attempt: PromotionAttempt, history: Sequence[PromotionAttempt]) -> bool:
    """Whether a change belongs into the digest; what waited for a person only while it still does."""
    over = attempt.state is PromotionState.HELD and any(
        later.at > attempt.at and (later.to_version == attempt.to_version or later.state is PromotionState.COMMITTED)
        for later in history
    )
    return attempt.state in _WHAT and attempt.kind is not PromotionKind.REFERENCE and not over


def _change(attempt: PromotionAttempt) -> ChangeOfWeek:
    back = attempt.state is PromotionState.COMMITTED and attempt.kind in ROLLBACKS
    return ChangeOfWeek(
        at=attempt.at,
        what="rolled back" if back else _WHAT[attempt.state],
        from_version=attempt.from_version,
        to_version=attempt.to_version,
        who=attempt.who,
    )
