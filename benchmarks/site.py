"""What the site of a stream with a year of hourly checks costs: built from nothing, one cycle later, and looked at.

    python -m benchmarks.site [--checks N] [--to FOLDER]

Seconds are wall time and processor time in an open deployment, so without start-up; the first view is chromium's.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.machine import facts, said
from benchmarks.page import table
from benchmarks.reports import CODES, made_check
from trueup.flows.app import App, open_app
from trueup.flows.site.build import SiteBuild, build_site
from trueup.flows.site.layout import OVERVIEW, page_of_check, page_of_month, page_of_stream
from trueup.storage import tables as t
from trueup.storage.signal_rows import signal_row

STREAM, YEAR = "reviews", 8_760
START = datetime(2023, 1, 1, tzinfo=UTC)
SETTINGS = '[streams.reviews]\nid = "id"\ntime = "at"\ntext = ["text"]\n[streams.reviews.label]\ncolumn = "stars"\n'
_AT_ONCE = 500  # checks that are stored together


def store_hourly(app: App, first: int, last: int) -> str:
    """Store the checks of these hours, each as large as one of the reviews; the id of the last."""
    drawn, report_id = random.Random(first), ""
    for begin in range(first, last, _AT_ONCE):
        checks, signals = [], []
        for hour in range(begin, min(begin + _AT_ONCE, last)):
            report_id, at = f"{drawn.getrandbits(48):012x}", START + timedelta(hours=hour)
            document = made_check(report_id, drawn).as_json()
            checks.append({
                "id": report_id, "stream": STREAM, "cycle_id": None, "as_of": at, "version": 1 + hour // 500,
                "counted": True, "document": document, "made_at": at,
            })  # fmt: skip
            signals += [signal_row(report_id, signal) for signal in document["signals"]]
        with app.database.write() as connection:
            connection.execute(t.checks.insert(), checks)
            connection.execute(t.signals.insert(), signals)
    return report_id


def timed(call: Callable[[], SiteBuild]) -> tuple[SiteBuild, float, float]:
    """What it did, its seconds by the clock, and of the processor."""
    began, processor = time.perf_counter(), time.process_time()
    done = call()
    return done, time.perf_counter() - began, time.process_time() - processor


def first_view(page: Path) -> float | None:
    """Seconds from the start of navigation to the end of `load`, as chromium measures them; None without chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        measuring = Path(scratch, "measure.html")
        measuring.write_text(
            f'<iframe src="{page.as_uri()}" onload="document.title=performance.now()"></iframe><p id="out"></p>'
            "<script>addEventListener('load',()=>{document.getElementById('out').textContent=performance.now()})</script>"
        )
        seen = subprocess.run(
            [chromium, "--headless=new", "--no-sandbox", "--allow-file-access-from-files", "--dump-dom",
             measuring.as_uri()],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    found = re.search(r'<p id="out">([\d.]+)', seen.stdout)
    return float(found[1]) / 1000 if found else None


def main() -> None:
    parser = argparse.ArgumentParser(description="What the site of a stream with a year of hourly checks costs.")
    parser.add_argument("--checks", type=int, default=YEAR)
    parser.add_argument("--to", type=Path, help="keep the site there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "trueup.toml").write_text(SETTINGS)
        with closing(open_app(folder / "trueup.toml", folder / ".trueup")) as app:
            store_hourly(app, 0, given.checks)
            to = str(given.to or folder / "site")
            rows = []
            for what in ("from nothing", "one check more", "nothing new"):
                if what == "one check more":
                    newest = store_hourly(app, given.checks, given.checks + 1)
                done, wall, processor = timed(lambda: build_site(app, to, streams=[STREAM], mask=True))
                rows.append((what, f"{wall:.1f}", f"{processor:.1f}", f"{done.made:,}", f"{done.written:,}"))
        print(f"{given.checks:,} hourly checks of {len(CODES)} signals, masked. {said(facts())}\n")
        print(table(("build", "s", "processor s", "pages made", "files written"), rows))
        shown = []
        pages = (OVERVIEW, page_of_stream(STREAM), page_of_month(STREAM, START.date()), page_of_check(STREAM, newest))
        for page in pages:
            file, seconds = Path(to, page), first_view(Path(to, page))
            shown.append((page, f"{file.stat().st_size / 1e3:,.0f}", "" if seconds is None else f"{seconds:.2f}"))
        whole = sum(file.stat().st_size for file in Path(to).rglob("*") if file.is_file())
        print(table(("page", "kB", "first view, s"), shown))
        print(f"{whole / 1e6:,.0f} MB in all")


if __name__ == "__main__":
    main()
