"""`trueup pause` and `trueup resume`: whether cycles act on a stream."""

from __future__ import annotations

from trueup.flows.app import App
from trueup.storage.errors import InputError
from trueup.storage.pauses import Pause
from trueup.storage.stream import StreamSettings


def set_paused(app: App, stream: StreamSettings, why: str, *, paused: bool) -> Pause | None:
    """Pause a stream or resume it, at once; the event, or None where it stood so already.

    It waits for no lease: a cycle under way looks again before it trains, judges and promotes.

    Raises:
        InputError: there is no reason.
    """
    if not why.strip():
        raise InputError("--why is empty. Nothing was changed; give a reason for the audit trail.")
    if (app.pauses.current(stream.name) is not None) == paused:
        return None
    event = Pause(stream=stream.name, paused=paused, at=app.now(), who=app.who, why=why.strip())
    app.pauses.add(event)
    return event
