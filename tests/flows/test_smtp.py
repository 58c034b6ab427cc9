"""Messages over real SMTP servers on loopback: certificates, logins, refusals, and lines that stall or break."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.made_mail_servers import Inbox, Scripted, certificate, dripping, free_port, mail_server, tls
from trueup.flows.admin.doctor import examine
from trueup.flows.alert.channels.channel import DeliveryFailed, TooLarge
from trueup.flows.alert.channels.smtp import Patience, SmtpServer
from trueup.flows.app import open_app
from trueup.flows.mail_settings import SmtpSettings

RAW = b"Subject: it fell\r\nTo: a@x.org\r\n\r\n.one dot\r\n..two dots\r\nend\r\n"
SHORT = Patience(answer=0.3, verdict=0.3, whole=5)


def server_at(port: int, patience: Patience = SHORT, **settings: object) -> SmtpServer:
    return SmtpServer(SmtpSettings.model_validate({"host": "127.0.0.1", "port": port, **settings}), patience)


def failure(port: int, to: str = "ann@example.org", raw: bytes = RAW, **settings: object) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        server_at(port, **settings).send(raw, "trueup@example.org", to)
    return failed.value


def test_a_message_arrives_as_it_is() -> None:
    """Line by line, those that begin with a dot too, from the sender and for one recipient."""
    inbox = Inbox()
    with mail_server(inbox) as port:
        server_at(port, Patience()).send(RAW, "trueup@example.org", "ann@example.org")
    assert inbox.raw == [RAW]
    assert inbox.to == [["ann@example.org"]]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["starttls", "ssl"])
@pytest.mark.parametrize(("password", "arrives"), [("secret", True), ("wrong-one", False)])
def test_the_line_is_secured_and_the_login_made_by_the_companys_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, password: str, arrives: bool
) -> None:
    """`ca` makes the server's certificate known; a wrong password waits to be fixed and is not shown."""
    pem, key = certificate(tmp_path)
    inbox = Inbox()
    options = {"tls_context": tls(pem, key), "require_starttls": True} if security == "starttls" else {}
    options |= {"ssl_context": tls(pem, key), "auth_require_tls": False} if security == "ssl" else {}
    login = {"security": security, "ca": str(pem), "username": "trueup", "password": password}
    with mail_server(inbox, auth_required=True, authenticator=inbox.authenticate, **options) as port:
        if arrives:
            server_at(port, Patience(), **login).send(RAW, "trueup@example.org", "ann@example.org")
        else:
            failed = failure(port, **login)
            assert failed.server
            assert not failed.counts
            assert "TRUEUP_SMTP__PASSWORD" in failed.why
            assert password not in failed.why
    assert set(inbox.logins) == {b"trueup"}
    assert len(inbox.mails) == arrives


def test_a_prefect_block_gives_server_and_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A saved EmailServerCredentials is used with the company's certificate of the settings; its password is hidden."""
    from prefect_email import EmailServerCredentials

    pem, key = certificate(tmp_path)
    inbox, port = Inbox(), free_port()
    block = EmailServerCredentials(
        smtp_server="127.0.0.1", smtp_port=port, smtp_type="STARTTLS", username="trueup", password="secret"
    )
    monkeypatch.setattr(EmailServerCredentials, "load", lambda name: block)
    by_block = SmtpServer(SmtpSettings(block="mails", ca=str(pem)))
    with mail_server(inbox, port, tls_context=tls(pem, key), require_starttls=True, authenticator=inbox.authenticate):
        by_block.send(RAW, "trueup@example.org", "ann@example.org")
    assert (len(inbox.mails), inbox.logins) == (1, [b"trueup"])
    with pytest.raises(DeliveryFailed, match="Prefect block 'mails'") as failed:
        by_block.send(RAW, "trueup@example.org", "ann@example.org")
    assert not failed.value.counts


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_server_that_cannot_prove_its_name_gets_nothing(tmp_path: Path, security: str) -> None:
    """Neither password nor mail, where nothing says whom to trust, or the certificate is another host's."""
    (tmp_path / "of_another").mkdir()
    pem, key = certificate(tmp_path)
    inbox = Inbox()
    options = {"tls_context": tls(pem, key)} if security == "starttls" else {"ssl_context": tls(pem, key)}
    with mail_server(inbox, authenticator=inbox.authenticate, **options) as port:
        for more in ({}, {"ca": str(certificate(tmp_path / "of_another")[0])}, {"ca": str(pem), "host": "localhost"}):
            failed = failure(port, security=security, username="trueup", password="secret", **more)
            assert "its certificate is not trusted (" in failed.why
            assert failed.server
    assert (inbox.mails, inbox.logins) == ([], [])


def test_a_line_that_cannot_be_secured_carries_nothing() -> None:
    """A server without STARTTLS, or someone in between who hides it, gets no mail in the open."""
    inbox = Inbox()
    with mail_server(inbox) as port:
        failed = failure(port, security="starttls")
    assert "STARTTLS" in failed.why
    assert (failed.server, failed.counts) == (True, False)
    assert inbox.mails == []


def test_a_file_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    """It is missing, or holds something else: the mail waits, and the reason names the file."""
    (tmp_path / "ca.pem").write_text("hello")
    for file, why in ((tmp_path / "ca.pem", "it holds no certificate"), (tmp_path / "no.pem", "No such file")):
        failed = failure(free_port(), security="ssl", ca=str(file))
        assert (failed.server, failed.counts) == (True, False)
        assert str(file) in failed.why
        assert why in failed.why


@pytest.mark.parametrize("verb", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "body"])
@pytest.mark.parametrize("answer", [None, b""], ids=["stalls", "hangs up"])
def test_a_line_that_stalls_or_breaks_ends_in_time(verb: str, answer: bytes | None) -> None:
    """Before the message is sent the server surely has not taken it; after that nobody knows, and it is a try."""
    server = Scripted(**{verb: answer})
    with server.serving() as port:
        began = time.monotonic()
        failed = failure(port)
    assert time.monotonic() - began < 5
    assert failed.server
    assert not failed.permanent
    assert (failed.unknown, failed.counts) == ((True, True) if verb == "body" else (False, False))
    assert bool(server.raw) == (verb == "body")
    assert ("no answer in time" if answer is None else "closed the connection") in failed.why


def test_a_server_that_talks_for_ever_ends_in_time() -> None:
    """Each line of its greeting comes in time, and the last one never: the whole is bounded as well."""
    ready, over, ports = threading.Event(), threading.Event(), []
    threading.Thread(target=dripping, args=(ready, ports, over), daemon=True).start()
    assert ready.wait(10)
    began = time.monotonic()
    with pytest.raises(DeliveryFailed) as failed:
        server_at(ports[0], Patience(answer=5, verdict=5, whole=0.5)).send(RAW, "t@example.org", "ann@example.org")
    over.set()
    assert time.monotonic() - began < 4
    assert failed.value.server


def test_no_server_uses_up_no_try() -> None:
    """Nothing listens: the place is named, and the mail may wait for days."""
    port = free_port()
    failed = failure(port)
    assert (failed.server, failed.counts, failed.permanent) == (True, False, False)
    assert f"no connection to the mail server (127.0.0.1:{port}): Connection refused" in failed.why


def test_a_late_goodbye_changes_nothing() -> None:
    """The server took the mail and says no more: it is sent."""
    server = Scripted(QUIT=None)
    with server.serving() as port:
        server_at(port).send(RAW, "trueup@example.org", "ann@example.org")
    assert len(server.raw) == 1


@pytest.mark.parametrize(
    ("answers", "permanent", "server", "counts"),
    [
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, True, False, True),
        ({"RCPT": b"451 4.7.1 greylisted\r\n"}, False, False, True),
        ({"RCPT": b"421 4.3.2 shutting down\r\n"}, False, True, False),
        ({"MAIL": b"553 5.7.1 not your address\r\n"}, False, True, False),
        ({"MAIL": b"452 4.3.1 no space\r\n"}, False, True, False),
        ({"DATA": b"554 5.5.1 no valid recipients\r\n"}, True, False, True),
        ({"body": b"554 5.7.1 spam\r\n"}, True, False, True),
        ({"body": b"451 4.3.0 later\r\n"}, False, False, True),
        ({"body": b"421 4.3.2 shutting down\r\n"}, False, True, False),
        ({"greeting": b"554 not today\r\n"}, False, True, False),
        ({"EHLO": b"502 what\r\n", "HELO": b"550 who\r\n"}, False, True, False),
    ],
)
def test_what_an_answer_means(answers: dict[str, bytes], permanent: bool, server: bool, counts: bool) -> None:
    """A recipient or a message is refused for good or for now; what meets every mail alike uses up no try."""
    with Scripted(**answers).serving() as port:
        failed = failure(port)
    assert (failed.permanent, failed.server, failed.counts, failed.unknown) == (permanent, server, counts, False)
    assert next(iter(answers.values()))[:3].decode() in failed.why or "550" in failed.why


def test_an_answer_that_is_none_leaves_it_open() -> None:
    """After the message came something that is no verdict: it may have been taken."""
    with Scripted(body=b"hello?\r\n").serving() as port:
        assert failure(port).unknown


@pytest.mark.parametrize(
    "answers",
    [
        {"MAIL": b"552 5.3.4 message size exceeds limit\r\n"},
        {"body": b"552 too large\r\n"},
        {"body": b"554 5.3.4 too large\r\n"},
        {"EHLO": b"250-hello\r\n250 SIZE 20\r\n"},
    ],
)
def test_a_refusal_for_size_is_told_apart(answers: dict[str, bytes]) -> None:
    """By its code, its enhanced code, or the size that the server announced before anything was sent."""
    with Scripted(**answers).serving() as port:
        assert isinstance(failure(port), TooLarge)


def test_letters_outside_ascii_need_a_server_that_takes_them() -> None:
    """With SMTPUTF8 the message goes as UTF-8; without, it is dead with the reason, and nothing was sent."""
    raw = "To: bjørn@example.org\r\n\r\nhello\r\n".encode()
    inbox = Inbox()
    with mail_server(inbox, enable_SMTPUTF8=True) as port:
        server_at(port, Patience()).send(raw, "trueup@example.org", "bjørn@example.org")
    assert inbox.raw == [raw]
    assert inbox.to == [["bjørn@example.org"]]
    with mail_server(inbox, enable_SMTPUTF8=False) as port:
        failed = failure(port, "bjørn@example.org", raw)
    assert failed.permanent
    assert "no SMTPUTF8" in failed.why
    assert len(inbox.raw) == 1


def test_a_login_that_cannot_be_sent_waits(tmp_path: Path) -> None:
    """Python's smtplib sends logins in ASCII only; one with other letters is told and stops no cycle."""
    pem, key = certificate(tmp_path)
    inbox = Inbox()
    login = {"security": "starttls", "ca": str(pem), "username": "trueup", "password": "schlüssel"}
    with mail_server(inbox, tls_context=tls(pem, key), authenticator=inbox.authenticate) as port:
        failed = failure(port, **login)
    assert (failed.server, failed.counts) == (True, False)
    assert "outside ASCII" in failed.why
    assert "schlüssel" not in failed.why


@pytest.mark.parametrize(
    ("sender", "username", "doubt"),
    [
        ("trueup@example.org", "", ""),
        ("trueup@example.org", "apikey", ""),
        ("trueup <trueup@example.org>", "trueup@example.org", ""),
        ("trueup@example.org", "postmaster@mg.Example.org", ""),
        ("trueup@alerts.example.org", "ann@example.org", ""),
        ("trueup@example.org", "ann@gmail.example", "the login is ann@gmail.example, of another domain"),
        ("trueup@badexample.org", "ann@example.org", "of another domain"),
        ("trueup@localhost", "ann@example.org", "nobody can answer"),
        ("trueup@localhost", "", "nobody can answer"),
    ],
)
def test_a_sender_that_the_login_does_not_fit_is_doubted(sender: str, username: str, doubt: str) -> None:
    """One domain, or a part of it, is the same organisation; a name that is no address says nothing."""
    values = {"host": "mail.example.org", "security": "ssl", "from": sender, "username": username}
    found = SmtpSettings.model_validate(values).doubt_of_sender("mail.example.org", username)
    assert doubt in found
    assert bool(doubt) == bool(found)


@pytest.mark.parametrize(
    ("username", "ok", "said"),
    [("ann@example.org", True, "mails come from trueup"), ("ann@gmail.example", False, "of another domain")],
)
def test_doctor_compares_the_sender_with_the_login_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, username: str, ok: bool, said: str
) -> None:
    """As with the settings' own login; a block that cannot be loaded is told, since no mail could be sent by it."""
    from prefect_email import EmailServerCredentials

    (tmp_path / "trueup.toml").write_text(
        '[streams.reviews]\ntime = "at"\ntext = ["content"]\n[smtp]\nblock = "mails"\nfrom = "trueup@example.org"\n'
    )
    app = open_app(tmp_path / "trueup.toml", tmp_path / "home")
    block = EmailServerCredentials(smtp_server="mail.example.org", username=username, password="secret")
    monkeypatch.setattr(EmailServerCredentials, "load", lambda name: block)
    (sender,) = (f for f in examine(app) if f.name == "sender")
    assert sender.ok is ok
    assert said in sender.said

    def gone(name: str) -> None:
        raise ValueError(f"Unable to find block document named {name}")

    monkeypatch.setattr(EmailServerCredentials, "load", gone)
    (sender,) = (f for f in examine(app) if f.name == "sender")
    app.close()
    assert not sender.ok
    assert "cannot be loaded" in sender.said


def test_doctor_greets_the_server_and_looks_at_the_sender(tmp_path: Path) -> None:
    """Certificate and login are tried, nothing is sent; what is wrong stands in one line with what to do."""
    pem, key = certificate(tmp_path)
    inbox, port = Inbox(), free_port()
    server = f'host = "127.0.0.1"\nport = {port}\nsecurity = "starttls"\nusername = "trueup@example.org"\n'
    settings = f'[streams.reviews]\ntime = "at"\ntext = ["content"]\n[smtp]\n{server}'
    with mail_server(inbox, port, tls_context=tls(pem, key), authenticator=inbox.authenticate):
        found = {}
        for name, more in (("without", ""), ("with", 'ca = "certificate.pem"\nfrom = "trueup@example.org"\n')):
            (tmp_path / "trueup.toml").write_text(settings + more)
            app = open_app(tmp_path / "trueup.toml", tmp_path / name)
            smtp = app.settings.smtp.model_copy(update={"password": SecretStr("secret")})
            app = replace(app, settings=app.settings.model_copy(update={"smtp": smtp}))
            found[name] = {f.name: f for f in examine(app) if f.name in ("mail", "sender")}
            app.close()
    assert (found["without"]["mail"].ok, found["without"]["sender"].ok) == (False, False)
    assert "certificate" in found["without"]["mail"].said
    assert found["with"]["mail"].said.startswith("127.0.0.1 takes connections and the login")
    assert found["with"]["sender"].ok
    assert (inbox.mails, inbox.logins) == ([], [b"trueup@example.org"])
