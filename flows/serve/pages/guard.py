"""Which requests the pages answer, and what every answer forbids the browser. Pure: headers in, a verdict out.

A loopback address keeps other machines out, not other web pages: a page that somebody visits can send requests to
127.0.0.1, and under a name of its own that it lets point there (DNS rebinding) read the answers too. So the Host has to
be loopback with our port, what changes or computes has to come from a page of ours (Origin, and Sec-Fetch-Site of
https://www.w3.org/TR/fetch-metadata/), and other pages may link to ours but neither frame nor read them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from trueup.flows.site.layout import ASSETS

_NAMES = ("127.0.0.1", "localhost", "[::1]")
READ_METHODS, SEND_METHOD = ("GET", "HEAD"), "POST"
FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 4_000_000  # of a form: texts of the length that is taken in, each byte written with three
_ASSETS = f"/{ASSETS}/"  # libraries, which a sandboxed frame asks for as if from elsewhere

_OURS = ("same-origin", "none")  # none: typed, or a bookmark

NO_CONTENT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
EVERY_ANSWER = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser hides the Origin of our own form
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex",
    # what says nothing else of itself:
    "Content-Security-Policy": NO_CONTENT_POLICY,
    "Cache-Control": "no-store",
}
# What Evidently wrote runs its script, and cannot reach our pages, the network or the window around it.
FRAMED = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered: the status, and a sentence for who sent it."""

    status: HTTPStatus
    words: str


def hosts_of(port: int) -> tuple[str, ...]:
    """The Hosts that the pages at this port are asked by; on port 80 browsers leave it out."""
    return tuple(f"{name}:{port}" for name in _NAMES) + (_NAMES if port == 80 else ())


def refusal_of(method: str, path: str, headers: Sequence[tuple[str, str]], port: int) -> Refusal | None:
    """Why a request is refused before anything is done for it; None: it is answered.

    Args:
        headers: names in lower case, as often as they came.
        port: at which the pages are.
    """
    given: dict[str, list[str]] = {}
    for name, value in headers:
        given.setdefault(name, []).append(value.strip())
    if method not in (*READ_METHODS, SEND_METHOD):
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "These pages are read with GET; only a form is sent with POST.")
    host = [value.lower() for value in given.get("host", [])]
    if len(host) != 1 or host[0] not in hosts_of(port):
        return Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"These pages are shown on this machine only, at http://127.0.0.1:{port}. Through an SSH tunnel, use the "
            f"same port on your side: ssh -L {port}:127.0.0.1:{port} …",
        )
    site = given.get("sec-fetch-site", ["none"])
    if method == SEND_METHOD:
        if given.get("origin") != [f"http://{host[0]}"] or any(value not in _OURS for value in site):
            return Refusal(HTTPStatus.FORBIDDEN, "A form is taken only from the page that holds it, on this address.")
        return _of_body(given)
    navigates = given.get("sec-fetch-mode") == ["navigate"] and given.get("sec-fetch-dest") == ["document"]
    if any(value not in _OURS for value in site) and not navigates and not path.startswith(_ASSETS):
        return Refusal(HTTPStatus.FORBIDDEN, "Other sites may link to these pages, but not show or read them.")
    return None


def _of_body(given: dict[str, list[str]]) -> Refusal | None:
    kind = given.get("content-type", [""])[0].partition(";")[0].strip().lower()
    if kind != FORM:
        return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A form is sent as {FORM}.")
    length = given.get("content-length", ["0"])[0]
    if length.isascii() and length.isdigit() and (len(length) > 9 or int(length) > MOST_BYTES):
        return too_large()
    return None


def too_large() -> Refusal:
    """Of a body with more than `MOST_BYTES`."""
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The form is larger than {MOST_BYTES // 1_000_000} MB, so it was not read."
        " A text can have 100,000 characters.",
    )
