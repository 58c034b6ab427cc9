"""A letter as a mail: headers, threads, both bodies, the picture, and the report's page where that is asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from email import policy
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Protocol

from trueup.flows.alert.channels.channel import DeliveryFailed, Envelope, TooLarge
from trueup.flows.alert.channels.maildir import MaildirFolder
from trueup.flows.alert.channels.smtp import SmtpServer
from trueup.flows.mail_settings import SmtpSettings
from trueup.reports.alerts.letter import Letter
from trueup.reports.alerts.mail_body import PICTURE_CID, rendered
from trueup.storage.addresses import Mailbox, mailbox_of
from trueup.storage.errors import InputError, StoreUnusable
from trueup.storage.escaping import for_header
from trueup.storage.secrets import without_secrets

LARGEST_PAGE = 5_000_000  # bytes of a report's page that a mail brings along

ReportPage = Callable[[str, str], bytes]  # the HTML page of a stream's report; raises InputError, StoreUnusable


class _Ids(UnstructuredHeader, BaseHeader):
    """Ids of mails, a line each: the standard library encodes one that is longer than a line, which ends its thread."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: " + f"{policy.linesep} ".join(self.split()) + policy.linesep


class Post(Protocol):
    """A way for one message to one address."""

    def send(self, raw: bytes, sender: str, to: str) -> None:
        """Hands a message (lines ended by CRLF) over.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows. TooLarge: a smaller one may be.
        """
        ...


@dataclass(frozen=True)
class MailChannel:
    """Mails from one sender, each to one recipient. page: None where no pages are attached."""

    post: Post
    sender: Mailbox
    reply_to: Mailbox | None = None
    page: ReportPage | None = None

    def send(self, letter: Letter, envelope: Envelope) -> None:
        """Sends the letter as a mail; once more without picture and page where it is too large.

        Raises:
            DeliveryFailed: it was not taken, or nobody knows.
        """
        try:
            to = mailbox_of(envelope.to)
        except ValueError as failure:
            raise DeliveryFailed(str(failure), permanent=True) from None
        page, whole = self._page(letter)
        try:
            self._hand_over(whole, envelope, to, page)
        except TooLarge:
            if page is None and letter.picture is None:
                raise
            left_out = _noted(letter, "the mail was too large with it") if page is not None else whole
            self._hand_over(left_out.without_picture(), envelope, to, None)

    def _hand_over(self, letter: Letter, envelope: Envelope, to: Mailbox, page: bytes | None) -> None:
        raw = as_message(letter, envelope, self.sender, to, self.reply_to, page).as_bytes()
        self.post.send(raw, self.sender.address, to.address)

    def _page(self, letter: Letter) -> tuple[bytes | None, Letter]:
        """The page to attach, and the letter; where a page should come along and cannot, the letter says so."""
        if self.page is None or not letter.report:
            return None, letter
        try:
            page = self.page(letter.stream, letter.report)
        except (InputError, StoreUnusable):
            return None, _noted(letter, "its file cannot be read")
        if len(page) > LARGEST_PAGE:
            size, most = f"{len(page) / 1e6:.1f} MB", f"{LARGEST_PAGE // 10**6} MB"
            return None, _noted(letter, f"it has {size}, and mails bring {most} at most")
        return page, letter


def mail_channel(settings: SmtpSettings, maildir: Path, page: ReportPage | None = None) -> MailChannel:
    """Mails by the SMTP server where one is set, else into the Maildir."""
    post: Post = SmtpServer(settings) if settings.uses_server else MaildirFolder(maildir)
    reply_to = mailbox_of(settings.reply_to) if settings.reply_to else None
    return MailChannel(post, mailbox_of(settings.from_), reply_to, page)


def as_message(
    letter: Letter,
    envelope: Envelope,
    sender: Mailbox,
    to: Mailbox,
    reply_to: Mailbox | None = None,
    page: bytes | None = None,
) -> EmailMessage:
    """The letter as plain text with an HTML alternative and its picture within that.

    Every mail of an incident names the incident's root in References and In-Reply-To, the first one too, though no
    mail has that id: all of them hang on it, whichever arrives (RFC 5322 § 3.6.4). Nothing written elsewhere can add a
    header. Bodies are quoted-printable, so that every server passes them on as they are.
    """
    mail = rendered(letter)
    outside = not all(box.local.isascii() for box in (sender, to, reply_to) if box)
    message = EmailMessage(policy=(policy.SMTPUTF8 if outside else policy.SMTP).clone(header_factory=_headers()))
    message["Subject"] = _line(mail.subject)
    message["From"] = _shown(sender)
    message["To"] = _shown(to)
    if reply_to:
        message["Reply-To"] = _shown(reply_to)
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = _id(envelope.message_id)
    if envelope.roots:
        message["In-Reply-To"] = _id(envelope.roots[0])
        message["References"] = " ".join(_id(root) for root in envelope.roots)
    message["List-Id"] = f"trueup <{_label(letter.stream) or 'all'}.trueup.{sender.host}>"
    if envelope.auto_submitted:
        message["Auto-Submitted"] = "auto-generated"
    if letter.stream:
        message["X-Trueup-Stream"] = _line(letter.stream)
    message["X-Trueup-Severity"] = str(letter.severity)
    if letter.incidents:
        message["X-Trueup-Incident"] = _line(", ".join(letter.incidents))
    picture = f"{hashlib.sha256(envelope.message_id.encode()).hexdigest()[:16]}@{sender.host}"
    html = mail.html.replace(f'"cid:{PICTURE_CID}"', f'"cid:{picture}"')  # clients mix up equal ones of a thread
    message.set_content(_clean(mail.text), cte="quoted-printable")
    message.add_alternative(_clean(html), subtype="html", cte="quoted-printable")
    if mail.png is not None:
        body = message.get_body(("html",))
        assert isinstance(body, EmailMessage)
        body.add_related(
            mail.png, "image", "png", cid=f"<{picture}>", disposition="inline", filename="picture.png"
        )
    if page is not None:
        message.add_attachment(page, "text", "html", filename=_line(f"{letter.report}.html"))
    return message


def _noted(letter: Letter, why: str) -> Letter:
    """The letter with a word on the page that it does not bring along."""
    said = f"{why}; trueup reports open {letter.report}"
    return replace(letter, foot=(*letter.foot, ("Report not attached", said)))


@cache
def _headers() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name in ("in-reply-to", "list-id", "message-id", "references"):
        registry.map_to_type(name, _Ids)
    return registry


def _shown(box: Mailbox) -> Address:
    return Address(_line(box.name), box.local, box.host)


def _id(name: str) -> str:
    return f"<{re.sub(r'[^!-;=?-~]', '', for_header(name))}>"


def _line(text: str) -> str:
    return for_header(without_secrets(text))


def _clean(text: str) -> str:
    """Text that UTF-8 can write, without a secret."""
    return without_secrets(text).encode("utf-8", "replace").decode()


def _label(name: str) -> str:
    """A name as a part of a domain or of a file's name: other signs by their number."""
    return "".join(sign if sign.isascii() and sign.isalnum() else f"-{ord(sign):x}" for sign in name)
