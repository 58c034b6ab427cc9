"""Alerts leave the outbox over real SMTP servers on loopback or into a Maildir, at least once, with bounded retries."""

from __future__ import annotations

import mailbox
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from trueup.flows.alert import transports as transports
from trueup.flows.alert.channels.channel import DeliveryFailed
from trueup.flows.alert.delivery import BACK_OFF, MAX_ATTEMPTS, build_message, deliver, next_attempt
from trueup.flows.alert.transports import MaildirTransport, SmtpTransport, transport_of
from trueup.flows.settings import SmtpSettings

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
SENDER = "trueup@example.org"


@dataclass(frozen=True)
class Waiting:
    """An alert of a hand-made outbox."""

    id: str
    stream: str = "reviews"
    kind: str = "incident_opened"
    subject: str = "[trueup] reviews: macro-F1 fell 0.83 → 0.71"
    text: str = "It fell.\n"
    html: str = "<p>It fell.</p>"
    to: tuple[str, ...] = ("oncall@example.org",)
    message_id: str = "<first@trueup>"
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    created_at: datetime = NOW
    attempts: int = 0


@dataclass
class MemoryOutbox:
    """The outbox as a list: due items, what was sent, what died."""

    items: list[Waiting]
    due: dict[str, datetime] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def pending(self, now: datetime) -> list[Waiting]:
        closed = {*self.sent, *self.dead}
        return [item for item in self.items if item.id not in closed and self.due.get(item.id, now) <= now]

    def mark_sent(self, id: str, at: datetime) -> None:
        self.sent.append(id)

    def mark_failed(
        self,
        id: str,
        at: datetime,
        why: str,
        next_try: datetime | None,
        *,
        remaining: tuple[str, ...],
        counted: bool,
    ) -> None:
        self.why[id] = why
        self.items = [
            replace(item, attempts=item.attempts + counted, to=remaining) if item.id == id else item
            for item in self.items
        ]
        if next_try is None:
            self.dead.append(id)
        else:
            self.due[id] = next_try


class Inbox:
    """What an SMTP server got; addresses that begin with `gone` or `full` are refused for good or for now."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.logins: list[bytes] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("full"):
            return "451 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.to.append(list(envelope.rcpt_tos))
        return "250 taken"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append(data.login)
        return AuthResult(success=data.password == b"secret", handled=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def smtp_server(inbox: Inbox, port: int, **options) -> Iterator[SmtpSettings]:
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield SmtpSettings(host="127.0.0.1", port=port)
    finally:
        controller.stop()


def send(items: list[Waiting], settings: SmtpSettings, now: datetime = NOW):
    outbox = MemoryOutbox(items)
    return outbox, deliver(outbox, SmtpTransport(settings), sender=SENDER, now=now)


def test_a_mail_arrives_whole_and_threaded():
    """Both bodies, the thread's headers and the typographic subject come through a real server."""
    inbox = Inbox()
    reply = Waiting("2", message_id="<2@trueup>", in_reply_to="<1@trueup>", references=("<1@trueup>", "<x@trueup>"))
    with smtp_server(inbox, free_port()) as settings:
        outbox, delivered = send([reply], settings)
    assert delivered.sent == ("2",)
    assert outbox.sent == ["2"]
    mail = inbox.mails[0]
    assert mail["Subject"] == reply.subject
    assert mail["Message-ID"] == "<2@trueup>"
    assert mail["In-Reply-To"] == "<1@trueup>"
    assert mail["References"].split() == ["<1@trueup>", "<x@trueup>"]
    assert mail["Date"].datetime == NOW
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert "It fell." in mail.get_body(("html",)).get_content()


def test_headers_keep_to_their_line():
    """A line break in a subject or an id cannot add a header, and a long thread stays readable to clients."""
    thread = tuple(f"<{number:032x}@trueup>" for number in range(12))
    written = Waiting("1", subject="fell\r\nBcc: victim@example.org\u2028x\x00")
    built = build_message(
        written, sender=SENDER, to=["a@example.org"], message_id="<1@t>\r\nBcc: v@w.org", references=thread, date=NOW
    )
    parsed = message_from_bytes(built.as_bytes(), policy=policy.default)
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == "fell Bcc: victim@example.org x"
    assert tuple(parsed["References"].split()) == thread
    assert b"=?" not in built.as_bytes().split(b"References:")[1].split(b"Auto-Submitted")[0]


@pytest.mark.parametrize("to", [("nobody",), ("a@example.org, b@example.org",), ("a@example.org\r\nBcc: c@d.org",)])
def test_no_address_is_dead_with_a_reason(to):
    """A mail without a usable address cannot be mended by waiting: it is dead at once and says what to set."""
    outbox = MemoryOutbox([Waiting("1", to=to)])
    delivered = deliver(outbox, MaildirTransport(Path("unused")), sender=SENDER, now=NOW)
    assert delivered.dead == ("1",)
    assert "is not a mail address" in outbox.why["1"]


def test_one_refused_address_keeps_the_mail_from_nobody_else():
    """Of three addresses one is refused for good and one the server cannot write: the third gets the mail."""
    inbox = Inbox()
    three = Waiting("1", to=("gone@example.org", "bjørn@example.org", "oncall@example.org"))
    with smtp_server(inbox, free_port(), enable_SMTPUTF8=False) as settings:
        outbox, delivered = send([three], settings)
    assert inbox.to == [["oncall@example.org"]]
    assert delivered.dead == ("1",)
    assert outbox.items[0].to == ("gone@example.org", "bjørn@example.org")
    assert "outside ASCII" in outbox.why["1"]


def test_a_recipient_refused_for_good_is_dead_at_once():
    """A 5xx for the only address ends the attempts and keeps the server's words."""
    with smtp_server(Inbox(), free_port()) as settings:
        outbox, delivered = send([Waiting("1", to=("gone@example.org",)), Waiting("2")], settings)
    assert delivered.dead == ("1",)
    assert delivered.sent == ("2",)
    assert "gone@example.org was refused: 550 5.1.1 no such user" in outbox.why["1"]


def test_who_has_got_it_is_not_written_to_again():
    """With one address that took it and one that is full for now, only the latter is tried again."""
    inbox = Inbox()
    both = Waiting("1", to=("oncall@example.org", "full@example.org"))
    with smtp_server(inbox, free_port()) as settings:
        outbox, delivered = send([both], settings)
    assert inbox.to == [["oncall@example.org"]]
    assert delivered.pending == ("1",)
    assert outbox.items[0].to == ("full@example.org",)
    assert outbox.due["1"] == NOW + BACK_OFF[0]


def test_a_server_that_was_down_gets_everything_later():
    """Down: no attempt is counted, the rest wait untouched; up again: each alert arrives once."""
    inbox, port = Inbox(), free_port()
    outbox = MemoryOutbox([Waiting("1"), Waiting("2", message_id="<2@trueup>")])
    transport = SmtpTransport(SmtpSettings(host="127.0.0.1", port=port))
    delivered = deliver(outbox, transport, sender=SENDER, now=NOW)
    assert delivered.pending == ("1", "2")
    assert [item.attempts for item in outbox.items] == [0, 0]
    assert f"127.0.0.1:{port}" in outbox.why["1"]
    with smtp_server(inbox, port):
        deliver(outbox, transport, sender=SENDER, now=NOW)
        assert outbox.sent == ["2"]
        deliver(outbox, transport, sender=SENDER, now=NOW + timedelta(minutes=1))
        deliver(outbox, transport, sender=SENDER, now=NOW + timedelta(minutes=9))
    assert outbox.sent == ["2", "1"]
    assert [mail["Message-ID"] for mail in inbox.mails] == ["<2@trueup>", "<first@trueup>"]


def test_no_mail_dies_of_a_server_that_is_away_for_three_days():
    """It is tried every minute at first and every hour in the end, and goes out when the server is back."""
    inbox, port = Inbox(), free_port()
    outbox, now, tries = MemoryOutbox([Waiting("1")]), NOW, 0
    transport = SmtpTransport(SmtpSettings(host="127.0.0.1", port=port))
    while now < NOW + timedelta(days=3):
        deliver(outbox, transport, sender=SENDER, now=now)
        now, tries = outbox.due["1"], tries + 1
    assert 72 <= tries <= 100
    with smtp_server(inbox, port):
        deliver(outbox, transport, sender=SENDER, now=now)
    assert outbox.sent == ["1"]


def test_a_silent_server_does_not_hang_the_pass(monkeypatch):
    """A server that accepts and never speaks costs one timeout for the whole pass, and other sockets stay unbounded."""
    monkeypatch.setattr(transports, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        outbox, delivered = send(
            [Waiting(str(number)) for number in range(5)],
            SmtpSettings(host="127.0.0.1", port=silent.getsockname()[1]),
        )
        took = time.monotonic() - began
    assert delivered.pending == ("0", "1", "2", "3", "4")
    assert "no connection to the mail server" in outbox.why["0"]
    assert took < 10
    assert socket.getdefaulttimeout() is None


def test_the_timeout_holds_after_the_greeting(monkeypatch):
    """A server that greets and then falls silent is given up as well, although prefect-email sets no timeout."""
    monkeypatch.setattr(transports, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []

        def greet() -> None:
            connection, _ = listener.accept()
            connection.sendall(b"220 hello\r\n")
            held.append(connection)

        thread = threading.Thread(target=greet)
        thread.start()
        outbox, delivered = send([Waiting("1")], SmtpSettings(host="127.0.0.1", port=listener.getsockname()[1]))
        thread.join()
        held[0].close()
    assert delivered.pending == ("1",)
    assert "did not take the mail" in outbox.why["1"]


def test_attempts_end_after_about_a_day():
    """The waits grow to four hours, and an alert that nobody takes is dead after a day of trying."""
    waits = [next_attempt(NOW, made) for made in range(1, MAX_ATTEMPTS + 1)]
    assert waits[0] == NOW + timedelta(minutes=1)
    assert waits[-1] is None
    assert timedelta(hours=24) <= sum(BACK_OFF, timedelta()) <= timedelta(hours=28)
    full = Waiting("1", to=("full@example.org",), attempts=MAX_ATTEMPTS - 1)
    with smtp_server(Inbox(), free_port()) as settings:
        assert send([full], settings)[1].dead == ("1",)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pem, secret


@pytest.mark.parametrize(("password", "arrives"), [("secret", True), ("wrong", False)])
def test_starttls_login_through_prefect_email(tmp_path, monkeypatch, password, arrives):
    """The line is encrypted and the login made before the mail; a wrong password waits to be mended."""
    pem, secret = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    inbox, port = Inbox(), free_port()
    options = {"tls_context": context, "require_starttls": True, "auth_required": True}
    with smtp_server(inbox, port, authenticator=inbox.authenticate, **options):
        settings = SmtpSettings(
            host="127.0.0.1", port=port, security="starttls", username="trueup", password=password
        )
        outbox, delivered = send([Waiting("1")], settings)
    assert set(inbox.logins) == {b"trueup"}
    assert bool(delivered.sent) is arrives
    if not arrives:
        assert delivered.pending == ("1",)
        assert "TRUEUP_SMTP__PASSWORD" in outbox.why["1"]
        assert password not in outbox.why["1"]


def test_an_unknown_certificate_is_not_trusted(tmp_path):
    """A server that cannot prove its name gets neither password nor mail."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    inbox, port = Inbox(), free_port()
    with smtp_server(inbox, port, tls_context=context):
        outbox, delivered = send([Waiting("1")], SmtpSettings(host="127.0.0.1", port=port, security="starttls"))
    assert delivered.pending == ("1",)
    assert "certificate" in outbox.why["1"]
    assert inbox.mails == []


def test_without_a_server_mails_lie_in_a_maildir(tmp_path):
    """The default needs no server: messages lie in a Maildir that any reader opens, made at need."""
    folder = tmp_path / "home" / "mail"
    transport = transport_of(SmtpSettings(), folder)
    assert deliver(MemoryOutbox([Waiting("1")]), transport, sender=SENDER, now=NOW).sent == ("1",)
    kept = [message_from_bytes(message.as_bytes(), policy=policy.default) for message in mailbox.Maildir(folder)]
    assert [mail["Subject"] for mail in kept] == [Waiting("1").subject]


def test_an_unwritable_maildir_keeps_the_mail_waiting(tmp_path):
    """A folder that cannot be made is a reason to wait, not to lose the mail."""
    (tmp_path / "mail").write_text("a file, no folder")
    outbox = MemoryOutbox([Waiting("1")])
    assert deliver(outbox, MaildirTransport(tmp_path / "mail"), sender=SENDER, now=NOW).pending == ("1",)
    assert "cannot be written" in outbox.why["1"]


def test_settings_say_what_is_unclear_or_unsafe():
    """Two servers at once, or a password over an open line, is refused with what to do; the secret is never shown."""
    with pytest.raises(ValueError, match="leave one of them out"):
        SmtpSettings(host="mail.example.org", block="mail")
    with pytest.raises(ValueError, match="readable by all"):
        SmtpSettings(host="mail.example.org", username="trueup", password="secret")
    settings = SmtpSettings.model_validate({"host": "mail.example.org", "from": "a@b.org", "password": "secret"})
    assert settings.from_ == "a@b.org"
    assert "secret" not in repr(settings)


def test_a_failure_carries_who_is_left():
    """A reason is one plain sentence, and who is left defaults to everyone."""
    failure = DeliveryFailed("mailbox full", remaining=("full@example.org",))
    assert str(failure) == "mailbox full"
    assert not failure.permanent
