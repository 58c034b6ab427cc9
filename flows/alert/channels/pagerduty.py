"""PagerDuty, by its Events API v2: an incident of trueup is an alert there, and a promotion a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from trueup.flows.alert.channels.answers import PATIENCE_SECONDS, in_two_tries, post
from trueup.flows.alert.channels.below_the_lines import cells_beside, web_address
from trueup.flows.alert.channels.budget import clipped, fitted, more
from trueup.flows.alert.channels.channel import Envelope
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.facts import AlertKind
from trueup.reports.alerts.letter import Letter, Standing
from trueup.storage.escaping import for_chat, for_header

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
PAGERDUTY_BUDGET = 30_000  # characters of an event's JSON; PagerDuty takes 512 kB
_SUMMARY = 1024  # characters that PagerDuty takes of it
_SEVERITIES = {Severity.HIGH: "critical", Severity.LOW: "warning"}


class PagerDutyChannel:
    """Sends an event for each incident of a letter, under the incident's id; a repeat of it changes nothing there.

    A letter about no incident pages nobody: it is a change event, which PagerDuty shows beside the alerts.
    """

    def __init__(
        self, who: str, key: str, *, clock: Callable[[], datetime], url: str = "", patience: float = PATIENCE_SECONDS
    ) -> None:
        self.who, self.key, self.clock = who, key, clock
        self.url, self.patience = url or PAGERDUTY_URL, patience

    def send(self, letter: Letter, envelope: Envelope) -> None:
        """Sends the events; where the content of one is refused, the four lines alone.

        Raises:
            DeliveryFailed: one was not taken, or nobody knows; all of them may be sent again.
        """
        clean = partial(_event, self.key, envelope=envelope)
        small, left_out = fitted(
            letter, PAGERDUTY_BUDGET, lambda cut, left: len(json.dumps(clean(cut, left, "trigger", "0" * 64)))
        )
        plain = replace(small, action=None, link="", causes=(), sections=(), foot=())
        for action, alert in _events_of(letter, envelope):
            in_two_tries(
                partial(self._post, action, clean(small, left_out, action, alert)),
                partial(self._post, action, clean(plain, 0, action, alert)),
            )

    def _post(self, action: str, event: dict[str, Any]) -> None:
        url = self.url
        if action == "change":
            url = f"{url.removesuffix('/enqueue')}/change/enqueue"
        post(self.who, url, json.dumps(event).encode(), {}, now=self.clock(), patience=self.patience)


def _events_of(letter: Letter, envelope: Envelope) -> Iterator[tuple[str, str]]:
    """What is sent for a letter: action and dedup_key, in order."""
    if letter.kind == AlertKind.TEST:  # the whole way is tried
        yield from (("trigger", envelope.message_id), ("resolve", envelope.message_id))
        return
    if letter.kind == AlertKind.UNDELIVERED:  # no incident, and yet it pages, until a person closes the alert
        yield "trigger", f"undelivered.{letter.stream}"
        return
    if letter.standing is Standing.NONE or not letter.incidents:
        yield "change", ""
        return
    for incident in letter.incidents:
        if incident in letter.over or letter.standing is Standing.CLOSED:
            yield "resolve", incident
            continue
        if letter.standing is Standing.OPEN or letter.kind != AlertKind.ACKNOWLEDGED:
            yield "trigger", incident  # also of what is acknowledged before PagerDuty has heard of it
        if letter.standing is Standing.ACKNOWLEDGED:
            yield "acknowledge", incident


def _event(key: str, letter: Letter, left_out: int, action: str, alert: str, *, envelope: Envelope) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "summary": clipped(for_chat(f"{letter.stem}: {letter.wrong}"), _SUMMARY),
        "source": for_chat(next((value for name, value in letter.foot if name.lower() == "host"), "trueup")),
        "timestamp": envelope.at.isoformat(timespec="seconds"),
        "custom_details": _details(letter, left_out),
    }
    address = web_address(letter.link)
    event = {
        "routing_key": key,
        "payload": payload,
        "links": [{"href": address, "text": "The page"}] if address else [],
    }
    if action == "change":
        return event
    severity = "info" if letter.kind == AlertKind.TEST else _SEVERITIES[letter.severity]
    payload |= {"severity": severity, "component": letter.stream, "class": letter.kind}
    return event | {"event_action": action, "dedup_key": alert, "client": "trueup"}


def _details(letter: Letter, left_out: int) -> dict[str, Any]:
    """What stands in the alert, top to bottom."""
    found: dict[str, Any] = {
        "what is wrong": for_chat(letter.wrong),
        "who is hurt": for_chat(letter.affected),
        "what trueup did": for_chat(letter.done),
        "what you need to do": for_chat(letter.todo),
    }
    if letter.action:
        found["command"] = for_header(letter.action.command)
        found["what it changes"] = for_chat(letter.action.changes)
    for number, cause in enumerate(letter.causes, 1):
        found[f"cause {number}"] = [for_chat(text) for text in (cause.said, *cause.examples)]
    for part in letter.sections:
        rows = (part.columns, *part.rows) if any(part.columns) else part.rows
        found[for_chat(part.title)] = [for_chat(cells_beside(row)) for row in rows]
    found |= {for_chat(name): for_chat(value) for name, value in letter.foot}
    return found | ({"left out": more(left_out)} if left_out else {})
