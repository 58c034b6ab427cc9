"""Letters as mails: headers, threads, bodies, the picture and the page, as servers and readers get them."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_mail_servers import Inbox, Scripted, mail_server
from tests.many import examples
from trueup.flows.alert.channels.channel import DeliveryFailed, Envelope
from trueup.flows.alert.channels.mail import LARGEST_PAGE, MailChannel, as_message, mail_channel
from trueup.flows.mail_settings import SmtpSettings
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.letter import Letter, Picture, Standing
from trueup.storage.addresses import mailbox_of
from trueup.storage.errors import InputError

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
LETTER = Letter(
    stream="reviews",
    kind="incident_opened",
    severity=Severity.HIGH,
    standing=Standing.OPEN,
    stem="reviews: more wrong answers since 14 June – see",
    tag="HIGH",
    wrong="3 in 10 answers are wrong, was 1 in 10.",
    affected="About 120 records a day; v1 answers now.",
    done="trueup trains a challenger.",
    todo="Look today.",
    picture=Picture(PNG, "macro-F1 fell from 0.92 to 0.71"),
    incidents=("i1",),
    report="r1",
)
ENVELOPE = Envelope(to="Ann <ann@example.org>", message_id="m1@example.org", roots=("incident.i1@example.org",), at=NOW)
SENDER = mailbox_of("trueup <trueup@example.org>")
Page = Callable[[str, str], bytes]


def read(message: EmailMessage) -> EmailMessage:
    """The message as its reader's program takes it."""
    return message_from_bytes(message.as_bytes(), policy=policy.default)  # type: ignore[return-value]


def written(letter: Letter = LETTER, envelope: Envelope = ENVELOPE) -> EmailMessage:
    return read(as_message(letter, envelope, SENDER, mailbox_of(envelope.to)))


def over(port: int, page: Page | None = None, **more: str) -> MailChannel:
    smtp = SmtpSettings.model_validate({"host": "127.0.0.1", "port": port, "from": str(SENDER), **more})
    return mail_channel(smtp, Path("unused"), page)


def types(message: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


def test_a_mail_arrives_whole_with_its_picture_in_place() -> None:
    """Through a real server: names, both bodies, and the picture that the HTML names, with its words."""
    inbox = Inbox()
    with mail_server(inbox) as port:
        over(port, reply_to="On call <oncall@example.org>").send(LETTER, ENVELOPE)
    mail = inbox.mails[0]
    assert inbox.to == [["ann@example.org"]]
    assert inbox.raw[0].isascii()
    assert mail["Subject"] == "[HIGH] reviews: more wrong answers since 14 June – see"
    assert mail["From"] == "trueup <trueup@example.org>"
    assert mail["To"] == "Ann <ann@example.org>"
    assert mail["Reply-To"] == "On call <oncall@example.org>"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<m1@example.org>"
    assert mail["List-Id"] == "trueup <reviews.trueup.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [mail[f"X-Trueup-{name}"] for name in ("Stream", "Severity", "Incident")] == ["reviews", "high", "i1"]
    alike = ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    assert types(mail) == alike
    html = mail.get_body(("html",)).get_content()
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture.get_content() == PNG
    assert picture.get_content_disposition() == "inline"
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert "macro-F1 fell from 0.92 to 0.71" in html
    assert "3 in 10 answers are wrong" in mail.get_body(("plain",)).get_content()


def test_every_mail_of_an_incident_hangs_on_its_root() -> None:
    """The first one too; a mail about two incidents names both, and one about none begins no thread."""
    first = written()
    both = written(envelope=replace(ENVELOPE, message_id="m2@example.org", roots=("incident.i1@x", "incident.i2@x")))
    assert (first["References"], first["In-Reply-To"]) == ("<incident.i1@example.org>",) * 2
    assert (both["References"], both["In-Reply-To"]) == ("<incident.i1@x> <incident.i2@x>", "<incident.i1@x>")
    alone = written(envelope=replace(ENVELOPE, roots=()))
    assert (alone["References"], alone["In-Reply-To"]) == (None, None)


@settings(max_examples=examples(40), deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 3))
def test_ids_stay_readable_at_any_length(length: int, count: int, domains: int) -> None:
    """An id that is longer than a line is neither encoded nor cut, or its thread would fall apart."""
    domain = ".".join(["a" * length] * domains)
    roots = tuple(f"incident.{number:032x}@{domain}" for number in range(count))
    envelope = replace(ENVELOPE, roots=roots, message_id=f"{7:032x}@{domain}")
    message = as_message(LETTER, envelope, mailbox_of(f"trueup@{domain}"), mailbox_of(ENVELOPE.to))
    found = read(message)
    assert found["References"].split() == [f"<{root}>" for root in roots]
    assert found["Message-ID"] == f"<{7:032x}@{domain}>"
    assert f"<reviews.trueup.{domain}>".encode() in message.as_bytes()
    assert max(len(line) for line in message.as_bytes().splitlines()) < 998


TEXT = st.text(st.characters() | st.sampled_from("\r\n\x1b\u202e\u2028\x00\ud800<>\"@"), max_size=60)


@settings(max_examples=examples(40), deadline=None)
@given(TEXT, TEXT, TEXT, st.sampled_from(["trueup@example.org", "trueup@bücher.example"]))
def test_what_outsiders_wrote_adds_no_header(stem: str, stream: str, incident: str, sender: str) -> None:
    """Line breaks, direction marks, escapes and half letters: the same headers, one line each, and 7-bit lines."""
    letter = replace(LETTER, stem=f"{stem}\r\nBcc: v@w.org", stream=stream, incidents=(incident, "i2"), wrong=stem)
    message = as_message(letter, ENVELOPE, mailbox_of(sender), mailbox_of(ENVELOPE.to))
    raw = message.as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) < 998
    assert re.fullmatch(rb"[\t\r\n -~]*", raw)
    found = read(message)
    assert set(found.keys()) <= set(written().keys())
    for name in ("Subject", "X-Trueup-Stream", "X-Trueup-Incident"):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", found[name] or "")
    assert found["Subject"].endswith("Bcc: v@w.org")


def test_a_digest_of_all_streams_has_a_list_of_its_own() -> None:
    """It is about no stream, and filters find it all the same."""
    digest = written(replace(LETTER, stream="", incidents=()), replace(ENVELOPE, roots=()))
    assert digest["List-Id"] == "trueup <all.trueup.example.org>"
    assert (digest["X-Trueup-Stream"], digest["X-Trueup-Incident"]) == (None, None)


def test_a_ticket_intake_is_spared_the_word_that_a_program_wrote() -> None:
    """Off for one recipient: such intakes drop what says Auto-Submitted."""
    assert written(envelope=replace(ENVELOPE, auto_submitted=False))["Auto-Submitted"] is None


def test_one_refused_recipient_of_three_keeps_the_mail_from_nobody_else() -> None:
    """Each has a message of their own; who is refused is told with the server's words."""
    inbox, failed = Inbox(), []
    with mail_server(inbox) as port:
        for name in ("ann", "gone", "bob"):
            try:
                over(port).send(LETTER, replace(ENVELOPE, to=f"{name}@example.org"))
            except DeliveryFailed as failure:
                failed.append(failure)
    assert inbox.to == [["ann@example.org"], ["bob@example.org"]]
    assert [mail["To"] for mail in inbox.mails] == ["ann@example.org", "bob@example.org"]
    assert [(f.permanent, f.why) for f in failed] == [(True, "gone@example.org was refused: 550 5.1.1 no such user")]


def test_a_domain_in_other_letters_needs_nothing_of_the_server() -> None:
    """It travels in ASCII; a name in other letters is encoded as every client knows it."""
    inbox = Inbox()
    with mail_server(inbox, enable_SMTPUTF8=False) as port:
        over(port).send(LETTER, replace(ENVELOPE, to="Jörg <jorg@bücher.example>"))
    assert inbox.to == [["jorg@xn--bcher-kva.example"]]
    assert inbox.mails[0]["To"] == "Jörg <jorg@xn--bcher-kva.example>"


def test_an_address_in_other_letters_goes_where_the_server_takes_it() -> None:
    """With SMTPUTF8 it arrives; without it the mail is dead with the reason."""
    inbox, to = Inbox(), replace(ENVELOPE, to="Bjørn <bjørn@example.org>")
    with mail_server(inbox, enable_SMTPUTF8=True) as port:
        over(port).send(LETTER, to)
    assert inbox.mails[0]["To"] == "Bjørn <bjørn@example.org>"
    assert inbox.to == [["bjørn@example.org"]]
    with mail_server(inbox, enable_SMTPUTF8=False) as port, pytest.raises(DeliveryFailed, match="no SMTPUTF8") as dead:
        over(port).send(LETTER, to)
    assert dead.value.permanent


def test_what_is_no_address_is_dead_with_the_reason() -> None:
    """Settings refuse it; a delivery that was written before them cannot be fixed by waiting."""
    with pytest.raises(DeliveryFailed, match="is not a mail address") as dead:
        over(1).send(LETTER, replace(ENVELOPE, to="nobody"))
    assert dead.value.permanent


def test_what_is_too_large_is_tried_once_more_without_picture() -> None:
    """The words are what counts; a second refusal is for good."""
    large = replace(LETTER, picture=Picture(PNG * 400, "the metric"))
    inbox = Inbox()
    with mail_server(inbox, data_size_limit=60_000) as port:
        over(port).send(large, ENVELOPE)
    (got,) = inbox.mails
    assert types(got) == ["multipart/alternative", "text/plain", "text/html"]
    assert "cid:" not in got.get_body(("html",)).get_content()
    assert got["Message-ID"] == "<m1@example.org>"
    never = Scripted(body=b"552 5.3.4 too large\r\n")
    with never.serving() as port, pytest.raises(DeliveryFailed, match=r"552 5\.3\.4") as failed:
        over(port).send(large, ENVELOPE)
    assert failed.value.permanent
    assert len(never.raw) == 2


def test_a_page_comes_along_only_where_it_is_asked_for() -> None:
    """As a file beside the mail; without the setting the mail has none."""
    asked: list[tuple[str, str]] = []

    def page(stream: str, report: str) -> bytes:
        asked.append((stream, report))
        return b"<html>the page</html>"

    inbox = Inbox()
    with mail_server(inbox) as port:
        over(port, page).send(LETTER, ENVELOPE)
        over(port).send(LETTER, ENVELOPE)
        over(port, page).send(replace(LETTER, report=""), ENVELOPE)
    (attached,) = inbox.mails[0].iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("r1.html", "<html>the page</html>")
    assert types(inbox.mails[0])[:2] == ["multipart/mixed", "multipart/alternative"]
    assert [list(mail.iter_attachments()) for mail in inbox.mails[1:]] == [[], []]
    assert asked == [("reviews", "r1")]


def gone(stream: str, report: str) -> bytes:
    raise InputError("pruned")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (lambda stream, report: b"x" * (LARGEST_PAGE + 1), "it has 5.0 MB, and mails bring 5 MB at most"),
        (gone, "its file cannot be read"),
        (lambda stream, report: b"x" * 100_000, "the mail was too large with it"),
    ],
)
def test_a_page_that_cannot_come_along_is_told(page: Page, why: str) -> None:
    """Too large for us or for the server, or pruned: the mail goes without, and says how to open it."""
    inbox = Inbox()
    with mail_server(inbox, data_size_limit=60_000) as port:
        over(port, page).send(LETTER, ENVELOPE)
    assert list(inbox.mails[0].iter_attachments()) == []
    text = " ".join(inbox.mails[0].get_body(("plain",)).get_content().split())
    assert f"Report not attached: {why}; trueup reports open r1" in text


def test_without_a_server_mails_lie_in_a_maildir(tmp_path: Path) -> None:
    """Made at need, read by any mail reader; where it cannot be written the mail waits."""
    folder = tmp_path / "home" / "mail"
    mail_channel(SmtpSettings(), folder).send(LETTER, ENVELOPE)
    (kept,) = [message_from_bytes(message.as_bytes(), policy=policy.default) for message in mailbox.Maildir(folder)]
    assert (kept["Subject"], kept["From"]) == (LETTER.subject, "trueup@localhost")
    (tmp_path / "mail").write_text("a file, no folder")
    with pytest.raises(DeliveryFailed, match="cannot be written") as failed:
        mail_channel(SmtpSettings(), tmp_path / "mail").send(LETTER, ENVELOPE)
    assert (failed.value.server, failed.value.counts) == (True, False)
