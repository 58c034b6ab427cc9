"""The demo: the whole loop on a made stream with a known break, and a quiet stream beside it.

Nothing is staged: reviews are made by a seeded generator, written to files, and taken through the same commands'
code as in production; what is told is read back from what that code returned.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.cli.session import answers, show
from trueup.flows.cycle.document import outcome
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import BROKEN, HEALTHY, Regime, make_reviews
from trueup.flows.site.build import build_site

START = datetime(2024, 1, 1, tzinfo=UTC)
HISTORY = timedelta(days=49)
WEEK = timedelta(days=7)
A_WEEK = 400  # reviews, one window
SEED = 7


@dataclass(frozen=True)
class Scene:
    """A stream of the demo: how each week after training is made."""

    stream: str
    weeks: tuple[Regime, ...]


SCENES = (
    Scene("reviews", (HEALTHY,) * 2 + (BROKEN,) * 3),
    Scene("steady", (HEALTHY,) * 3),
)


def run_demo(folder: Path | None, *, as_json: bool) -> None:
    """Run both streams in `folder` (a new one where it is None) and tell what happened.

    Raises:
        TrueupError: as the commands do.
    """
    started = time.monotonic()
    place = folder or Path(tempfile.mkdtemp(prefix="trueup-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("demo.toml"), place / "trueup.toml")
    console = answers() if not as_json else None
    cycles: dict[str, list[dict[str, Any]]] = {}
    with _opened(place) as app:
        for scene in SCENES:
            cycles[scene.stream] = _play(app, scene, place, console)
        if console:
            _ending(app, place, console, time.monotonic() - started)
        else:
            show(True, {"home": app.home, "cycles": cycles})


@contextmanager
def _opened(place: Path) -> Iterator[App]:
    app = open_app(place / "trueup.toml", place / ".trueup")
    try:
        yield app
    finally:
        app.close()


def _play(app: App, scene: Scene, place: Path, console: Any) -> list[dict[str, Any]]:
    stream = app.stream(scene.stream)
    seed = SEED + len(scene.weeks)
    _say(console, f"\n[bold]{scene.stream}[/bold]")
    _take(app, scene, place, "history", seed, START, HISTORY, HEALTHY, A_WEEK * HISTORY // WEEK, console)
    at = START + HISTORY
    trained = train_now(app, stream, at)
    winner = next(c for c in trained["candidates"] if c["winner"])
    told = "is champion" if trained["promotion"] else "was refused"
    _say(
        console,
        f"  trained {len(trained['candidates'])} candidates; v{trained['version']} "
        f"({winner['model']} on {winner['feature']}) {told}",
    )
    done = []
    for number, regime in enumerate(scene.weeks, start=1):
        _take(app, scene, place, f"week{number}", seed + number, at, WEEK, regime, A_WEEK, None)
        at += WEEK
        cycle = run_cycle(app, stream, at)
        done.append(cycle)
        made = "" if regime == HEALTHY else "  (made with new topics and slang)"
        _say(console, f"  week {number}: [bold]{outcome(cycle)}[/bold]{made}")
        for signal in (cycle["check"] or {"signals": []})["signals"]:  # none where the first training was refused
            if signal["verdict"] == "breached":
                _say(console, f"      {signal['code']}: {signal['said']}", plain=True)
        for test in (cycle["gate"] or {"tests": []})["tests"]:
            told = "passed" if test["passed"] else "failed"
            _say(console, f"      {test['code']} {told}: {test['said']}", plain=True)
        for state, subject in dict.fromkeys((alert["state"], alert["subject"]) for alert in cycle["alerts"]):
            _say(console, f"      mail ({state}): {subject}", plain=True)
    return done


def _take(
    app: App,
    scene: Scene,
    place: Path,
    name: str,
    seed: int,
    start: datetime,
    span: timedelta,
    regime: Regime,
    rows: int,
    console: Any,
) -> None:
    file = place / "incoming" / f"{scene.stream}-{name}.csv"
    file.parent.mkdir(exist_ok=True)
    days = span / timedelta(days=1)
    make_reviews(seed, start, days, rows, regime).to_csv(file, index=False)
    done = ingest(app.store, app.stream(scene.stream), [str(file)], now=app.now())
    _say(console, f"  took in {done.accepted} reviews of {days:.0f} days")


def _say(console: Any, text: str, *, plain: bool = False) -> None:
    if console:
        console.print(text, markup=not plain, soft_wrap=True)


def _ending(app: App, place: Path, console: Any, seconds: float) -> None:
    reports = app.cycles.reports("reviews", limit=None)
    breached = next((r for r in reports if any(s["verdict"] == "breached" for s in r["document"]["signals"])), None)
    told = app.outbox.newest(limit=None)
    mails = {delivery.message_id for notice in told for delivery in notice.deliveries if delivery.message_id}
    quiet = [a for a in told if a.stream == "steady" and a.kind != "promotion"]
    site = build_site(app, str(place / "site"))
    console.print(
        f"\nDone in {seconds:.0f} s: {len(mails)} mails on 'reviews' and 'steady', {len(quiet)} of them alarms of the "
        f"quiet one. Look around:\n"
        f"  cd {place}\n"
        f"  trueup status\n"
        f"  trueup alerts list                      the mails lie in {app.home / 'mail'}\n"
        f"  trueup models history --stream reviews\n"
        f"  trueup reports open {breached['id'] if breached else 'ID'}\n"
        f"Or open the page of all of it in a browser:\n"
        f"  {site.index}",
        markup=False,
        soft_wrap=True,
    )
