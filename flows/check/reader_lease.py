"""Whoever reads rows outside of a cycle says so, so that none are erased before what is made of them is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from trueup.flows.app import App
from trueup.storage.leases import reading
from trueup.storage.stream import StreamSettings

P = ParamSpec("P")
R = TypeVar("R")

def announced(
    read: Callable[Concatenate[App, StreamSettings, P], R],
) -> Callable[Concatenate[App, StreamSettings, P], R]:
    """The same, done under a reader's lease of its stream."""

    @wraps(read)
    def under_lease(app: App, stream: StreamSettings, *args: P.args, **named: P.kwargs) -> R:
        with reading(app.database, stream.name, clock=app.clock):
            return read(app, stream, *args, **named)

    return under_lease
