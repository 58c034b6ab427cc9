"""Delivery of alerts from the outbox: at least once, never lost, bounded retries.

Every alert carries a Message-ID that never changes, so a mail that is sent again is the same mail to the reader's
client. There is one window in which that happens: the server has accepted the message and this process dies before
`mark_sent` is durable; the next pass sends it again. The other order (mark, then send) could lose a mail: worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Protocol

from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.storage.addresses import mailbox_of
from trueup.storage.escaping import for_header

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    *(timedelta(hours=4),) * 6,
)
MAX_ATTEMPTS = len(BACK_OFF) + 1  # that met a server; while it is away none is used up
_SOONEST, _LATEST = timedelta(minutes=1), timedelta(hours=1)  # between two tries of a server that is away


class MailContent(Protocol):
    """What a mail says: `trueup.reports.mail.Mail`, or an item of the outbox."""

    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...


class Deliverable(MailContent, Protocol):
    """One alert that waits in the outbox; any frozen value with these attributes will do.

    to: those who have not got it yet. message_id: with angle brackets, stable over attempts.
    in_reply_to: Message-ID of the incident's first mail, or "". references: the thread's Message-IDs, oldest first.
    attempts: how many were made before this one.
    """

    @property
    def id(self) -> str: ...
    @property
    def stream(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def to(self) -> tuple[str, ...]: ...
    @property
    def message_id(self) -> str: ...
    @property
    def in_reply_to(self) -> str: ...
    @property
    def references(self) -> tuple[str, ...]: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def attempts(self) -> int: ...


class Outbox(Protocol):
    """Where alerts wait; `trueup.storage.alerts` keeps it in SQL."""

    def pending(self, now: datetime, /) -> Sequence[Deliverable]:
        """The items that are due at `now`, oldest first."""
        ...

    def mark_sent(self, alert_id: str, at: datetime, /) -> None:
        """Every address has got it."""
        ...

    def mark_failed(
        self,
        alert_id: str,
        at: datetime,
        why: str,
        next_try: datetime | None,
        /,
        *,
        remaining: tuple[str, ...],
        counted: bool,
    ) -> None:
        """An attempt failed: due again at `next_try`, or dead where that is None; `counted` uses up one of its tries.

        `remaining` replaces the item's `to`: who already got the mail must not get it twice.
        """
        ...


class Transport(Protocol):
    """A way out for a message; one more channel is one more class with this method."""

    def send(self, message: EmailMessage) -> None:
        """Hands the message over to everyone in its To header.

        Raises:
            DeliveryFailed: at least one address did not get it.
        """
        ...


@dataclass(frozen=True)
class Delivered:
    """What one pass did, by alert id."""

    sent: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()


def build_message(
    mail: MailContent,
    *,
    sender: str,
    to: Sequence[str],
    message_id: str,
    in_reply_to: str = "",
    references: Sequence[str] = (),
    date: datetime,
) -> EmailMessage:
    """The mail as plain text with an HTML alternative, threaded by In-Reply-To and References (RFC 5322 § 3.6.4).

    Control characters and line breaks in header values become spaces, so that nothing written elsewhere can add a
    header. `Auto-Submitted` (RFC 3834) keeps out-of-office answers away.

    Raises:
        DeliveryFailed: an address is none; permanent.
    """
    try:
        for address in (sender, *to):
            mailbox_of(address)
    except ValueError as error:
        raise DeliveryFailed(str(error), permanent=True) from None
    message = EmailMessage()
    message["Subject"] = for_header(mail.subject)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = for_header(message_id)
    if in_reply_to:
        message["In-Reply-To"] = for_header(in_reply_to)
    if references:
        message["References"] = for_header(" ".join(references))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def deliver(
    outbox: Outbox, transport: Transport, *, sender: str, now: datetime, max_attempts: int = MAX_ATTEMPTS
) -> Delivered:
    """Tries every pending alert once; a mail that cannot be sent never raises, it is scheduled anew or dead.

    A failure of the server ends the pass: the mails behind would meet the same, each after a timeout. They stay
    pending as they were. Where no server was met no attempt is counted: it may be away for days, and no mail dies.
    """
    sent: list[str] = []
    pending: list[str] = []
    dead: list[str] = []
    items = list(outbox.pending(now))
    for position, item in enumerate(items):
        try:
            message = build_message(
                item,
                sender=sender,
                to=item.to,
                message_id=item.message_id,
                in_reply_to=item.in_reply_to,
                references=item.references,
                date=item.created_at,
            )
            transport.send(message)
        except DeliveryFailed as failure:
            if not failure.counts:
                next_try: datetime | None = next_try_of_server(now, now - item.created_at)
            else:
                next_try = None if failure.permanent else next_attempt(now, item.attempts + 1, max_attempts)
            outbox.mark_failed(
                item.id, now, failure.why, next_try,
                remaining=failure.remaining or item.to, counted=failure.counts,
            )  # fmt: skip
            (dead if next_try is None else pending).append(item.id)
            if failure.server:
                pending.extend(later.id for later in items[position + 1 :])
                break
        else:
            outbox.mark_sent(item.id, now)
            sent.append(item.id)
    return Delivered(tuple(sent), tuple(pending), tuple(dead))


def next_try_of_server(now: datetime, waited: timedelta) -> datetime:
    """When to try again a server that is away: rarer the longer the mail has waited, from a minute to an hour."""
    return now + min(max(waited / 4, _SOONEST), _LATEST)


def next_attempt(now: datetime, made: int, max_attempts: int = MAX_ATTEMPTS) -> datetime | None:
    """When to try again after `made` failed attempts; None once they are used up."""
    if made >= max_attempts:
        return None
    return now + BACK_OFF[min(made, len(BACK_OFF)) - 1]
