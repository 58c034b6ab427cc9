"""Who acts, as the audit trail names it: the schedule, the probation, or a person by their account."""

from __future__ import annotations

import getpass
import os

SCHEDULE = "trueup (schedule)"    # a cycle did it, by its policy
PROBATION = "trueup (probation)"  # a cycle went back to the version before, which was better


def account() -> str:
    """The account of the person who typed a command, also where it runs as root by sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
