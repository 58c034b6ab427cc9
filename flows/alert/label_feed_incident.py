"""The incident of a label feed that looks broken: opened by a gate that doubts it, ended by a sound check or gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trueup.flows.alert.failures import resolve_incident
from trueup.flows.alert.notices import Write, add_notice, new_incident
from trueup.flows.app import App
from trueup.monitoring.causes import Cause
from trueup.monitoring.check import Check, Verdict
from trueup.monitoring.severity import severity_of
from trueup.monitoring.signals.catalogue import LABEL_DRIFT, METRIC
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.cycles import CycleRecord
from trueup.storage.stream import StreamSettings

_CODE = "GATE-FEED"


def label_feed_doubted(gate: Mapping[str, Any]) -> bool:
    """Whether a stored gate found that the newest labels are no evidence."""
    return any(test["code"] == _CODE and not test["passed"] for test in gate["tests"])


def open_label_feed(app: App, stream: StreamSettings, facts: AlertFacts) -> Write:
    """Open the incident, once, with the mail of the challenger that waits."""
    if any(i.cause == Cause.LABEL_FEED for i in app.incidents.open_ones(stream.name)):
        return lambda connection: None
    cause = Cause.LABEL_FEED
    incident = new_incident(app, stream, (cause,), (_CODE,), facts.as_of, severity_of(cause))
    told = replace(facts, kind=AlertKind.LABEL_FEED, incident_id=incident.id, codes=incident.codes)

    def write(connection: Any) -> None:
        app.incidents.open(connection, incident)
        add_notice(app, connection, stream, told, incident)

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
