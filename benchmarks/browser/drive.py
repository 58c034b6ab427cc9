"""Every page that trueup makes, driven in headless Chromium: as desktop, phone, dark, on paper, without scripts.

    make browser
    .venv/bin/python -m benchmarks.browser.drive [--keep FOLDER] [--readme] [--only WORD]

A small deployment with hostile text in its records goes through drift, retraining and promotion; its site is built, its
served pages are asked, and a report and a replay are drawn. It fails where a page scrolls sideways,
axe-core finds a serious fault (contrast below 4.5:1 is one), hostile text runs, the console tells an error, or a
request leaves the machine. `--keep` keeps the pictures, with an index; `--readme` draws those
of the README from the demo.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from html import escape
from pathlib import Path

from benchmarks.browser.places import made_places, readme_places
from benchmarks.browser.visits import CLIENTS, Place, Visit, chromium, visited
from benchmarks.machine import ROOT, facts, said

AXE = Path(__file__).with_name("node_modules") / "axe-core" / "axe.min.js"
README_PICTURES = ROOT / "docs" / "pictures"
README_CLIENT = CLIENTS[0]


def drive(places: list[Place], folder: Path) -> list[Visit]:
    """Every page by every client, told as it goes; the pictures in `folder`."""
    axe, visits = AXE.read_text(encoding="utf-8"), []
    with chromium(_program()) as browser:
        for place in places:
            for client in CLIENTS:
                visit = visited(browser, place, client, axe, folder / f"{place.name}-{client.name}.png")
                first = "" if visit.first_view is None else f"{visit.first_view:5.0f} ms"
                print(f"{place.name:22} {client.name:14} {first:9} {'; '.join(visit.faults) or 'well'}", flush=True)
                visits.append(visit)
    (folder / "index.html").write_text(_index(visits), encoding="utf-8")
    return visits


def _index(visits: list[Visit]) -> str:
    shown = "".join(
        f'<figure><img src="{escape(v.page)}-{escape(v.client)}.png" loading="lazy" alt="">'
        f"<figcaption>{escape(f'{v.page}, {v.client}: ' + ('; '.join(v.faults) or 'well'))}</figcaption></figure>"
        for v in visits
    )
    style = "main{display:flex;flex-wrap:wrap;gap:1rem}img,figure{margin:0;width:390px}"
    return f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><style>{style}</style><main>{shown}</main></html>'


def _program() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found or not AXE.is_file():
        raise SystemExit("Chromium or axe-core is missing; get both: make browser")
    return found


def draw_for_readme(folder: Path) -> None:
    """The README's pictures, of the demo's pages."""
    README_PICTURES.mkdir(parents=True, exist_ok=True)
    axe = AXE.read_text(encoding="utf-8")
    with chromium(_program()) as browser, readme_places(folder) as places:
        for place in places:
            visited(browser, place, README_CLIENT, axe, README_PICTURES / f"{place.name}.png", whole=False)


def main() -> None:
    parser = argparse.ArgumentParser(description="Every page in a real browser.")
    parser.add_argument("--keep", type=Path, help="where the pictures stay, with an index of all")
    parser.add_argument("--only", default="", help="pages with this in their name")
    parser.add_argument("--readme", action="store_true", help="draw the README's pictures, and nothing else")
    given = parser.parse_args()
    _program()
    with tempfile.TemporaryDirectory(prefix="trueup-pages-") as scratch:
        if given.readme:
            draw_for_readme(Path(scratch))
            return
        folder = given.keep or Path(scratch) / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        with made_places(Path(scratch) / "deployment") as places:
            visits = drive([place for place in places if given.only in place.name], folder)
    slowest = max((v.first_view for v in visits if v.first_view is not None), default=0.0)
    bad = Counter(v.page for v in visits if v.faults)
    print(f"\n{len(visits)} visits of {len({v.page for v in visits})} pages; slowest first view {slowest:.0f} ms")
    print(said(facts()))
    if bad:
        sys.exit(f"faults on {', '.join(sorted(bad))}")


if __name__ == "__main__":
    main()
