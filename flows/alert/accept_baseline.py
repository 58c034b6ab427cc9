"""Accepting what an incident showed: the window becomes the baseline of its input signals."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trueup.flows.app import App
from trueup.monitoring.signals.catalogue import kind_of
from trueup.storage.baselines import Baseline
from trueup.storage.errors import InputError, NoChampion
from trueup.storage.incidents import Incident


def accept(app: App, incident_id: str, why: str) -> list[Baseline]:
    """Note the window of the newest counted check that breached the incident's input signals as their baseline.

    It holds until the champion changes. Signals of the model and of the feed have none that a person could accept.

    Raises:
        InputError: no incident of this id is open, nothing of it is an input signal, no check of the present champion
            breached it, or there is no reason.
        NoChampion: there is none whose reference it could replace.
    """
    if not why.strip():
        raise InputError("--why is empty. Nothing was changed; give a reason for the audit trail.")
    incident = next((i for i in app.incidents.open_ones() if i.id == incident_id), None)
    if incident is None:
        raise InputError(f"There is no open incident '{incident_id}'. `trueup alerts list` names them.")
    if app.stream(incident.stream).series:
        raise InputError(
            f"'{incident.stream}' is a series, which is compared with its own past windows and not against one of "
            "them. "
            f"Nothing was changed; `trueup alerts silence {incident_id}` holds its mails."
        )
    version = app.registry.alias(incident.stream, "champion")
    if version is None:
        raise NoChampion(incident.stream)
    codes = [code for code in incident.codes if kind_of(code).accepts_baseline]
    if not codes:
        raise InputError(
            f"Incident '{incident_id}' stands for {', '.join(incident.codes)}, which compare with what the model was "
            "validated on or with the past of the feed, so there is no baseline to accept. Nothing was changed; "
            f"`trueup alerts silence {incident_id}` holds its mails."
        )
    check = _newest(app, incident, version, codes)
    breached = {signal["code"] for signal in check["document"]["signals"] if signal["verdict"] == "breached"}
    made = [
        Baseline(
            stream=incident.stream,
            code=code,
            version=version,
            report_id=check["id"],
            first_time=datetime.fromisoformat(check["document"]["first_time"]),
            last_time=datetime.fromisoformat(check["document"]["last_time"]),
            at=app.now(),
            who=app.who,
            why=why.strip(),
        )
        for code in codes
        if code in breached
    ]
    app.baselines.add(made)
    return made


def _newest(app: App, incident: Incident, version: int, codes: list[str]) -> dict[str, Any]:
    for check in app.cycles.reports(incident.stream, limit=None):
        signals = check["document"]["signals"]
        if check["version"] == version and check["counted"] and any(
            s["code"] in codes and s["verdict"] == "breached" for s in signals
        ):
            return check
    raise InputError(
        f"No counted check against v{version} of '{incident.stream}' breached {', '.join(codes)}: the incident is of "
        "an earlier champion, and the next check judges anew. Nothing was changed."
    )
