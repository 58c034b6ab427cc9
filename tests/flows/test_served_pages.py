"""The live pages over HTTP on loopback: who is answered, what is refused, and that nothing ends the server."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
import sqlalchemy as sa

import trueup
from tests.flows.test_schedule import free_port
from tests.made_checks import store_check
from tests.made_deployments import ONE_CANDIDATE, SETTINGS, deployed, with_champion
from trueup.flows.app import App, open_app
from trueup.flows.serve.pages import web
from trueup.flows.serve.pages.guard import FORM, MOST_BYTES
from trueup.flows.serve.pages.server import served_pages
from trueup.flows.serve.runner import RunningSchedule
from trueup.storage.check_lists import CheckFilter
from trueup.storage.errors import ModelUnusable

pytestmark = pytest.mark.whole_reports

HOSTILE = "</textarea></script><script>alert(1)</script><img src=x onerror=alert(2)> {{ 1234*4321 }} \u202egnp"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def words(self) -> str:
        """The text of the page, without its marks."""
        main = self.body.partition("<main")[2].partition("</main>")[0]
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


@dataclass(frozen=True)
class Pages:
    """Live pages, asked without a client's help, so that any header can be sent."""

    url: str
    app: App

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, host: str | None = None,
        **headers: str,
    ) -> Answer:  # fmt: skip
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True)
            if host != "":
                connection.putheader("Host", host or self.host)
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            if body is not None and "Transfer-Encoding" not in given:
                given["Content-Length"] = str(len(body))
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        finally:
            connection.close()

    def send(self, fields: Mapping[str, str], *, path: str = "/reviews/try.html", **headers: str) -> Answer:
        own = {"Origin": self.url, "Content_Type": FORM, "Sec_Fetch_Site": "same-origin"}
        return self.ask(path, method="POST", body=urlencode(fields).encode(), **{**own, **headers})


def held(app: App) -> dict[str, int]:
    """How many rows each table of the store has."""
    with app.database.read() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The live pages of a deployment with a champion."""
    app = with_champion(tmp_path_factory.mktemp("served"), more=ONE_CANDIDATE)
    with served_pages(app, free_port()) as url:
        yield Pages(url, app)
    app.close()


def test_a_review_is_answered_with_what_drove_it_and_nothing_is_kept(pages: Pages) -> None:
    """Prediction, probability, version and the words are on the page; the store holds what it held."""
    before = held(pages.app)
    answer = pages.send({"text": "This was broken and useless, a waste of money. It stopped working."})
    assert answer.status == 200
    assert "v1 answers" in answer.words
    assert re.search(r"with a probability of \d", answer.words)
    assert "What drove the answer" in answer.words
    assert "<svg" in answer.body
    assert "Nothing you enter is stored" in answer.words
    assert held(pages.app) == before


def test_a_blank_form_and_a_huge_text_get_plain_words(pages: Pages) -> None:
    """What would be refused as a record is refused here, in the same words; a form beyond the limit is not read."""
    assert "'text' is empty" in pages.send({"text": "  "}).words
    assert "'text' is empty" in pages.send({}).words
    huge = pages.send({"text": "word " * 200_000})
    assert (huge.status, "longer than 100,000 characters" in huge.words) == (200, True)
    assert len(huge.body) < 200_000
    beyond = pages.send({"text": "w" * (MOST_BYTES + 1)})
    assert (beyond.status, "larger than 4 MB" in beyond.body) == (413, True)


def test_a_form_that_lies_about_its_size_is_cut_off(pages: Pages) -> None:
    """Chunked bodies have no length to trust: reading stops at the limit."""
    piece = b"a" * 100_000
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for _ in range(MOST_BYTES // len(piece) + 1))
    headers = {"Origin": pages.url, "Content_Type": FORM, "Transfer_Encoding": "chunked"}
    assert pages.ask("/reviews/try.html", method="POST", body=body, **headers).status == 413


def test_hostile_text_stays_text(pages: Pages) -> None:
    """Nothing that was typed is markup, in the form, in the picture or in the sentences."""
    answer = pages.send({"text": HOSTILE, "<b>": "x"})
    assert answer.status == 200
    assert answer.body.count("<script>") == 1
    assert "<img" not in answer.body
    assert str(1234 * 4321) not in answer.body
    assert "\u202e" not in answer.body
    assert "&lt;/textarea&gt;" in answer.body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}", ""]
)
def test_another_host_is_refused(pages: Pages, host: str) -> None:
    """A name that somebody lets point to loopback is not answered (DNS rebinding)."""
    answer = pages.ask("/", host=host.format(port=pages.host.partition(":")[2]))
    assert answer.status in (400, 421)
    assert "reviews" not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"},
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
    ],
)  # fmt: skip
def test_a_form_of_another_page_is_refused(pages: Pages, headers: dict[str, str]) -> None:
    """Only our own page asks the model."""
    answer = pages.send({"text": "fine"}, **headers)
    assert (answer.status, "probability" in answer.body) == (403, False)


def test_other_sites_may_link_but_not_embed(pages: Pages) -> None:
    """A click from a mail shows the page; an image, script or frame of another site gets nothing."""
    away = {"Sec_Fetch_Site": "cross-site"}
    path = "/reviews/try.html"
    assert pages.ask(path, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document", **away).status == 200
    assert pages.ask(path, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe", **away).status == 403
    assert pages.ask(path, Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image", **away).status == 403


@pytest.mark.parametrize(
    "path", ["/reviews/try.html", "/nowhere", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//x"]
)
def test_every_answer_forbids_what_it_does_not_need(pages: Pages, path: str) -> None:
    """A strict content policy on pages, errors and refusals alike; no cookie, nothing kept by the browser."""
    for answer in (pages.ask(path), pages.ask(path, host="evil.example")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_reading_and_the_form(pages: Pages, method: str) -> None:
    """Other methods are refused; a form that is sent elsewhere is not read."""
    assert pages.ask("/", method=method).status in (400, 405)
    assert pages.send({"a": "b"}, path="/index.html").status == 405


def test_the_icon_that_browsers_ask_for_is_no_error(pages: Pages) -> None:
    """A browser's console stays empty."""
    assert pages.ask("/favicon.ico").status == 204


def test_a_broken_model_costs_a_message(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says what is wrong with the model in plain words, and the next request is answered."""

    def broken(*_: object) -> None:
        raise ModelUnusable("Version 1 of 'reviews' is registered but cannot be loaded, so it answers nothing.")

    with monkeypatch.context() as patch:
        patch.setattr("trueup.flows.serve.pages.trying_page.load_champion", broken)
        answer = pages.ask("/reviews/try.html")
        assert "cannot be loaded" in answer.words
        patch.setattr("trueup.flows.serve.pages.trying_page.load_champion", lambda *_: 1 / 0)
        failed = pages.ask("/reviews/try.html")
        assert failed.status == 500
        assert "division" not in failed.body
        assert "Traceback" not in failed.body
    assert pages.ask("/reviews/try.html").status == 200


def test_a_model_that_hangs_costs_a_message_too(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time limit the page says so, and its place is free again once the work ends."""
    go = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(web, "PAGE_SECONDS", 0.2)
        patch.setattr("trueup.flows.serve.pages.trying_page.load_champion", lambda *_: go.wait())
        for _ in range(3):
            assert "takes too long" in pages.ask("/reviews/try.html").words
        go.set()
    deadline = time.monotonic() + 30
    while pages.ask("/reviews/try.html").status != 200:
        assert time.monotonic() < deadline


def test_without_a_champion_the_page_says_what_to_do(tmp_path: Path) -> None:
    """Nobody can be asked before the first training."""
    app = deployed(tmp_path)
    with served_pages(app, free_port()) as url:
        answer = Pages(url, app).ask("/reviews/try.html")
    assert "trueup train" in answer.words
    assert "<form" not in answer.body
    app.close()


def test_a_taken_port_is_said_and_another_one_is_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The schedule does not wait for a port."""
    app = deployed(tmp_path)
    port = free_port()
    with served_pages(app, port) as first, served_pages(app, port) as second:
        assert first == f"http://127.0.0.1:{port}"
        assert second not in ("", first)
        assert f"port {port} is taken by another program" in caplog.text
    app.close()


def test_pages_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`trueup serve` says where its pages are, and without them nothing listens."""
    schedule = RunningSchedule(url="http://127.0.0.1:1", own_server=False, failed=threading.Event())
    monkeypatch.setattr("trueup.flows.serve.runner.serve", lambda *_, announce, **__: announce(schedule))
    more = '\n[streams.reviews.schedule]\ncron = "0 6 * * *"\n[serve]\n'
    said: list[str] = []
    for pages in ("false", "true"):
        file = tmp_path / "trueup.toml"
        file.write_text(SETTINGS.format(window=400) + f"{more}pages = {pages}\npages_port = {free_port()}\n")
        with trueup.open(file) as deployment:
            deployment.serve(announce=lambda streams, url, pages: said.append(pages))
    assert said[0] == ""
    assert said[1].startswith("http://127.0.0.1:")


def test_pages_that_nobody_looked_at_end_at_once(tmp_path: Path) -> None:
    """Waiting for a first look keeps no thread."""
    app = deployed(tmp_path)
    before = threading.active_count()
    with served_pages(app, free_port()):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    app.close()


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The live pages of a deployment with two stored checks, whose texts try to end a script."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "trueup.toml").write_text(SETTINGS.format(window=400))
    app = open_app(folder / "trueup.toml", None)
    store_check(app, "reviews", 0, plots=False)
    store_check(app, "reviews", 1)
    with served_pages(app, free_port()) as url:
        yield Pages(url, app)
    app.close()


def links_of(page: Answer, path: str) -> list[str]:
    """The addresses that a page links to or frames."""
    named = re.findall(r' (?:href|data-src)="(?!data:)([^"#]*)"', page.body)
    return sorted({urljoin(path, unescape(to)) for to in named})


def test_every_link_of_the_pages_leads_to_a_page(checked: Pages) -> None:
    """From the overview on, each address that a page names is answered, CSVs as files and nothing from elsewhere."""
    waiting, seen = ["/"], set[str]()
    before = held(checked.app)
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = checked.ask(path)
        assert answer.status == 200, path
        if path.endswith(".csv"):
            assert answer.headers["content-type"].startswith("text/csv")
        else:
            waiting += [to for to in links_of(answer, path) if to not in seen and to not in waiting]
    for kind in (
        "/index.html", "/try.html", "/models.html", "/quarantine.html", "/2024-01.html", "/checks/", ".csv",
        "-evidently.html",
    ):  # fmt: skip
        assert any(kind in path for path in seen), kind
    assert not [path for path in seen if "//" in path]
    assert held(checked.app) == before


def test_plots_of_evidently_are_alone_in_their_frame(checked: Pages) -> None:
    """What Evidently wrote runs in a sandbox without our origin, framed by our pages alone; no text ends its script."""
    report_id = checked.app.checks.page(CheckFilter(stream="reviews"), 1)[0][0].report_id
    check = checked.ask(f"/reviews/checks/{report_id}.html")
    assert 'sandbox="allow-scripts' in check.body
    assert "allow-same-origin" not in check.body
    plots = checked.ask(f"/reviews/checks/{report_id}-evidently.html")
    assert "sandbox allow-scripts;" in plots.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in plots.headers["content-security-policy"]
    assert "<script>alert(1)" not in plots.body
    script = re.findall(r'<script src="([^"]*)"', plots.body)
    found = checked.ask(urljoin("/reviews/checks/x.html", script[0]), Sec_Fetch_Site="cross-site")
    assert (found.status, found.headers["content-type"].partition(";")[0]) == (200, "text/javascript")


@pytest.mark.parametrize(
    "path", ["/reviews/1999-01.html", "/reviews/checks/0.html", "/reviews/incidents/0.html", "/nowhere/"]
)
def test_what_is_not_there_is_said(checked: Pages, path: str) -> None:
    """A page of something that never was, or was removed."""
    answer = checked.ask(path)
    assert (answer.status, "No such page" in answer.words) == (404, True)
