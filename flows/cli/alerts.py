"""Commands for the person on call: alerts, status, doctor."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from trueup.flows.cli.session import (
    BREACH,
    AsJson,
    Commands,
    Config,
    Home,
    MaybeStream,
    Session,
    StreamName,
    Why,
    add_commands,
    add_group,
    session,
    table,
)
from trueup.storage.errors import ConfigError, InputError
from trueup.storage.timepoints import iso

AlertId = Annotated[str, typer.Argument(help="The alert's id.")]
IncidentId = Annotated[str, typer.Argument(help="The incident's id.")]


class FailOn(StrEnum):
    """What makes `status` end with status 3."""

    STALE = "stale"


def alerts_list(stream: MaybeStream = None, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Incidents and the outbox, newest first."""
    with session(config, home, as_json) as s:
        if stream:
            s.app.stream(stream)
        incidents = s.app.alerts.incidents(stream)
        alerts = s.app.alerts.alerts(stream)
        cells = [
            (i.id, i.stream, i.cause, ", ".join(i.codes), iso(i.opened_at), iso(i.acknowledged_at), iso(i.resolved_at))
            for i in incidents
        ]
        silences = s.app.silences.in_force(s.app.now(), stream)
        quiet = [(x.stream, x.target, iso(x.until), x.who, x.why) for x in silences]
        mails = [(a.id, a.stream, a.kind, a.subject, a.state, a.attempts, a.error) for a in alerts]
        s.show(
            {"incidents": incidents, "alerts": [_brief(a) for a in alerts], "silences": silences},
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
        found = next((a for a in s.app.alerts.alerts(limit=10_000) if a.id == alert), None)
        if found is None:
            raise InputError(f"There is no alert '{alert}'. `trueup alerts list` names them.")
        s.show(
            {"incidents": [], "alerts": [{**_brief(found), "text": found.text, "html": found.html}]},
            Text(f"to {', '.join(found.to) or 'nobody'} ({found.state}): {found.subject}\n\n{found.text}"),
        )


def alerts_test(stream: StreamName, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Send a test mail to the stream's recipients."""
    from trueup.flows.alert.incidents import deliver_now, item
    from trueup.reports.alert_facts import AlertFacts, AlertKind

    with session(config, home, as_json) as s:
        named = s.app.stream(stream)
        facts = AlertFacts(kind=AlertKind.TEST, stream=stream, as_of=s.app.now(), home=str(s.app.home))
        sent = item(s.app, named, facts, None)
        if not sent.to:
            raise ConfigError(
                f"Stream '{stream}' tells nobody: `to` under [streams.{stream}.alerts] is empty, so its incidents are "
                "kept and no mail is written. Name addresses there, then test again."
            )
        with s.app.database.write() as connection:
            s.app.alerts.add(connection, sent)
        deliver_now(s.app)
        _deliveries(s, {sent.id})


def alerts_deliver(config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Try every alert that is pending or dead, but no silenced one."""
    from trueup.flows.alert.incidents import deliver_now

    with session(config, home, as_json) as s:
        waiting = {a.id for a in (*s.app.alerts.pending(), *s.app.alerts.dead())}
        deliver_now(s.app, all_pending=True)
        _deliveries(s, waiting - s.app.alerts.held(s.app.now()))


def _deliveries(s: Session, ids: set[str]) -> None:
    alerts = [a for a in s.app.alerts.alerts(limit=10_000) if a.id in ids]
    rows = [(a.id, a.kind, a.subject, a.state, a.error) for a in alerts]
    s.show(
        {"incidents": [], "alerts": [_brief(a) for a in alerts]},
        table("alerts", ("id", "kind", "subject", "state", "error"), rows),
    )
    if any(a.state != "sent" for a in alerts):
        raise typer.Exit(1)


def alerts_ack(incident: IncidentId, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Say that somebody has seen an open incident.

    That ends the incident of a rollback.
    """
    from trueup.flows.promote.manual import acknowledge

    with session(config, home, as_json) as s:
        found = acknowledge(s.app, incident)
        ended = "; it is resolved, and promotion follows the policy again" if found.resolved_at else ""
        said = f"incident {incident} acknowledged by {found.acknowledged_by}{ended}"
        s.show({"incidents": [found], "alerts": []}, said)


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
    from trueup.flows.alert.silence import silence

    with session(config, home, as_json) as s:
        made = silence(s.app, target, until, why, stream=stream)
        said = f"no mail about {made.target} of '{made.stream}' before {iso(made.until)}; what comes up is sent then"
        s.show({"incidents": [], "alerts": [], "silences": [made]}, said)


def alerts_accept(
    incident: IncidentId, why: Why, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Note an incident's window as its inputs' baseline.

    It holds for the input signals of the incident until the champion changes.
    """
    from trueup.flows.alert.accept_baseline import accept

    with session(config, home, as_json) as s:
        made = accept(s.app, incident, why)
        window = f"{iso(made[0].first_time)} to {iso(made[0].last_time)} (report {made[0].report_id})"
        said = f"{', '.join(b.code for b in made)}: accepted as baseline of v{made[0].version}: {window}"
        s.show({"incidents": [], "alerts": [], "baselines": made}, said)


def _brief(a: Any) -> dict[str, Any]:
    return {
        "id": a.id, "stream": a.stream, "kind": a.kind, "subject": a.subject, "state": a.state, "to": a.to,
        "attempts": a.attempts, "next_try": a.next_try, "sent_at": a.sent_at, "error": a.error,
        "incident_id": a.incident_id, "cycle_id": a.cycle_id, "created_at": a.created_at,
    }


def status(
    fail_on: Annotated[
        FailOn | None, typer.Option("--fail-on", help="End with status 3 if a scheduled cycle is overdue.")
    ] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """How each stream stands, and when its next cycle is."""
    from rich.text import Text

    from trueup.flows.admin.status import standing

    with session(config, home, as_json) as s:
        found = [standing(s.app, stream) for stream in s.app.settings.streams.values()]
        rows = [
            (
                f.stream, f.records, "–" if f.champion is None else f"v{f.champion}", iso(f.last_cycle) or "never",
                iso(f.next_cycle) or "no schedule", "OVERDUE" if f.stale else "", len(f.open_incidents),
                f.pending_alerts, f.dead_alerts,
            )
            for f in found
        ]
        columns = ("stream", "records", "champion", "last cycle", "next cycle", "", "incidents", "pending", "dead")
        notes = [f"{f.stream}: {note}" for f in found for note in f.notes]
        s.show({"streams": found}, table("streams", columns, rows), *(Text(note) for note in notes))
        if fail_on and any(f.stale for f in found):
            raise typer.Exit(BREACH)


def doctor(config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """What is wrong with this installation, and how to mend it."""
    from trueup.flows.admin.doctor import examine

    with session(config, home, as_json) as s:
        found = examine(s.app)
        rows = [("ok" if f.ok else "WRONG", f.name, f.said, f.mend) for f in found]
        s.show({"checks": found}, table("doctor", ("", "what", "found", "to mend it"), rows))
        if not all(f.ok for f in found):
            raise typer.Exit(1)


def add_to(cli: typer.Typer) -> None:
    """Register these commands."""
    add_commands(cli, {"status": status, "doctor": doctor})
    alerts: Commands = {
        "list": alerts_list, "show": alerts_show, "test": alerts_test, "deliver": alerts_deliver, "ack": alerts_ack,
        "silence": alerts_silence, "accept": alerts_accept,
    }  # fmt: skip
    add_group(cli, "alerts", "Incidents and the outbox.", alerts)
