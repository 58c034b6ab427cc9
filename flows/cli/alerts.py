"""Commands for the person on call: alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trueup.flows.cli.session import (
    PAGE,
    AsJson,
    Commands,
    Config,
    Home,
    Limit,
    MaybeStream,
    Session,
    Since,
    StreamName,
    Why,
    add_group,
    heading,
    session,
)
from trueup.reports.tables import MOMENT, SENTENCE, Column, table
from trueup.storage.errors import InputError
from trueup.storage.short_ids import short_id
from trueup.storage.timepoints import to_minute

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from trueup.alerts import AlertOverview
    from trueup.storage.incidents import Incident
    from trueup.storage.outbox import Notice

class SeverityName(StrEnum):
    """How grave, as people type it."""

    HIGH = "high"
    LOW = "low"


AlertId = Annotated[str, typer.Argument(help="An alert's id, the beginning of one, or last.")]
IncidentId = Annotated[str, typer.Argument(help="An incident's id, the beginning of one, or last.")]


def alerts_list(
    stream: MaybeStream = None,
    limit: Limit = None,
    since: Since = None,
    state: Annotated[
        str | None,
        typer.Option("--state", help="Incidents: open, acknowledged, closed; alerts: pending, sent, dead, dropped."),
    ] = None,
    severity: Annotated[SeverityName | None, typer.Option("--severity", help="Only what is as grave.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Only incidents of this code, and their alerts.")] = None,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Incidents and the outbox, newest first."""
    with session(config, home, as_json) as s:
        found = s.alerts(stream).list(
            limit or (100 if as_json else PAGE), since=since, state=state, severity=severity, code=code
        )
        document = {
            "incidents": found.incidents, "alerts": [_brief(a) for a in found.mails], "silences": found.silences,
            "total": {"incidents": found.incidents.total, "alerts": found.mails.total},
        }  # fmt: skip
        s.show(document, *_listed(found))


def _listed(found: AlertOverview) -> Iterator[RenderableType]:
    """Three tables: what is open first, then who was written to, then what is silenced."""
    incidents, mails = found.incidents, found.mails
    yield table(
        heading("incidents", len(incidents), incidents.total),
        (
            Column("id"), Column("stream", rank=2), Column("severity"), Column("state", least=8),
            Column("about", least=12), Column("codes", rank=3, least=16),
            Column("opened (as of)", rank=1, least=MOMENT), Column("closed", rank=4, least=MOMENT),
        ),
        [
            (short_id(i.id), i.stream, _severity(i.severity), _standing(i), ", ".join(i.causes), ", ".join(i.codes),
             to_minute(i.opened_at), to_minute(i.resolved_at, ""))
            for i in incidents
        ],
    )  # fmt: skip
    yield table(
        heading("alerts", len(mails), mails.total),
        (
            Column("id"), Column("stream", rank=2), Column("written", rank=1, least=MOMENT), Column("kind", rank=3),
            Column("subject", least=SENTENCE), Column("state"), Column("to", rank=4, least=16),
            Column("tries", rank=5, right=True), Column("error", least=SENTENCE),
        ),
        [
            (short_id(a.id), a.stream, to_minute(a.created_at), a.kind, a.subject, a.state, ", ".join(a.to),
             a.attempts, a.error)
            for a in mails
        ],
    )  # fmt: skip
    if found.silences:
        yield table(
            "silences",
            (
                Column("stream", rank=1), Column("what"), Column("until", least=MOMENT), Column("who", rank=2, least=8),
                Column("why", least=SENTENCE),
            ),
            [(x.stream, x.target, to_minute(x.until), x.who, x.why) for x in found.silences],
        )  # fmt: skip


def _severity(severity: str) -> Text:
    from rich.text import Text

    return Text(severity.upper(), style="bold red" if severity == "high" else "")


def _standing(incident: Incident) -> str:
    """open, acknowledged and by whom, or closed, and how where it is known."""
    if incident.resolved_at:
        return f"closed ({incident.outcome})" if incident.outcome else "closed"
    return f"open, {incident.acknowledged_by} has it" if incident.acknowledged_at else "open"


def alerts_show(alert: AlertId, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """One alert as it is mailed."""
    from rich.text import Text

    with session(config, home, as_json) as s:
        shown = s.deployment.alerts.show(alert)
        found = shown.alert
        head = f"alert {found.id}, {to_minute(found.created_at)}, to {', '.join(found.to)} ({found.state})"
        codes = (found.facts or {}).get("codes") or ()
        runbook = [Text(f"What the code means: trueup runbook {codes[0]}")] if codes else []
        s.show(
            {"incidents": [], "alerts": [
                {**_brief(found), "text": shown.text, "html": shown.html, "page": shown.page}
            ]},
            Text(head), Text(shown.subject, style="bold"), Text(f"\n{shown.text}"), *runbook,
            *([Text(f"Page: {shown.page}", no_wrap=True, overflow="ignore")] if shown.page else ()),
        )  # fmt: skip


def alerts_test(stream: StreamName = None, config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Send a test mail to the stream's recipients.

    It shows the pages that mails link to as well.
    """
    with session(config, home, as_json) as s:
        alerts = s.stream(stream).alerts
        _deliveries(s, alerts.test(), links=alerts.links())


def alerts_deliver(config: Config = None, home: Home = None, as_json: AsJson = False) -> None:
    """Try every alert that is pending or dead, but no silenced one."""
    with session(config, home, as_json) as s:
        _deliveries(s, s.deployment.alerts.deliver())


def _deliveries(s: Session, alerts: Sequence[Notice], links: Mapping[str, str] | None = None) -> None:
    from rich.text import Text

    rows = [(short_id(a.id), a.kind, a.subject, a.state, a.error) for a in alerts]
    heads = (
        Column("id"), Column("kind", rank=1), Column("subject", least=SENTENCE), Column("state"),
        Column("error", least=SENTENCE),
    )  # fmt: skip
    s.show(
        {"incidents": [], "alerts": [_brief(a) for a in alerts], **({} if links is None else {"links": links})},
        table("alerts", heads, rows),
        *(
            Text(f"{kind}: {link or 'there is none yet'}", no_wrap=True, overflow="ignore")
            for kind, link in (links or {}).items()
        ),
    )
    if any(a.state in ("pending", "dead") for a in alerts):
        raise typer.Exit(1)


def alerts_ack(
    incident: Annotated[str | None, typer.Argument(help="An incident's id, the beginning of one, or last.")] = None,
    stream: Annotated[str | None, typer.Option("--stream", "-s", help="All that is open of this stream.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is open.")] = False,
    config: Config = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say that you have an open incident, or all of them.

    Nothing else changes by it, and its reminders end.
    """
    with session(config, home, as_json) as s:
        if sum((incident is not None, stream is not None, everything)) != 1:
            raise InputError(
                "Say what you have: an incident's id, --stream S for all that is open of a stream, or --all for all. "
                "Nothing was changed. `trueup alerts list` names them."
            )
        found = [s.deployment.alerts.ack(incident)] if incident is not None else s.alerts(stream).ack_all()
        said = [f"incident {short_id(i.id)} of '{i.stream}' acknowledged by {i.acknowledged_by}" for i in found]
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
        held = f"mails about {made.target} of '{made.stream}' are held until {to_minute(made.until)}"
        said = f"{held}, and sent afterwards"
        s.show({"incidents": [], "alerts": [], "silences": [made]}, said)


def alerts_accept(
    incident: IncidentId, why: Why, config: Config = None, home: Home = None, as_json: AsJson = False
) -> None:
    """Note an incident's window as its inputs' baseline.

    It holds for the input signals of the incident until the champion changes.
    """
    with session(config, home, as_json) as s:
        made = s.deployment.alerts.accept(incident, why)
        window = f"{to_minute(made[0].first_time)} to {to_minute(made[0].last_time)} (report {made[0].report_id})"
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
