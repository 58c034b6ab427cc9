"""Every place that shows what outsiders wrote shows it, and obeys none of it."""

from __future__ import annotations

import csv
import json
import logging
import mailbox
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import typer
from markdown_it import MarkdownIt
from typer.main import get_command

import trueup
from trueup.flows.check.stored_page import plots_page
from trueup.flows.cli.main import cli
from trueup.flows.cli.output import PlainLines
from trueup.flows.cycle.document import summary
from trueup.storage.escaping import for_terminal

pytestmark = pytest.mark.whole_reports

EVIL = "![x](https://evil.example/p)<img src=https://evil.example/q>[red]x[/a]\x1b[2J\x1b]0;t\x07\x9b31m\u202e\u2066:smile:"
COLUMN = "store <img src=x> ![c](https://evil.example/c) [red] \x9b2J\u202e"  # a header with C0 controls is refused
START = datetime(2024, 1, 1, tzinfo=UTC)
SETTINGS = f"""
[streams.r]
id = "id"
time = "at"
text = ["text"]
categorical = [{json.dumps(COLUMN)}]
label = {{ column = "label" }}
policy = {{ window = 200, reference = 400, min_labels = 50, confirm = 1, retrain_on = [] }}
training = {{ candidates = ["tests.plain_candidate:plain"] }}
gate = {{ leak = "allow" }}
"""  # one word tells the made labels
# What reads: every such command stands here with words of its own, every other one in NOT_WALKED.
WALKED = {
    "ingest": "FILE", "predict": "", "predict FILE": "FILE", "check": "", "cycle": "", "status": "", "doctor": "",
    "adopt": "", "feedback": "FEEDBACK", "init": "--from FILE --stream r", "quarantine list": "",
    "quarantine show": "ITEM", "quarantine release": "ITEM", "models list": "", "models show": "1",
    "models explain": "1", "models history": "",
    "models verify": "", "reports list": "", "reports show": "REPORT", "reports compare": "REPORT REPORT",
    "reports export": "REPORT", "site build": "", "signals": "", "export": "--to EVIL --csv",
    "data diff": "1 2000-01-01..2100-01-01",
    "erase": "--user EVIL --why EVIL --yes",
    "alerts list": "", "alerts show": "ALERT", "alerts ack": "INCIDENT",
    "alerts accept": "INCIDENT --why EVIL", "alerts silence": "INCIDENT --until 2d --why EVIL", "pause": "--why EVIL",
    "resume": "--why EVIL", "prune": "--dry-run", "runbook": "EVIL", "no such EVIL": "",
}  # fmt: skip
NOT_WALKED = {
    "train", "serve", "ui", "site open", "demo", "replay", "models promote", "models rollback", "models resume",
    "reports open", "alerts test", "alerts deliver",
}  # fmt: skip
HEADERS = {
    "Subject", "From", "To", "Date", "Message-ID", "In-Reply-To", "References", "List-Id", "Auto-Submitted",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip
OWN_CODES = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|1A)|\r")  # colours and bars, as rich writes them to a terminal


class Deployment:
    """A stream whose ids, levels, labels, column and file names are hostile, after a cycle that raised an alarm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "trueup.toml").write_text(SETTINGS, encoding="utf-8")
        history = self._file("history", 0, 600, START, timedelta(days=30), share=0.5)
        name = EVIL.replace("/", "")
        self.file = self._file(name, 600, 250, START + timedelta(days=30), timedelta(days=7), share=0.95)
        self.at = START + timedelta(days=37)
        with trueup.open(folder / "trueup.toml") as deployment:
            stream = deployment.stream("r")
            stream.ingest(str(history))
            stream.train(as_of=START + timedelta(days=30))
            stream.ingest(str(self.file))
            self.cycle = stream.cycle(as_of=self.at)
            (self.item, *_) = stream.quarantine.list()
            (self.report, *_) = stream.reports.list()
            (self.alert, *_) = stream.alerts.list().mails
            (self.incident, *_) = stream.alerts.incidents()

    def _file(self, name: str, first: int, rows: int, start: datetime, span: timedelta, share: float) -> Path:
        drawn = np.random.default_rng(first)
        file = self.folder / f"{name}.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            lines = csv.writer(out)
            lines.writerow(["id", "at", "text", COLUMN, "label", f"undeclared {COLUMN}"])
            for k in range(rows):
                good = drawn.random() < 0.5
                store = EVIL if drawn.random() < share else "b"
                at = (start + (k + 1) * span / (rows + 2)).isoformat()
                words = f"{'good fine' if good else 'bad poor'} {EVIL} w{drawn.integers(30)} x{first + k}"
                lines.writerow([f"{EVIL} {first + k}", at, words, store, f"{EVIL}{good}", EVIL])
            lines.writerow([f"{EVIL} last", f"never {EVIL}", "text", "b", "", ""])
        return file


    def arguments(self, words: str, folder: Path) -> list[str]:
        """A command's words with what they stand for."""
        feedback = folder / "feedback.csv"
        feedback.write_text(f'record_id,at,kind,value,user\n"{EVIL} 1",{self.at:%Y-%m-%d},label,{EVIL},{EVIL}\n')
        meant = {
            "FILE": str(self.file), "FEEDBACK": str(feedback), "ITEM": self.item.id, "REPORT": self.report.report_id,
            "ALERT": self.alert.id, "INCIDENT": self.incident.id, "EVIL": EVIL,
        }  # fmt: skip
        given = [meant.get(word, word) for word in f"{words.removesuffix(' FILE')} {WALKED[words]}".split()]
        config = folder / "new.toml" if words == "init" else self.folder / "trueup.toml"
        as_of = ["--as-of", self.at.isoformat()] if words in ("check", "cycle") else []
        return [*given, *as_of, "--config", str(config)]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return Deployment(tmp_path_factory.mktemp("hostile"))


def test_every_command_is_walked_or_named() -> None:
    """A new command that reads comes into this walk."""
    group = get_command(cli) if isinstance(cli, typer.Typer) else cli
    found = set()
    context = group.make_context("trueup", [], resilient_parsing=True)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = command.list_commands(context) if hasattr(command, "list_commands") else [""]
        found |= {f"{name} {each}".strip() for each in inner}
    assert found == ({*WALKED} - {"no such EVIL", "predict FILE"}) | NOT_WALKED


@pytest.mark.parametrize("words", WALKED)
@pytest.mark.parametrize("more", [(), pytest.param(("--json",), marks=pytest.mark.slow)], ids=["people", "json"])
def test_no_command_obeys_an_outsider(
    deployment: Deployment, words: str, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    """On a terminal, in colours, nothing of them is left that it would obey; and no command ends in a traceback."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "5000")
    monkeypatch.chdir(tmp_path)
    arguments = deployment.arguments(words, tmp_path) + list(more)
    with pytest.raises(SystemExit):
        cli(arguments)
    out, err = capfd.readouterr()
    for said in (OWN_CODES.sub("", out), OWN_CODES.sub("", err)):
        assert said == for_terminal(said)
    if more and words != "no such EVIL":
        json.loads(out)


LOADING = frozenset({"src", "srcset", "srcdoc", "href", "xlink:href", "data", "data-src", "action", "poster", "style"})


def test_a_report_shows_outsiders_and_fetches_nothing(deployment: Deployment) -> None:
    """No element of the page comes of them, neither ours nor one of Evidently's Markdown, nor a link in a plot."""
    report = deployment.report
    own = report.html().decode()
    page = plots_page(report._app, report.stream, report.report_id, script=None, mask=False).decode()
    assert "evil.example" in own
    assert "evil.example" in page
    loads = [
        value for one in (own, page) for _, attributes in Elements(one).found for name, value in attributes
        if value and name in LOADING
    ]  # fmt: skip
    assert not [value for value in loads if "evil" in value]
    data = json.loads(re.search(r"var trueup_report = (\{.*?\}); var additional", page, re.DOTALL)[1])  # type: ignore[index]
    said = [test["description"] for test in texts_with(data, "description")]
    assert any("evil" in one for one in said)
    assert not {kind for one in said for kind in kinds_of(one)} & OBEYED
    graphs = json.loads(re.search(r"var additional_graphs_trueup_report = (\{.*?\});</script>", page, re.DOTALL)[1])  # type: ignore[index]
    assert not re.search(r"<(?:img|a)\b", json.dumps([graphs, texts_with(data, "layout")]))


def test_a_mail_shows_outsiders_in_its_own_headers_and_elements(deployment: Deployment) -> None:
    """The subject is one line, no header is added, and the page of the mail loads nothing."""
    mails = [
        message_from_bytes(mail.as_bytes(), policy=default)
        for mail in mailbox.Maildir(deployment.folder / ".trueup" / "mail")
    ]
    assert mails
    for mail in mails:
        added = {name for name in mail if not name.startswith("X-Trueup-")} - HEADERS
        assert not added
        bodies = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]  # type: ignore[union-attr]
        for text in (str(mail["Subject"]), *bodies):
            assert text == for_terminal(text)
        loads = [value for _, attributes in Elements(bodies[1]).found for _, value in attributes if value]
        assert not [value for value in loads if "evil" in value]
    assert any("store" in mail.get_body(("plain",)).get_content() for mail in mails)  # type: ignore[union-attr]


def test_prefects_page_of_a_cycle_obeys_no_outsider(deployment: Deployment) -> None:
    """Its Markdown shows ids, levels and names as text."""
    page = summary(dict(deployment.cycle.document))
    assert "evil" in page
    assert not set(kinds_of(page)) & OBEYED


def test_log_lines_obey_no_outsider() -> None:
    """A file or a server's reply in a log line moves no cursor."""
    said = PlainLines("%(message)s").format(logging.makeLogRecord({"msg": "%s", "args": (EVIL,)}))
    assert said == for_terminal(EVIL)


OBEYED = {"link_open", "image", "html_block", "html_inline"}


def kinds_of(text: str) -> Iterator[str]:
    """What a Markdown page with tables makes of a text."""
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table"]).parse(text):
        yield from (token.type, *(inner.type for inner in token.children or ()))


def texts_with(data: object, key: str) -> list[dict[str, object]]:
    """All tables within a document that have a key."""
    if isinstance(data, list):
        return [found for inner in data for found in texts_with(inner, key)]
    if not isinstance(data, dict):
        return []
    own = [data] if isinstance(data.get(key), str | dict) else []
    return own + [found for inner in data.values() for found in texts_with(inner, key)]


class Elements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))
