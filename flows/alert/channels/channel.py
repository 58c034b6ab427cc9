"""What every way out for an alert has in common: the envelope, and how a failure is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from trueup.reports.alerts.letter import Letter
from trueup.storage.secrets import without_secrets


class DeliveryFailed(Exception):
    """A message was not taken, or nobody knows whether it was.

    why: a plain reason, one line, without a secret or an address that is one.
    permanent: no later attempt can help (a refused recipient, refused content).
    server: the fault is the server's, not this message's; other messages would meet the same now.
    counts: it uses up one of the message's tries; not where no server was even met.
    unknown: the message may have been taken (the line broke after it was sent): it goes out again as the same one.
    retry_after: the server's own word for when to come again.
    """

    def __init__(
        self,
        why: str,
        *,
        permanent: bool = False,
        server: bool = False,
        counts: bool = True,
        unknown: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        self.why = without_secrets(why)
        super().__init__(self.why)
        self.permanent = permanent
        self.server = server
        self.counts = counts
        self.unknown = unknown
        self.retry_after = retry_after


class TooLarge(DeliveryFailed):
    """A message was refused for its size; one without picture may pass."""

    def __init__(self, why: str) -> None:
        super().__init__(why, permanent=True)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """How one letter travels to one recipient.

    to: a mail address, or "" for a channel that has one place of its own.
    message_id: stable over attempts of the same message, without angle brackets, as `id@domain`; services take it as
        the key that they know a repeat by.
    roots: one id a thread, constant over all mails of an incident, as `id@domain`; the gravest incident's first.
    auto_submitted: whether the mail says that a program wrote it; some ticket intakes drop such mails.
    at: when the message was composed.
    """

    to: str
    message_id: str
    roots: tuple[str, ...]
    at: datetime
    auto_submitted: bool = True


class Channel(Protocol):
    """A way out; one more is one more file with a class that has this method."""

    def send(self, letter: Letter, envelope: Envelope) -> None:
        """Hands the letter over to one recipient.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows.
        """
        ...
