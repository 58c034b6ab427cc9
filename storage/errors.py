"""Every failure that trueup foresees, as one tree.

TrueupError            the work failed: exit status 1
├── LeaseHeld          another process works on the stream
├── ModelUnusable      the registered champion cannot be loaded or scored
├── NotTrainable       nothing can be learnt from the rows that there are
├── SourceFailed       a place that data comes in from by itself cannot be read
├── StaleEvidence      the champion changed since the decision was made
├── StoreUnusable      the store or archive cannot be read as it should
└── UsageError         the command, settings or input are wrong: exit status 2
    ├── ConfigError    trueup.toml or a TRUEUP_… variable
    ├── InputError     a file that cannot be taken in
    ├── NoChampion     nothing was trained yet
    └── TimeRefused    a time that would rewind a model
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trueup.storage.secrets import without_secrets


class TrueupError(Exception):
    """The work failed; the message says what, what it means for the data, and what to do."""

    exit_status = 1

    def __init__(self, message: str) -> None:
        super().__init__(without_secrets(message))


class LeaseHeld(TrueupError):
    """Another living process holds the stream's lease."""


class ModelUnusable(TrueupError):
    """A registered champion exists but cannot be loaded or scored; nothing is promoted over it.

    model: that was asked and failed; None where it came to none.
    """

    model: object = None


class NotTrainable(TrueupError):
    """The records or labels do not suffice for a model; trying again without more of them changes nothing.

    Args:
        tests: of the rows, as a gate keeps them, where it was one of those that failed.
    """

    def __init__(self, message: str, tests: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.tests = list(tests)


class SourceFailed(TrueupError):
    """A place that data comes in from by itself cannot be reached or read."""


class StaleEvidence(TrueupError):
    """The evidence speaks of a champion that is no longer in force."""


class StoreUnusable(TrueupError):
    """The store or the archive does not hold what its index says."""


class UsageError(TrueupError):
    """The caller asked for something that cannot be done as asked."""

    exit_status = 2


class ConfigError(UsageError):
    """Settings that do not describe a working stream."""


class InputError(UsageError):
    """A file or item that cannot be taken in at all."""


class NoChampion(UsageError):
    """The stream has no champion yet."""

    def __init__(self, stream: str) -> None:
        super().__init__(
            f"Stream '{stream}' has no champion yet, so there is nothing to compare or to answer with. "
            f"Train the first one: trueup train --stream {stream}"
        )


class TimeRefused(UsageError):
    """The time asked for lies before what the champion or the last cycle already knew."""
