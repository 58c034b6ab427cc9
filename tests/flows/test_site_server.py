"""The built site on loopback: its files, their types, and no way out of the folder."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from trueup.flows.serve.site_server import file_at, site_server
from trueup.storage.errors import InputError


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadingHTTPServer]:
    tmp_path = tmp_path_factory.mktemp("served")
    root = tmp_path / "site"
    (root / "reviews").mkdir(parents=True)
    (root / "index.html").write_text("<p>é", encoding="utf-8")
    (root / "reviews" / "index.html").write_text("reviews")
    (root / "reviews" / "index-metric.csv").write_text("a,b")
    (root / "reviews" / ".index.html.part").write_text("half")
    (root / "trueup-site.json").write_text("{}")
    (tmp_path / "secret.html").write_text("secret")
    (root / "way-out.html").symlink_to(tmp_path / "secret.html")
    with site_server(root, 0) as server:
        runs = threading.Thread(target=server.serve_forever)
        runs.start()
        yield server
        server.shutdown()
        runs.join()


def asked(server: ThreadingHTTPServer, path: str, method: str = "GET", host: str = "") -> tuple[int, str | None, bytes]:
    port = server.server_address[1]
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.request(method, path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = line.getresponse()
    told = answer.status, answer.getheader("Content-Type"), answer.read()
    line.close()
    return told


def test_pages_come_with_their_type(served: ThreadingHTTPServer) -> None:
    """A folder is its index; CSV and pages say their charset; HEAD has no body."""
    assert asked(served, "/") == (200, "text/html; charset=utf-8", "<p>é".encode())
    assert asked(served, "/reviews/?x=1") == (200, "text/html; charset=utf-8", b"reviews")
    assert asked(served, "/reviews/index-metric.csv") == (200, "text/csv; charset=utf-8", b"a,b")
    assert asked(served, "/", method="HEAD") == (200, "text/html; charset=utf-8", b"")
    assert asked(served, "/", host=f"localhost:{served.server_address[1]}")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/../secret.html", "/%2e%2e/secret.html", "/reviews/..%2f..%2fsecret.html", "/way-out.html", "//etc/passwd", "/a",
     "/reviews/.index.html.part", "/trueup-site.json", "/reviews/..\\..\\secret.html", "/%00"],
)  # fmt: skip
def test_nothing_else_is_served(served: ThreadingHTTPServer, path: str) -> None:
    """Neither what lies outside, also by a link, nor half-written files, nor what is no page."""
    status, _, body = asked(served, path)
    assert status == 404
    assert b"secret" not in body.replace(b"secret.html", b"")


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1", "localhost:1", "evil.org:80@127.0.0.1"])
def test_another_name_is_refused(served: ThreadingHTTPServer, host: str) -> None:
    """A page of another site cannot read it by pointing its own name at loopback."""
    assert asked(served, "/", host=host)[0] == 421


def test_only_reading(served: ThreadingHTTPServer) -> None:
    """Whatever else is asked is not done."""
    assert asked(served, "/", method="POST")[0] == 501


def test_a_taken_port_is_said(served: ThreadingHTTPServer, tmp_path: Path) -> None:
    """By its number, and with a way out; a number that is no port as well."""
    for port in (served.server_address[1], 70_000):
        with pytest.raises(InputError, match=f"Port {port} of 127.0.0.1 cannot be used"), site_server(tmp_path, port):
            pass


def test_an_empty_path_is_no_file(tmp_path: Path) -> None:
    """A request line of a broken client names nothing."""
    assert file_at(tmp_path, "*") is None
