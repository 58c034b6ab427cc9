"""Commands for the person on call: alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trueup.flows.cli.session import (
    AsJson,
    Commands,
    Config,
    Home,
    MaybeStream,
    Session,
    StreamName,
    Why,
    add_group,
    session,
)
from trueup.reports.tables import table
from trueup.storage.errors import InputError
from trueup.storage.timepoints import iso

if TYPE_CHECKING:
    from trueup.storage.incidents import Incident
    from trueup.storage.outbox import Notice

AlertId = Annotated[str, typer.Argument(help="The alert's id.")]
IncidentId = Annotated[str, typer.Argument(help="The incident's id.")]


def alerts_list(stream: MaybeStream = None, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Incidents and the outbox, newest first."""
    with session(config, home, as_json) as s:
        found = s.alerts(stream).list()
        cells = [
            (i.id, i.stream, i.cause, ", ".join(i.codes), iso(i.opened_at), iso(i.acknowledged_at), _ended(i))
            for i in found.incidents
        ]
        quiet = [(x.stream, x.target, iso(x.until), x.who, x.why) for x in found.silences]
        mails = [(a.id, a.stream, a.kind, a.subject, a.state, a.attempts, a.error) for a in found.mails]
        s.show(
            {
                "incidents": found.incidents,
                "alerts": [_brief(a) for a in found.mails],
                "silences": found.silences,
            },
            table(
                "incidents", ("id", "stream", "cause", "codes", "opened (as of)", "acknowledged", "resolved"), cells
            ),
            table("alerts", ("id", "stream", "kind", "subject", "state", "tries", "error"), mails),
            table("silences", ("stream", "what", "until", "who", "why"), quiet),
        )


def alerts_show(alert: AlertId, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """One alert as it is mailed."""
    from rich.text import Text

    with session(config, home, as_json) as s:
        found = s.deployment.alerts.show(alert)
        s.show(
            {"incidents": [], "alerts": [{**_brief(found.alert), "text": found.text, "html": found.html}]},
            Text(f"to {', '.join(found.alert.to)} ({found.alert.state}): {found.subject}\n\n{found.text}"),
        )


def alerts_test(stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Send a test mail to the stream's recipients, and show the pages that its mails link to."""
    with session(config, home, as_json) as s:
        alerts = s.stream(stream).alerts
        _deliveries(s, alerts.test(), links=alerts.links())


def alerts_deliver(config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Try every alert that is pending or dead, but no silenced one."""
    with session(config, home, as_json) as s:
        _deliveries(s, s.deployment.alerts.deliver())


def _deliveries(s: Session, alerts: Sequence[Notice], links: Mapping[str, str] | None = None) -> None:
    from rich.text import Text

    rows = [(a.id, a.kind, a.subject, a.state, a.error) for a in alerts]
    s.show(
        {"incidents": [], "alerts": [_brief(a) for a in alerts], **({} if links is None else {"links": links})},
        table("alerts", ("id", "kind", "subject", "state", "error"), rows),
        *(
            Text(f"{kind}: {link or 'there is none yet'}", no_wrap=True, overflow="ignore")
            for kind, link in (links or {}).items()
        ),
    )
    if any(a.state in ("pending", "dead") for a in alerts):
        raise typer.Exit(1)


def alerts_ack(
    incident: Annotated[str | None, typer.Argument(help="The incident's id.")] = None,
    stream: Annotated[str | None, typer.Option("--stream", "-s", help="All that is open of this stream.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is open.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say that you have an open incident, or all of them; nothing else changes by it, and its reminders end."""
    with session(config, home, as_json) as s:
        if sum((incident is not None, stream is not None, everything)) != 1:
            raise InputError(
                "Say what you have: an incident's id, --stream S for all that is open of a stream, or --all for all. "
                "Nothing was changed. `trueup alerts list` names them."
            )
        found = [s.deployment.alerts.ack(incident)] if incident is not None else s.alerts(stream).ack_all()
        said = [f"incident {i.id} of '{i.stream}' acknowledged by {i.acknowledged_by}" for i in found]
        s.show({"incidents": list(found), "alerts": []}, "\n".join(said) or "no open incident waits for anybody")


def alerts_silence(
    target: Annotated[str, typer.Argument(help="An incident's id, or a code such as DRF-TEXT.")],
    until: Annotated[str, typer.Option("--until", help="For how long, as in 3d; 0s ends a silence.")],
    why: Why,
    stream: Annotated[
        str | None, typer.Option("--stream", "-s", help="Whose code it is, where there are several.")
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Hold an incident's or a code's mails back for a while."""
    with session(config, home, as_json) as s:
        made = s.alerts(stream).silence(target, until, why)
        said = f"no mail about {made.target} of '{made.stream}' before {iso(made.until)}; what comes up is sent then"
        s.show({"incidents": [], "alerts": [], "silences": [made]}, said)


def alerts_accept(
    incident: IncidentId, why: Why, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Note an incident's window as its inputs' baseline.

    It holds for the input signals of the incident until the champion changes.
    """
    with session(config, home, as_json) as s:
        made = s.deployment.alerts.accept(incident, why)
        window = f"{iso(made[0].first_time)} to {iso(made[0].last_time)} (report {made[0].report_id})"
        said = f"{', '.join(b.code for b in made)}: accepted as baseline of v{made[0].version}: {window}"
        s.show({"incidents": [], "alerts": [], "baselines": made}, said)


def _brief(a: Any) -> dict[str, Any]:
    return {
        "id": a.id, "stream": a.stream, "kind": a.kind, "subject": a.subject, "state": a.state, "to": a.to,
        "attempts": a.attempts, "next_try": a.next_try, "sent_at": a.sent_at, "error": a.error,
        "incident_id": a.incident_id, "cycle_id": a.cycle_id, "created_at": a.created_at, "severity": a.severity,
        "deliveries": [
            {"to": d.recipient, "state": d.state, "sent_at": d.sent_at, "error": d.error} for d in a.deliveries
        ],
    }


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    alerts: Commands = {
        "list": alerts_list, "show": alerts_show, "test": alerts_test, "deliver": alerts_deliver, "ack": alerts_ack,
        "silence": alerts_silence, "accept": alerts_accept,
    }  # fmt: skip
    add_group(cli, "alerts", "Incidents and the outbox.", alerts)


def _ended(incident: Incident) -> str | None:
    """When an incident was resolved, and how where it is known."""
    ended = iso(incident.resolved_at)
    return f"{ended} ({incident.outcome})" if ended and incident.outcome else ended
