"""The champion that a cycle meets where trueup trains none: a service's model, or a reference of what is known."""

from __future__ import annotations

from datetime import datetime

from trueup.flows.app import App
from trueup.flows.promote.external_releases import follow_service
from trueup.flows.promote.reference_only import first_reference
from trueup.storage.leases import Lease
from trueup.storage.stream import StreamSettings


def meet_champion(app: App, lease: Lease, stream: StreamSettings, as_of: datetime) -> None:
    """Follow a service's releases, or make the first reference; a paused stream stays as it is."""
    if app.pauses.current(stream.name) is not None:
        return
    if stream.predicts:
        follow_service(app, lease, stream, as_of)
    else:
        first_reference(app, lease, stream, as_of)
