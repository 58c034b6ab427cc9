"""The incident of a label feed that looks broken: opened by a gate that doubts it, ended by a sound check or gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trueup.flows.alert.compose import Write, outbox_item
from trueup.flows.alert.failures import resolve_incident
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Verdict
from trueup.monitoring.signals.catalogue import LABEL_DRIFT, METRIC
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.alerts import Incident, new_id
from trueup.storage.cycles import CycleRecord
from trueup.storage.stream import StreamSettings

_CODE = "GATE-FEED"


def label_feed_doubted(gate: Mapping[str, Any]) -> bool:
    """Whether a stored gate found that the newest labels are no evidence."""
    return any(test["code"] == _CODE and not test["passed"] for test in gate["tests"])


def open_label_feed(app: App, stream: StreamSettings, facts: AlertFacts) -> Write:
    """Open the incident, once, with the mail of the challenger that waits."""
    if any(i.cause == Cause.LABEL_FEED for i in app.alerts.open_incidents(stream.name)):
        return lambda connection: None
    incident = Incident(
        id=new_id(), stream=stream.name, cause=str(Cause.LABEL_FEED), codes=(_CODE,), opened_at=facts.as_of
    )
    told = replace(facts, kind=AlertKind.LABEL_FEED, incident_id=incident.id, codes=incident.codes)

    def write(connection: Any) -> None:
        app.alerts.open(connection, incident)
        app.alerts.add(connection, outbox_item(app, stream, told, incident, opens=True))

    return write


def resolve_by_gate(app: App, stream: StreamSettings, cycle: CycleRecord, gate: Mapping[str, Any]) -> Write:
    """Close the incident where a gate asked about the feed, and found it sound."""
    sound = any(test["code"] == _CODE and test["passed"] and test["value"] is not None for test in gate["tests"])
    return _resolve(app, stream, cycle) if sound else lambda connection: None


def resolve_by_check(app: App, stream: StreamSettings, cycle: CycleRecord, check: Check) -> Write:
    """Close the incident where a counted check finds the labels as they were, and the champion as good by them."""
    found = {signal.code: signal.verdict for signal in check.signals}
    sound = check.counted and found.get(METRIC) is Verdict.OK and found.get(LABEL_DRIFT, Verdict.OK) is Verdict.OK
    return _resolve(app, stream, cycle) if sound else lambda connection: None


def _resolve(app: App, stream: StreamSettings, cycle: CycleRecord) -> Write:
    return resolve_incident(app, stream, Cause.LABEL_FEED, cycle.as_of, cycle.id)
