"""When Python looks for garbage in a process of trueup."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 20_000  # after its 700, that is a tenth of a check's time, and of a start


def collect_rarely() -> None:
    """Look for garbage after so many new objects; modules and rows that are read make many and leave none."""
    gc.set_threshold(_NEW_OBJECTS)
