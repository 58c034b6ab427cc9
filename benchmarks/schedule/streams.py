"""A home of many small streams, each with a champion and without anything new since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from trueup.feedback.intake import ingest
from trueup.flows.app import open_app
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, make_reviews

DAYS = 49
REVIEWS = 1000

STREAM = """
[streams.s{number}]
id = "review_id"
time = "at"
text = ["text"]
[streams.s{number}.label]
column = "stars"
classes = {{ negative = "<=2", positive = ">=4" }}
[streams.s{number}.policy]
window = 200
min_labels = 100
[streams.s{number}.training]
candidates = ["default"]
time_limit = "20s"
embeddings = false
"""


def make_home(folder: Path, streams: int) -> None:
    """Write `trueup.toml` and `.trueup` into `folder`: a champion a stream, trained on 1,000 reviews."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.toml").write_text("".join(STREAM.format(number=n) for n in range(streams)))
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    try:
        for number in range(streams):
            stream = app.stream(f"s{number}")
            file = folder / f"s{number}.csv"
            make_reviews(number, now - timedelta(days=DAYS), DAYS, REVIEWS, HEALTHY).to_csv(file, index=False)
            ingest(app.store, stream, [str(file)], now=app.now())
            train_now(app, stream, now)
    finally:
        app.close()
