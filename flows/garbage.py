"""When Python looks for garbage in a process of trueup."""

from __future__ import annotations

import atexit
import gc

_NEW_OBJECTS = 20_000  # after its 700, that is a tenth of a check's time, and of a start


def collect_rarely() -> None:
    """Look for garbage after so many new objects; modules and rows that are read make many and leave none."""
    gc.set_threshold(_NEW_OBJECTS)


def collect_nothing_at_exit() -> None:
    """Have Python's own searches at the end of this process find nothing to look at: the system takes it all back.

    To be called before anything is opened: what is registered later is still closed before.
    """
    atexit.register(gc.freeze)
