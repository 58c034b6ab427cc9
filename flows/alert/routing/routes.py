"""Whom an alert goes to: the rules and the recipients of a stream, each person once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time

from trueup.flows.alert_settings import AlertRule
from trueup.flows.settings import Settings
from trueup.monitoring.severity import Severity
from trueup.storage.addresses import recipient_key

NOBODY_IN_PARTICULAR = "oncall@localhost"  # whom mails that stay in the home folder are written to


@dataclass(frozen=True)
class Route:
    """One recipient, and how they are told.

    recipient: a mail address or `channel:NAME`, as the first rule that names it writes it. timezone: IANA name.
    quiet: from when to when low alerts wait on that clock, None: never. auto_submitted: whether mails say that a
    program wrote them.
    """

    recipient: str
    timezone: str = "UTC"
    quiet: tuple[time, time] | None = None
    auto_submitted: bool = True


def routes_for(settings: Settings, stream: str, severity: Severity) -> tuple[Route, ...]:
    """Who is told of alerts of a stream that are so grave, each recipient once.

    Of several rules that name one recipient for the stream, the first says the time zone, quiet hours and header, and
    what any of them tells of is told. The stream's own `to` is the last rule. Where nobody is named and no server takes
    mails, they are kept in the home folder.
    """
    rules = list(_rules_of(settings, stream))
    found: dict[str, Route] = {}
    told: set[str] = set()
    for rule in rules:
        for recipient in rule.to:
            found.setdefault(key_of(recipient), _route(recipient, rule))
            if not rule.severity or severity in rule.severity:
                told.add(key_of(recipient))
    if not rules and not settings.smtp.uses_server:
        return (Route(NOBODY_IN_PARTICULAR),)
    return tuple(route for key, route in found.items() if key in told)


def route_to(settings: Settings, recipient: str, stream: str) -> Route:
    """How one recipient is told: by the first rule that names them for the stream, else by the first that does at all.

    Whoever no rule names (any more) is told on the clock of UTC, without quiet hours.
    """
    rules = (*_rules_of(settings, stream), *settings.alerts.rules)
    first = next((r for r in rules if key_of(recipient) in map(key_of, r.to)), None)
    return _route(recipient, first) if first else Route(recipient)


def concerned(settings: Settings, stream: str, severity: Severity, before: Iterable[str]) -> tuple[str, ...]:
    """The recipients of a notice, each once: those of its severity, and who was told of its incident `before`.

    Of the latter those whom the settings still name for the stream or for escalations.
    """
    found = {key_of(route.recipient): route.recipient for route in routes_for(settings, stream, severity)}
    named = {key_of(route.recipient) for grave in Severity for route in routes_for(settings, stream, grave)}
    named |= {key_of(recipient) for recipient in settings.alerts.escalate_to}
    for recipient in before:
        if key_of(recipient) in named:
            found.setdefault(key_of(recipient), recipient)
    return tuple(found.values())


def key_of(recipient: str) -> str:
    """What two ways of writing a recipient have in common; one that can be no recipient stays as it is."""
    try:
        return recipient_key(recipient)
    except ValueError:
        return recipient


def streams_by_recipient(settings: Settings) -> dict[Route, tuple[str, ...]]:
    """Everybody who is told of anything, by the first rule that names them, with the streams that they are told of."""
    streams: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for stream in settings.streams:
        everybody = (route for severity in Severity for route in routes_for(settings, stream, severity))
        for route in everybody:
            key = key_of(route.recipient)
            names.setdefault(key, route.recipient)
            told = streams.setdefault(key, [])
            if stream not in told:
                told.append(stream)
    return {route_to(settings, names[key], told[0]): tuple(told) for key, told in streams.items()}


def _rules_of(settings: Settings, stream: str) -> Iterator[AlertRule]:
    """The rules that tell of a stream, in order."""
    yield from (rule for rule in settings.alerts.rules if not rule.streams or stream in rule.streams)
    own = settings.streams[stream].alerts.to if stream in settings.streams else ()
    if own:
        yield AlertRule(to=own)


def _route(recipient: str, rule: AlertRule) -> Route:
    return Route(recipient, rule.timezone, rule.quiet_hours, rule.auto_submitted)
