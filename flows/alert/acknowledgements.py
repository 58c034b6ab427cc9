"""What pages people, and what programs read, is told that a person has an incident."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from trueup.flows.alert.notices import add_notice
from trueup.flows.alert.routing.routes import concerned
from trueup.flows.app import App
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertFacts, AlertKind
from trueup.storage.addresses import CHANNEL
from trueup.storage.incidents import Incident


def tell_acknowledged(app: App, connection: Connection, incident: Incident, who: str) -> None:
    """Write it into the outbox for the channels that take it, in the transaction of the acknowledgement."""
    stream = app.settings.streams.get(incident.stream)
    if stream is None:
        return
    before = [recipient for notice in app.outbox.of_incident(incident.id) for recipient in notice.to]
    told = concerned(app.settings, stream.name, Severity(incident.severity), before)
    channels = {f"{CHANNEL}{name}": channel for name, channel in app.settings.alerts.channels.items()}
    takers = tuple(one for one in told if one in channels and channels[one].takes_acknowledgements)
    facts = AlertFacts(
        kind=AlertKind.ACKNOWLEDGED,
        stream=stream.name,
        as_of=incident.opened_at,
        codes=incident.codes,
        incident_id=incident.id,
        who=who,
        home=str(app.home),
    )
    add_notice(app, connection, stream, facts, incident, to=takers)
