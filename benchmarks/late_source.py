"""What a part of a feed that reports late does to checks: nobody waits for it, trueup measures it, the settings say it.

    python -m benchmarks.late_source

Two stores, 40 reviews a day each, alike in all; one of them reports some days late. A champion of the first 30 days,
then a check at the end of each of 24 days.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pandas as pd

from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.check import comparison
from trueup.flows.check.champion import champion_of
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.monitoring.check import Verdict
from trueup.monitoring.signals.measure import measure

START, DAY = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=1)
HISTORY, CHECKED, PER_DAY = 30, 24, 40
LAGS = (0, 1, 3, 5, 10)
STORES = ("ios", "android")  # the second reports late
SETTINGS = """
[streams.reviews]
id = "review_id"
time = "at"
text = ["text"]
categorical = ["store"]
[streams.reviews.label]
column = "stars"
classes = { negative = "<=2", positive = ">=4" }
[streams.reviews.policy]
window = 400
[streams.reviews.training]
time_limit = "5s"
"""


def fed(folder: Path, lag: int) -> App:
    """A deployment after its champion was trained on what had come in 30 days; the days after lie in files."""
    (folder / "trueup.toml").write_text(SETTINGS, encoding="utf-8")
    app = open_app(folder / "trueup.toml", folder / "home")
    days = {s: [_day(d, s) for d in range(HISTORY + CHECKED)] for s in STORES}
    for day in range(HISTORY + CHECKED):
        came = [days["ios"][day], *([days["android"][day - lag]] if day >= lag else [])]
        pd.concat(came).to_csv(folder / f"{day}.csv", index=False)
    stream = app.stream("reviews")
    ingest(app.store, stream, [str(folder / f"{day}.csv") for day in range(HISTORY)], now=app.now())
    train_now(app, stream, START + HISTORY * DAY)
    return app


def breached(app: App, folder: Path, lag: int) -> dict[str, Counter[str]]:
    """How many checks breached by code, one a day, each with what had come by then, for each way to wait."""
    stream = app.stream("reviews")
    policy = stream.policy.model_copy(update={"settle": f"{lag + 1}d"})
    told = stream.model_copy(update={"policy": policy})
    found: dict[str, Counter[str]] = {}
    for day in range(HISTORY, HISTORY + CHECKED):
        ingest(app.store, stream, [str(folder / f"{day}.csv")], now=app.now())
        for way, asked in (("nobody", stream), ("measured", stream), ("settle", told)):
            with mock.patch.object(comparison, "late_part_of", _never if way == "nobody" else comparison.late_part_of):
                compared = comparison.compare_window(app, asked, champion_of(app, stream), START + (day + 1) * DAY)
            signals, _ = measure(asked, compared.comparison)
            codes = {s.code for s in signals if s.verdict is Verdict.BREACHED}
            own = found.setdefault(way, Counter())
            own.update(codes | ({"any"} if codes else set()) | ({"full"} if compared.window.full else set()))
    return found


def _day(number: int, store: str) -> pd.DataFrame:
    seed = 1 + 2 * number + STORES.index(store)
    made = make_reviews(seed, START + number * DAY, 1, PER_DAY, HEALTHY)
    return made.assign(store=store, review_id=[f"{store}-{number}-{k}" for k in range(len(made))])


def _never(*_: object) -> None:
    return None


def main() -> None:
    ways = ("nobody", "measured", "settle")
    print("| days late | nobody waits | as measured | `settle` set |\n|---|---|---|---|")
    for lag in LAGS:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            app = fed(folder, lag)
            found = breached(app, folder, lag)
            app.close()
        cells = [
            f"{found[w]['DRF-IN-store']} / {found[w]['any']} of {CHECKED} ({found[w]['full']} full)" for w in ways
        ]
        print(f"| {lag} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
