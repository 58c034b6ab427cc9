"""Messages handed to an SMTP server, one to one recipient, in bounded time, and what its answers mean for them."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from trueup.flows.alert.channels.channel import DeliveryFailed, TooLarge
from trueup.flows.mail_settings import SmtpSettings
from trueup.storage.secrets import remember

_PORTS = {"none": 25, "starttls": 587, "ssl": 465}
_SECURITIES = {"INSECURE": "none", "STARTTLS": "starttls", "SSL": "ssl"}  # as prefect-email names them
_TOO_LARGE = re.compile(rb"\s*5\.(2\.3|3\.4)\b")  # RFC 3463: mailbox or system take no message of this size
_READY, _GO_AHEAD, _GOES_AWAY, _ALLOCATION = 220, 354, 421, 552


@dataclass(frozen=True)
class Patience:
    """Seconds that a server has: for each answer, for its verdict on a message it has got, and for all together."""

    answer: float = 10.0
    verdict: float = 60.0  # servers that look into a message answer late; one given up on early comes twice
    whole: float = 150.0


@dataclass(frozen=True)
class SmtpServer:
    """An SMTP server; a connection for each message, since alerts are few and far between."""

    settings: SmtpSettings
    patience: Patience = Patience()

    def send(self, raw: bytes, sender: str, to: str) -> None:
        """Hands a message (lines ended by CRLF) to the server for one address.

        Raises:
            DeliveryFailed: the server cannot be reached or logged in to, or refused; `unknown` where the line broke
                before its verdict. TooLarge: the message is larger than the server takes.
        """
        with _connected(_account(self.settings), self.patience) as server:
            _check_size(server, raw)
            try:
                _address(server, raw, sender, to)
                code, said = server.docmd("data")
            except (smtplib.SMTPException, OSError) as failure:
                raise _fault_of_server(f"the server did not take the mail: {_words(failure)}") from failure
            if code != _GO_AHEAD:
                raise _refusal("the message was refused", code, said)
            try:
                if server.sock is not None:
                    server.sock.settimeout(self.patience.verdict)
                server.send(re.sub(rb"(?m)^\.", b"..", raw.rstrip(b"\r\n")) + b"\r\n.\r\n")
                code, said = server.getreply()
            except (smtplib.SMTPException, OSError) as failure:
                raise _in_doubt(_words(failure)) from failure
            if code < 0:
                raise _in_doubt(f"its answer was {_reply(code, said)}")
            if code >= 300:
                raise _refusal("the message was refused", code, said)


    def greet(self) -> None:
        """Connects, secures the line and logs in, and sends nothing.

        Raises:
            DeliveryFailed: as `send`.
        """
        with _connected(_account(self.settings), self.patience):
            pass

    def login(self) -> tuple[str, str]:
        """The server's host, and the name that logs in there ("": nobody): of the settings or the Prefect block.

        Raises:
            DeliveryFailed: the block cannot be loaded.
        """
        account = _account(self.settings)
        return account.host, account.username or ""


@dataclass(frozen=True)
class _Account:
    """A server and the login for it. username: None where nobody logs in. said: where it is, in words."""

    host: str
    port: int
    security: str
    username: str | None
    password: str
    verify: bool
    ca: str
    said: str


def _account(settings: SmtpSettings) -> _Account:
    """Server and login of the settings, or of the Prefect block that they name."""
    if not settings.block:
        port = settings.port or _PORTS[settings.security]
        password = settings.password.get_secret_value()
        return _Account(
            settings.host, port, settings.security, settings.username or None, password, True, settings.ca,
            f"{settings.host}:{port}",
        )  # fmt: skip
    from httpx import HTTPError
    from prefect_email import EmailServerCredentials

    try:
        block = EmailServerCredentials.load(settings.block)
    except (ValueError, RuntimeError, OSError, HTTPError) as failure:
        raise _fault_of_server(
            f"the Prefect block '{settings.block}' of kind email-server-credentials cannot be loaded "
            f"({_words(failure)}); save it in Prefect, or set [smtp] host instead"
        ) from failure
    password = block.password.get_secret_value()
    if password:
        remember([password])
    host = str(getattr(block.smtp_server, "value", block.smtp_server))
    security = _SECURITIES[getattr(block.smtp_type, "name", str(block.smtp_type))]
    return _Account(
        host, block.smtp_port or _PORTS[security], security, block.username, password, block.verify is not False,
        settings.ca, f"Prefect block '{settings.block}'",
    )  # fmt: skip


@contextmanager
def _connected(account: _Account, patience: Patience) -> Iterator[smtplib.SMTP]:
    """A server that has greeted, secured the line and taken the login.

    An alarm cuts the line in the end: a server that sends a sign now and then keeps every single answer in time.
    """
    try:
        context = None if account.security == "none" else trusting(account.ca, verify=account.verify)
    except ValueError as failure:
        raise _fault_of_server(str(failure)) from None
    server = (
        smtplib.SMTP_SSL(timeout=patience.answer, context=context)
        if account.security == "ssl"
        else smtplib.SMTP(timeout=patience.answer)
    )
    alarm = threading.Timer(patience.whole, _cut, (server,))
    alarm.daemon = True
    alarm.start()
    try:
        _open(server, account, context)
        yield server
        _take_leave(server)
    except DeliveryFailed as failure:
        if not failure.server:
            _take_leave(server)
        raise
    finally:
        alarm.cancel()
        server.close()


def _open(server: smtplib.SMTP, account: _Account, context: ssl.SSLContext | None) -> None:
    try:
        server._host = account.host  # type: ignore[attr-defined]  # whose certificate it is; else set by connecting
        code, greeting = server.connect(account.host, account.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, greeting)
        if account.security == "starttls":
            server.starttls(context=context)
        if account.username is not None:
            server.login(account.username, account.password)
        server.ehlo_or_helo_if_needed()
    except smtplib.SMTPAuthenticationError as failure:
        raise _fault_of_server(
            f"the server refused the login: {_reply(failure.smtp_code, failure.smtp_error)}; check [smtp] username and "
            "TRUEUP_SMTP__PASSWORD, or the Prefect block"
        ) from failure
    except (smtplib.SMTPException, OSError, UnicodeError) as failure:
        raise _fault_of_server(
            f"no connection to the mail server ({account.said}): {_words(failure)}; check [smtp] host, port and "
            "security"
        ) from failure


def trusting(ca: str, *, verify: bool = True) -> ssl.SSLContext:
    """What a server's certificate is compared with: the system's authorities, and those of the file `ca`.

    Raises:
        ValueError: the file cannot be read, or holds no certificate; with advice.
    """
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if ca:
        try:
            context.load_verify_locations(ca)
        except OSError as failure:  # OpenSSL's own are such as well
            why = "it holds no certificate" if isinstance(failure, ssl.SSLError) else failure.strerror or "unreadable"
            raise ValueError(f"[smtp] ca = '{ca}' cannot be used: {why}; name a PEM file of certificates") from None
    return context


def _take_leave(server: smtplib.SMTP) -> None:
    with suppress(smtplib.SMTPException, OSError):  # the mail is decided; a rude goodbye changes nothing
        server.quit()


def _cut(server: smtplib.SMTP) -> None:
    if server.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(server.sock, socket.SHUT_RDWR)  # not TLS's own, which would wait for an answer


def _check_size(server: smtplib.SMTP, raw: bytes) -> None:
    most = server.esmtp_features.get("size", "")
    if most.isdigit() and 0 < int(most) < len(raw):
        raise TooLarge(f"the message has {len(raw):,} bytes, and the server takes {int(most):,} at most")


def _address(server: smtplib.SMTP, raw: bytes, sender: str, to: str) -> None:
    """Say who a message is from and for; only one with an address outside ASCII has other signs in it."""
    options = [f"size={len(raw)}"] if server.has_extn("size") else []
    if not raw.isascii():
        if not server.has_extn("smtputf8"):
            said = "the server takes no address with letters outside ASCII before the @ (it has no SMTPUTF8)"
            raise DeliveryFailed(f"{said}; use another address", permanent=True)
        options += ["SMTPUTF8", "BODY=8BITMIME"]
    code, said_by_it = server.mail(sender, options)
    if code >= 300 or code < 0:
        if _is_size(code, said_by_it):
            raise _refusal("the message was refused", code, said_by_it)
        raise _fault_of_server(f"the sender {sender} was refused: {_reply(code, said_by_it)}; check [smtp] from")
    code, said_by_it = server.rcpt(to)
    if code >= 300 or code < 0:
        raise _refusal(f"{to} was refused", code, said_by_it)


def _refusal(what: str, code: int, said: bytes) -> DeliveryFailed:
    why = f"{what}: {_reply(code, said)}"
    if code == _GOES_AWAY or code < 0:
        return _fault_of_server(why)
    return TooLarge(why) if _is_size(code, said) else DeliveryFailed(why, permanent=code >= 500)


def _fault_of_server(why: str) -> DeliveryFailed:
    """Every other message would meet the same, and this one may wait for as long as it takes."""
    return DeliveryFailed(why, server=True, counts=False)


def _in_doubt(why: str) -> DeliveryFailed:
    """It counts as a try, so that a message which breaks the line every time does not come for ever."""
    return DeliveryFailed(
        f"the server got the whole mail and did not say whether it takes it ({why})", server=True, unknown=True
    )


def _is_size(code: int, said: bytes) -> bool:
    return code == _ALLOCATION or (code >= 500 and _TOO_LARGE.match(said) is not None)


def _reply(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"


def _words(failure: Exception) -> str:
    if isinstance(failure, TimeoutError) or (failure.args and "timed out" in str(failure.args[0])):
        return "no answer in time"
    if isinstance(failure, smtplib.SMTPServerDisconnected):
        return "it closed the connection"
    if isinstance(failure, smtplib.SMTPResponseException):
        return _reply(failure.smtp_code, failure.smtp_error)
    if isinstance(failure, UnicodeError):
        return "name, login or password have letters outside ASCII, which Python's smtplib cannot send"
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({failure.verify_message}); name its authority's file as [smtp] ca"
    said = failure.strerror if isinstance(failure, OSError) and not isinstance(failure, ssl.SSLError) else None
    return " ".join((said or str(failure)).split()) or type(failure).__name__
