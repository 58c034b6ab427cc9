"""What a real browser finds on a page: width, contrast, faults for screen readers, scripts that ran, requests out.

Chromium is driven by Playwright; the rules for people with impairments are axe-core's (its npm package).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HIT = "trueupHit"  # what hostile text on a page would set on `window`, if it ran
_GRAVE = ("serious", "critical")
_INNER = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:", "http://localhost:")
_FRAMES_MS = 30_000  # for Evidently's plots to stand


@dataclass(frozen=True)
class Client:
    """One way of looking at a page. opened: whether everything that folds is opened first."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"] = "light"
    media: Literal["screen", "print"] = "screen"
    scripts: bool = True
    opened: bool = False


CLIENTS = (
    Client("desktop", 1280, 900),
    Client("desktop-dark", 1280, 900, scheme="dark"),
    Client("phone", 390, 844),
    Client("phone-dark", 390, 844, scheme="dark"),
    Client("phone-opened", 390, 844, opened=True),
    Client("print", 794, 1123, media="print"),
    Client("no-script", 390, 844, scripts=False),
)


@dataclass(frozen=True)
class Place:
    """A page by its address. act: what is done on it before anybody looks, as a person would.

    ours: whether axe-core judges it; what Evidently's own script draws is shown as it is.
    """

    name: str
    address: str
    act: Callable[[Page], None] | None = None
    ours: bool = True


@dataclass(frozen=True)
class Visit:
    """One page seen by one client. first_view: milliseconds to the first content; None: not told without scripts."""

    page: str
    client: str
    first_view: float | None
    faults: tuple[str, ...]


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """A headless Chromium.

    Raises:
        playwright.sync_api.Error: `program` is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def visited(browser: Browser, place: Place, client: Client, axe: str, picture: Path, *, whole: bool = True) -> Visit:
    """Open a page as this client does, look for faults, and draw it to `picture`, whole or its first screen.

    axe: the source of axe-core.
    """
    context = browser.new_context(
        viewport={"width": client.width, "height": client.height},
        color_scheme=client.scheme,
        java_script_enabled=client.scripts,
    )
    faults: list[str] = []
    page = context.new_page()
    page.on("request", lambda r: None if r.url.startswith(_INNER) else faults.append(f"asks {r.url[:100]}"))
    page.on("pageerror", lambda error: faults.append(f"script failed: {str(error)[:150]}"))
    page.on("console", lambda m: faults.append(f"console: {m.text[:150]}") if m.type == "error" else None)
    page.goto(place.address)
    if place.act is not None:
        place.act(page)
    page.emulate_media(media=client.media, color_scheme=client.scheme)  # a form is not on paper
    if client.opened:
        _open_all(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > client.width:
        faults.append(f"{width} px wide: sideways scroll")
    if client.scripts and place.ours:
        faults += _faults_of_axe(page, axe)
    faults += [f"hostile text ran in {frame.url[:60]}" for frame in page.frames if _hit(frame)]
    first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    page.screenshot(path=str(picture), full_page=whole)
    context.close()
    return Visit(place.name, client.name, first, tuple(dict.fromkeys(faults)))


def _open_all(page: Page) -> None:
    """Open what folds, in turn, and wait until the frames within stand."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.wait_for_load_state("networkidle")
    for frame in page.frames[1:]:
        frame.wait_for_load_state("load", timeout=_FRAMES_MS)


def _faults_of_axe(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'], iframes: false})"
    )
    return [
        f"axe {rule['id']} ({rule['impact']}): {node['target'][0]} {node['failureSummary'].splitlines()[-1]}"[:240]
        for rule in found["violations"]
        if rule["impact"] in _GRAVE
        for node in rule["nodes"][:3]
    ]


def _hit(frame: Any) -> bool:
    return bool(frame.evaluate(f"window.{HIT} !== undefined"))
