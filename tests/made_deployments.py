"""Small deployments on made reviews, for tests of whole cycles."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from trueup.feedback.intake import ingest
from trueup.flows.alert.messages import mail_about
from trueup.flows.app import App, open_app
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, Regime, make_reviews
from trueup.storage.outbox import Notice

START = datetime(2024, 1, 1, tzinfo=UTC)
TRAINED = START + timedelta(days=30)
WEEK = timedelta(days=7)
WINDOW = 400
HISTORY = 1000
BROKEN = Regime(topic_shift=0.3, vocabulary_shift=0.6)  # one window of it suffices for a challenger to prove itself

SETTINGS = """
[streams.reviews]
id = "review_id"
time = "at"
text = ["text"]

[streams.reviews.label]
column = "stars"
classes = {{ negative = "<=2", positive = ">=4" }}

[streams.reviews.policy]
window = {window}
reference = 1000
min_labels = 100
confirm = 1
retrain_on = ["drift", "metric"]

[streams.reviews.alerts]
to = ["oncall@example.org"]
"""


# for tests that ask for a training and not for a search: a plain model of words
ONE_CANDIDATE = '\n[streams.reviews.training]\ncandidates = ["tests.plain_candidate:plain"]\n'


def deployed(folder: Path, *, more: str = "", rows: int = HISTORY) -> App:
    """A deployment in `folder` with a month of healthy history taken in and nothing trained."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trueup.toml").write_text(SETTINGS.format(window=WINDOW) + more)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    take_in(app, folder, 1, START, TRAINED - START, HEALTHY, rows)
    return app


def take_in(
    app: App, folder: Path, seed: int, start: datetime, span: timedelta, regime: Regime, rows: int = WINDOW
) -> None:
    """Make reviews of a span and take them in from a file."""
    file = folder / f"{seed}.csv"
    make_reviews(seed, start, span / timedelta(days=1), rows, regime).to_csv(file, index=False)
    ingest(app.store, app.stream("reviews"), [str(file)], now=app.now())


def with_champion(folder: Path, *, more: str = "") -> App:
    """A deployment whose first champion is trained: once for all who ask for the same, each gets a copy."""
    shutil.copytree(_trained(more), folder, dirs_exist_ok=True)
    (folder / ".trueup" / "deployment.json").unlink()  # nobody is told that it is a copy
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    app.registry.client()
    return app


@cache
def _trained(more: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="trueup-trained-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app = deployed(folder, more=more)
    done = train_now(app, app.stream("reviews"), TRAINED)
    assert done["promotion"] == {"from_version": None, "to_version": 1}
    app.close()
    return folder


def about_to_break(folder: Path, *, more: str = "") -> App:
    """A deployment with a champion and one full window of a new regime, which the next cycle will meet."""
    app = with_champion(folder, more=more)
    take_in(app, folder, 2, TRAINED, WEEK, BROKEN)
    return app


def plain_mail(app: App, notice: Notice) -> str:
    """The text of the mail that tells of a notice, on one line."""
    return " ".join(mail_about(app, notice).text.split())
