"""The ways out for a mail: an SMTP server through prefect-email's credentials, or a Maildir in the home folder."""

from __future__ import annotations

import mailbox
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any

from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.flows.alert.delivery import Transport
from trueup.flows.settings import SmtpSettings
from trueup.storage.secrets import remember

TIMEOUT_SECONDS = 10.0  # for each answer of the server; a silent one costs a pass this much, once

_NO_UTF8 = (553, b"the server takes no address outside ASCII; use another one")
_connecting = threading.Lock()
_PREFECT_NAMES = {"none": "INSECURE", "starttls": "STARTTLS", "ssl": "SSL"}


def transport_of(settings: SmtpSettings, maildir: Path) -> Transport:
    """The SMTP server where one is set, else the Maildir."""
    return SmtpTransport(settings) if settings.uses_server else MaildirTransport(maildir)


class MaildirTransport:
    """Writes messages into a Maildir, which any mail reader opens; made at need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        """Stores the message, synced to disk.

        Raises:
            DeliveryFailed: the folder cannot be written.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            mailbox.Maildir(self.folder, create=True).add(message)
        except OSError as error:
            raise DeliveryFailed(
                f"the Maildir {self.folder} cannot be written ({error}); the mail waits in the outbox until it can",
                server=True,
                counts=False,
            ) from error


class SmtpTransport:
    """Sends through an SMTP server; a connection for each message, since alerts are few and far between."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings

    def send(self, message: EmailMessage) -> None:
        """Hands the message to the server for every address of its To header.

        Raises:
            DeliveryFailed: the server cannot be reached or logged in to, or an address or the content was refused.
        """
        to = tuple(address for _, address in getaddresses([str(message["To"])]))
        server = self._connected()
        try:
            server.ehlo_or_helo_if_needed()
            able = to if server.has_extn("smtputf8") else tuple(a for a in to if a.isascii())
            refused = server.send_message(message, to_addrs=list(able)) if able else {}
            refused |= {address: _NO_UTF8 for address in to if address not in able}
            remaining = tuple(address for address in to if address in refused)
        except smtplib.SMTPRecipientsRefused as failure:
            refused, remaining = failure.recipients, to
        except smtplib.SMTPDataError as failure:
            raise DeliveryFailed(
                f"the server refused the message: {_reply(failure.smtp_code, failure.smtp_error)}",
                permanent=failure.smtp_code >= 500,
            ) from failure
        except (smtplib.SMTPException, OSError) as failure:
            raise DeliveryFailed(f"the server did not take the mail: {_words(failure)}", server=True) from failure
        finally:
            with suppress(smtplib.SMTPException, OSError):  # the mail is decided; a rude goodbye changes nothing
                server.quit()
        if remaining:
            raise _not_by_all(remaining, refused)

    def _connected(self) -> smtplib.SMTP:
        """A server that has greeted, secured the line and taken the login, as the settings ask."""
        credentials = self._credentials()
        try:
            with _bounded_sockets():
                return credentials.get_server()
        except smtplib.SMTPAuthenticationError as failure:
            raise DeliveryFailed(
                f"the server refused the login: {_reply(failure.smtp_code, failure.smtp_error)}; check [smtp] username "
                "and TRUEUP_SMTP__PASSWORD, or the Prefect block",
                server=True,
                counts=False,
            ) from failure
        except (smtplib.SMTPException, OSError) as failure:
            where = f"Prefect block '{self.settings.block}'" if self.settings.block else self._address()
            raise DeliveryFailed(
                f"no connection to the mail server ({where}): {_words(failure)}; check [smtp] host, port and security",
                server=True,
                counts=False,
            ) from failure

    def _credentials(self) -> Any:
        """prefect-email's EmailServerCredentials: the saved block, or one made from the settings."""
        from prefect_email import EmailServerCredentials

        settings = self.settings
        if not settings.block:
            return EmailServerCredentials(
                smtp_server=settings.host,
                smtp_port=settings.port,
                smtp_type=_PREFECT_NAMES[settings.security],
                username=settings.username or None,  # no name, no login
                password=settings.password,
            )
        from httpx import HTTPError

        try:
            loaded = EmailServerCredentials.load(settings.block)
        except (ValueError, RuntimeError, OSError, HTTPError) as failure:
            raise DeliveryFailed(
                f"the Prefect block '{settings.block}' of kind email-server-credentials cannot be loaded "
                f"({_words(failure)}); save it in Prefect, or set [smtp] host instead",
                server=True,
                counts=False,
            ) from failure
        if loaded.password:
            remember([loaded.password.get_secret_value()])
        return loaded

    def _address(self) -> str:
        port = self.settings.port
        return f"{self.settings.host}:{port}" if port else f"{self.settings.host}, {self.settings.security}"


@contextmanager
def _bounded_sockets() -> Iterator[None]:
    """Gives sockets that are made inside a timeout, which they keep.

    `get_server()` takes no timeout and would wait for a silent server for ever; the default of the process is the
    only documented way in. Sockets that other threads open meanwhile get the same bound, so it lasts no longer than
    the connecting.
    """
    with _connecting:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(TIMEOUT_SECONDS)
        try:
            yield
        finally:
            socket.setdefaulttimeout(before)


def _not_by_all(remaining: tuple[str, ...], refused: dict[str, tuple[int, bytes]]) -> DeliveryFailed:
    """Given up only when nobody is left who may take it later; an address can be untried when a server hangs up."""
    for_good = [address for address in remaining if address in refused and refused[address][0] >= 500]
    said = "; ".join(f"{address} was refused: {_reply(*answer)}" for address, answer in refused.items())
    return DeliveryFailed(said, permanent=len(for_good) == len(remaining), remaining=remaining)


def _reply(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"


def _words(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:.0f} s"
    if isinstance(failure, smtplib.SMTPResponseException):
        return _reply(failure.smtp_code, failure.smtp_error)
    return " ".join(str(failure).split()) or type(failure).__name__
