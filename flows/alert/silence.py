"""Silencing an incident or a code: its mails wait until a time, and are sent then."""

from __future__ import annotations

from trueup.flows.app import App
from trueup.storage.errors import InputError
from trueup.storage.silences import Silence
from trueup.storage.timepoints import parse_span


def silence(app: App, target: str, until: str, why: str, *, stream: str | None) -> Silence:
    """Hold back the mails of an incident, or of those that stand for a code only; a span of "0s" ends a silence.

    `stream` says whose code it is; it may be left out where there is one stream.

    Raises:
        ConfigError: no such stream is configured.
        InputError: neither an incident nor a code that was ever measured; the span cannot be read, or no reason.
    """
    if not why.strip():
        raise InputError("--why is empty. Nothing was changed; give a reason, so that others know why mails are held.")
    try:
        span = parse_span(until)
    except ValueError as error:
        raise InputError(f"--until: {error}. Nothing was changed.") from None
    try:
        ends = app.now() + span
    except OverflowError:
        raise InputError(f"--until '{until}' is too long. Nothing was changed.") from None
    incident = next((i for i in app.incidents.newest(limit=None) if i.id == target), None)
    owner = incident.stream if incident else _owner(app, target, stream)
    made = Silence(stream=owner, target=target, until=ends, at=app.now(), who=app.who, why=why.strip())
    app.silences.add(made)
    return made


def _owner(app: App, code: str, stream: str | None) -> str:
    if stream is None and len(app.settings.streams) != 1:
        raise InputError(
            f"'{code}' is no incident, and as a code it needs a stream; nothing was changed. Add --stream, or take "
            "an incident's id from `trueup alerts list`."
        )
    name = app.stream(stream or next(iter(app.settings.streams))).name
    if not app.silences.measured(name, code):
        raise InputError(
            f"'{code}' is neither an incident nor a code of any check of '{name}', so nothing was changed. "
            "`trueup alerts list` names incidents, `trueup check` the codes."
        )
    return name
