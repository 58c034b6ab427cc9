"""Each place shows what outsiders wrote, and obeys none of it: HTML, a mail's header, JSON on a terminal."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import jinja2
from hypothesis import given, settings
from hypothesis import strategies as st

from trueup.flows.alert.channels.channel import Envelope
from trueup.flows.alert.channels.mail import as_message
from trueup.flows.cli.output import write_json
from trueup.monitoring.severity import Severity
from trueup.reports.alerts.letter import Letter, Standing
from trueup.storage.addresses import mailbox_of
from trueup.storage.escaping import for_header, for_html, for_page, for_spreadsheet, for_terminal

HOSTILE = [
    "</p><script>alert(1)</script>", '" onmouseover="x', "' onmouseover='x", "<img src=https://evil.example/p>",
    "&lt;b&gt;", "\x1b[2J", "\x9b31m", "\u202egnp.exe", "a\r\nBcc: x@evil.example", "a\n\n<html>", "\u2028x", "\ud800",
    "{{ 7*7 }}", "x\x00y",
]  # fmt: skip
ANY = st.text() | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map(" ".join)
SEEN = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\ufeff\u2028\u2029")


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.said += data


@given(ANY)
def test_any_text_is_text_in_html(text: str) -> None:
    """Within an element and an attribute it is read back as it is shown on a terminal, and no element comes of it."""
    page = Page(f'<p title="{for_html(text)}">{for_html(text)}</p>')
    assert page.elements == [("p", [("title", for_terminal(text))])]
    assert page.said == for_terminal(text)
    assert not set(page.said) & SEEN


@given(ANY)
def test_any_text_is_text_on_a_page_of_a_template(text: str) -> None:
    """Templates escape what they show, and write out what would hide or reorder it."""
    environment = jinja2.Environment(autoescape=True, finalize=for_page)
    assert Page(environment.from_string("{{ said }}").render(said=text)).said == for_terminal(text)


LETTER = Letter(
    stream="s", kind="test", severity=Severity.LOW, standing=Standing.NONE, stem="", tag="", wrong="x", affected="x",
    done="x", todo="x",
)  # fmt: skip
ENVELOPE = Envelope(
    to="c@d.org", message_id="1@b.org", roots=("incident.1@b.org",), at=datetime(2026, 1, 1, tzinfo=UTC)
)


@settings(deadline=None)
@given(ANY)
def test_any_text_adds_no_header(text: str) -> None:
    """A subject or an id of any text leaves the mail's headers as they are, and can be sent."""
    letter = replace(LETTER, stem=text, stream=f"s{text}", incidents=(text,))
    sent = as_message(letter, ENVELOPE, mailbox_of("a@b.org"), mailbox_of("c@d.org"))
    read = message_from_bytes(sent.as_bytes(), policy=default)
    assert read.keys() == [
        "Subject", "From", "To", "Date", "Message-ID", "In-Reply-To", "References", "List-Id", "Auto-Submitted",
        "X-Trueup-Stream", "X-Trueup-Severity", "X-Trueup-Incident", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert read["To"] == "c@d.org"
    assert " ".join(str(read["Subject"]).split()) == " ".join(for_header(text).split())
    assert not set(for_header(text)) & (SEEN | set(map(chr, range(32))))


@given(ANY, st.floats())
def test_no_text_is_a_formula_and_a_number_stays_one(text: str, number: float) -> None:
    """In a spreadsheet the text is shown; a negative number can still be summed."""
    shown = for_spreadsheet(text)
    assert isinstance(shown, str)
    assert not shown.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert shown.removeprefix("'") == text.removeprefix("'")
    assert for_spreadsheet(number) is number


@given(st.dictionaries(ANY, ANY, max_size=3))
def test_any_document_is_safe_to_look_at(document: dict[str, str]) -> None:
    """JSON on a terminal holds nothing that it would obey, and reads back the same."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace")
    with redirect_stdout(out):
        write_json(document)
    sys.stdout.flush()
    out.seek(0)
    said = out.read()
    assert json.loads(said) == document
    assert said == for_terminal(said)
