"""Mails as clients show them: pictures of each in headless Chromium, and whether any is wider than its screen.

    python -m benchmarks.alerts.screenshots FOLDER

FOLDER is searched for `.eml` files (of `benchmarks.alerts.scenes`, of `benchmarks.alerts.events --keep`, or a Maildir
of a deployment); beside each lie its pictures afterwards, and in FOLDER an `index.html` of all. Six ways: a desktop, a
phone (390 px), both dark by the system's setting, a phone whose client takes `<style>` away and forces dark (as Gmail's
apps do), and a phone without pictures. Needs `chromium` (Debian's package).
"""

from __future__ import annotations

import argparse
import base64
import email
import html
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

# The width is measured within a frame: Chromium's own window is 500 px at the least where it only dumps a page.
_MEASURED = """<!DOCTYPE html><iframe id="mail" width="{width}" height="900" srcdoc="{page}"></iframe>
<script>onload = () => document.title =
"width " + document.getElementById("mail").contentDocument.documentElement.scrollWidth</script>"""


@dataclass(frozen=True)
class Client:
    """One way of showing a mail. flags: of Chromium. styled: whether `<style>` is kept; pictures: whether shown."""

    name: str
    width: int
    height: int
    flags: tuple[str, ...] = ()
    styled: bool = True
    pictures: bool = True


_DARK, _FORCED = "--blink-settings=preferredColorScheme=0", "--blink-settings=forceDarkModeEnabled=true"
CLIENTS = (
    Client("desktop", 900, 1500),
    Client("phone", 390, 1800),
    Client("desktop-dark", 900, 1500, (_DARK,)),
    Client("phone-dark", 390, 1800, (_DARK,)),
    Client("phone-forced-dark", 390, 1800, (_FORCED,), styled=False),
    Client("phone-no-pictures", 390, 1800, pictures=False),
)


def page_of(message: EmailMessage, client: Client) -> str:
    """The HTML of a mail as this client gets it, its picture within."""
    body = message.get_body(("html",))
    page = str(body.get_content()) if body else f"<pre>{html.escape(str(message.get_payload()))}</pre>"
    for part in message.walk():
        if part.get_content_maintype() == "image" and part["Content-ID"]:
            data = base64.b64encode(part.get_payload(decode=True) or b"").decode()
            source = f"data:image/png;base64,{data}" if client.pictures else "cid:not-loaded"
            page = page.replace(f"cid:{part['Content-ID'].strip('<>')}", source)
    return page if client.styled else re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


def shoot(page: str, client: Client, picture: Path) -> int:
    """Draw a page; its width in pixels, which is the client's where nothing sticks out.

    Raises:
        CalledProcessError: Chromium failed.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or "google-chrome"
    with tempfile.TemporaryDirectory(prefix="trueup-shot-") as folder:
        file, measured = Path(folder) / "mail.html", Path(folder) / "measured.html"
        file.write_text(page, encoding="utf-8")
        measured.write_text(_MEASURED.format(width=client.width, page=html.escape(page)), encoding="utf-8")
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/p",
            f"--window-size={client.width},{client.height}", *client.flags,
        ]  # fmt: skip
        drawn: dict[str, Any] = {"check": True, "capture_output": True, "timeout": 120}
        subprocess.run([*command, f"--screenshot={picture.absolute()}", file.as_uri()], **drawn)
        dumped = subprocess.run([*command, "--dump-dom", measured.as_uri()], **drawn).stdout.decode()
    found = re.search(r"<title>width (\d+)</title>", dumped)
    return int(found[1]) if found else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", nargs="*", default=[client.name for client in CLIENTS])
    asked = parser.parse_args()
    shown, wide = [], []
    for file in sorted(asked.folder.rglob("*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        cells = []
        for client in (c for c in CLIENTS if c.name in asked.clients):
            picture = file.with_name(f"{file.stem}-{client.name}.png")
            width = shoot(page_of(message, client), client, picture)
            if width > client.width:
                wide.append(f"{picture.name}: {width} px")
            cells.append(f'<img src="{picture.relative_to(asked.folder)}" height="700" loading="lazy">')
        named = html.escape(f"{file.relative_to(asked.folder)}: {message['Subject']}")
        shown.append(f"<h2>{named}</h2>{''.join(cells)}")
        print(named, flush=True)
    (asked.folder / "index.html").write_text("<!DOCTYPE html><meta charset=utf-8>" + "".join(shown), encoding="utf-8")
    print(f"{len(shown)} mails, {len(wide)} pictures wider than their screen {wide}")


if __name__ == "__main__":
    main()
