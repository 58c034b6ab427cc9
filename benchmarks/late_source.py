"""What a part of a feed that reports late does to checks: nobody waits for it, trueup measures it, the settings say it.

    python -m benchmarks.late_source

Two stores, 40 reviews a day each, alike in all; one of them reports some days late. A champion of the first 30 days,
then a check at the end of each of 24 days.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pandas as pd

from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.check import comparison, labels
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
classes = {{ negative = "<=2", positive = ">=4" }}
[streams.reviews.policy]
window = 400
settle = "{settle}"
[streams.reviews.training]
time_limit = "5s"
embeddings = false
"""


def deployment(folder: Path, lag: int, settle: str) -> App:
    """Settings, and a file for what comes in on each day."""
    (folder / "trueup.toml").write_text(SETTINGS.format(settle=settle), encoding="utf-8")
    days = {s: [_day(d, s) for d in range(HISTORY + CHECKED)] for s in STORES}
    for day in range(HISTORY + CHECKED):
        came = [days["ios"][day], *([days["android"][day - lag]] if day >= lag else [])]
        pd.concat(came).to_csv(folder / f"{day}.csv", index=False)
    return open_app(folder / "trueup.toml", folder / "home")


def breached(app: App, folder: Path, *, measured: bool) -> Counter[str]:
    """How many checks, one a day, each with what had come by then, breached by code, or `any`; how many were `full`."""
    stream, found = app.stream("reviews"), Counter[str]()
    with ExitStack() as patched:
        if not measured:
            for room in (comparison, labels):
                patched.enter_context(mock.patch.object(room, "late_part_of", return_value=None))
        for day in range(HISTORY + CHECKED):
            ingest(app.store, stream, [str(folder / f"{day}.csv")], now=app.now())
            as_of = START + (day + 1) * DAY
            if day == HISTORY - 1:
                train_now(app, stream, as_of)
            if day < HISTORY:
                continue
            compared = comparison.compare_window(app, stream, champion_of(app, stream), as_of)
            signals, _ = measure(stream, compared.comparison)
            codes = {s.code for s in signals if s.verdict is Verdict.BREACHED}
            found.update(codes | ({"any"} if codes else set()) | ({"full"} if compared.window.full else set()))
    return found


def _day(number: int, store: str) -> pd.DataFrame:
    seed = 1 + 2 * number + STORES.index(store)
    made = make_reviews(seed, START + number * DAY, 1, PER_DAY, HEALTHY)
    return made.assign(store=store, review_id=[f"{store}-{number}-{k}" for k in range(len(made))])


def main() -> None:
    print("| days late | nobody waits | as measured | `settle` set |\n|---|---|---|---|")
    for lag in LAGS:
        cells = []
        for measured, settle in ((False, "0d"), (True, "0d"), (True, f"{lag + 1}d")):
            with tempfile.TemporaryDirectory() as scratch:
                app = deployment(Path(scratch), lag, settle)
                found = breached(app, Path(scratch), measured=measured)
                app.close()
            cells.append(f"{found['DRF-IN-store']} / {found['any']} ({found['full']})")
        print(f"| {lag} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
