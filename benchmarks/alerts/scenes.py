"""Every kind of message, made by what really happens: small deployments taken through cycles until each is sent.

    python -m benchmarks.alerts.scenes FOLDER

FOLDER gets the mails of each scene as they were sent (`.eml`), with plain text beside.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from benchmarks.alerts.events import keep
from benchmarks.promotion import light
from trueup.feedback.intake import ingest
from trueup.flows.alert.dispatch import deliver_now
from trueup.flows.app import App, open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.strategies import Strategies
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, Regime, make_reviews
from trueup.flows.promote.manual import resume_promotion, roll_back
from trueup.flows.replay.policies import REPLAYED
from trueup.storage.errors import TrueupError

START, WEEK = datetime(2024, 1, 1, tzinfo=UTC), timedelta(days=7)
TRAINED = START + timedelta(days=30)
WINDOW = 400
BROKEN = Regime(topic_shift=0.3, vocabulary_shift=0.6)
SETTINGS = """
[streams.reviews]
id = "review_id"
time = "at"
text = ["text"]
slices = ["product"]
[streams.reviews.label]
column = "stars"
classes = {{ negative = "<=2", positive = ">=4" }}
[streams.reviews.policy]
window = {window}
reference = 1000
min_labels = 100
{policy}
[streams.reviews.training]
candidates = ["{candidate}"]
[streams.reviews.alerts]
to = ["oncall@example.org"]
[alerts]
{alerts}
"""


class Scene:
    """A deployment with a champion, whose clock and records a scene moves on."""

    def __init__(
        self,
        folder: Path,
        *,
        policy: str = "confirm = 1",
        alerts: str = "",
        champion: bool = True,
        strategies: Strategies = REPLAYED,
    ) -> None:
        self.folder, self.at, self.seed, self.strategies = folder, TRAINED, 1, strategies
        folder.mkdir(parents=True)
        text = SETTINGS.format(window=WINDOW, policy=policy, candidate=light.NAME, alerts=alerts)
        (folder / "trueup.toml").write_text(text, encoding="utf-8")
        opened = open_app(folder / "trueup.toml", folder / ".trueup")
        self.app = App(opened.settings, opened.config, opened.home, clock=lambda: self.at, settled=opened.settled)
        if champion:
            self.take_in(make_reviews(1, START, 30, 1000, HEALTHY))
            train_now(self.app, self.app.stream("reviews"), TRAINED)

    def take_in(self, rows: pd.DataFrame) -> None:
        """Take rows in from a file."""
        file = self.folder / f"rows-{self.seed}.csv"
        rows.to_csv(file, index=False)
        ingest(self.app.store, self.app.stream("reviews"), [str(file)], now=self.app.now())
        self.seed += 1

    def week(
        self, regime: Regime = HEALTHY, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows
    ) -> None:
        """A week of reviews, and a cycle at its end."""
        rows = change(make_reviews(self.seed, self.at, 7, WINDOW, regime))
        self.at += WEEK
        self.take_in(rows)
        self.cycle()

    def cycle(self, later: timedelta = timedelta(0)) -> None:
        """A cycle now, or later; what fails is told of by a mail."""
        self.at += later
        try:
            run_cycle(self.app, self.app.stream("reviews"), self.at, strategies=self.strategies)
        except TrueupError as error:
            print(f"  {error}")
        deliver_now(self.app)

    def close(self) -> None:
        self.app.close()


def mended(folder: Path) -> Scene:
    """A first champion, healthy weeks, a break that is seen, answered and over."""
    scene = Scene(folder)
    for regime in (HEALTHY, HEALTHY, BROKEN, BROKEN, BROKEN):
        scene.week(regime)
    return scene


def approved(folder: Path) -> Scene:
    """A challenger that waits for a person until it is too late."""
    scene = Scene(folder, policy='confirm = 1\npromotion = "approve"\napproval = "10d"')
    for _ in range(3):
        scene.week(BROKEN)
    return scene


def refused(folder: Path) -> Scene:
    """Labels turn random on half of the records, so no challenger can be better."""
    scene = Scene(folder)
    for _ in range(3):
        scene.week(Regime(label_flip=0.5))
    return scene


def gone_back(folder: Path) -> Scene:
    """A promotion, a person who goes back, and who resumes promotion."""
    scene = Scene(folder)
    scene.week(BROKEN)
    stream = scene.app.stream("reviews")
    roll_back(scene.app, stream, None, "complaints about the new answers")
    deliver_now(scene.app)
    resume_promotion(scene.app, stream, "the complaints were about something else")
    deliver_now(scene.app)
    return scene


def doubted_labels(folder: Path) -> Scene:
    """A label feed that says one class only."""
    scene = Scene(folder)
    for _ in range(2):
        scene.week(change=lambda rows: rows.assign(stars=1))
    return scene


def silent(folder: Path) -> Scene:
    """Records stop for 17 days, and come again."""
    scene = Scene(folder, policy='confirm = 1\nsettle = "0d"')
    for _ in range(4):
        scene.week()
    for _ in range(17):
        scene.cycle(timedelta(days=1))
    for _ in range(3):
        scene.week()
    return scene


def unlabelled(folder: Path) -> Scene:
    """Labels stop while records go on."""
    scene = Scene(folder)
    for _ in range(5):
        scene.week()
    for _ in range(3):
        scene.week(change=lambda rows: rows.assign(stars=None))
    return scene


def dirty(folder: Path) -> Scene:
    """A source that begins to send rows that nothing can be made of."""
    scene = Scene(folder)
    for _ in range(3):
        scene.week()
    for _ in range(2):
        scene.week(Regime(dirt=0.15))
    return scene


def lost(folder: Path) -> Scene:
    """The champion's files are gone; a cycle fails, and works again when they are back."""
    scene = Scene(folder)
    scene.week()
    models, aside = folder / ".trueup" / "mlflow", folder / "aside"
    shutil.move(models, aside)
    scene.week()
    shutil.move(aside, models)
    scene.week()
    return scene


def unfounded(folder: Path) -> Scene:
    """A stream whose first training gives no champion, until enough labels have come."""
    scene = Scene(folder, champion=False)
    scene.take_in(make_reviews(1, START, 30, 30, HEALTHY))
    scene.cycle()
    scene.take_in(make_reviews(2, TRAINED, 7, 1000, HEALTHY))
    scene.cycle(WEEK)
    return scene


SCENES = (mended, approved, refused, gone_back, doubted_labels, silent, unlabelled, dirty, lost, unfounded)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    asked = parser.parse_args()
    for make in SCENES:
        if asked.only and make.__name__ not in asked.only:
            continue
        with tempfile.TemporaryDirectory(prefix="trueup-scene-") as place:
            scene = make(Path(place) / "deployment")
            keep(scene.folder / ".trueup", asked.folder / make.__name__)
            scene.close()
        print(make.__name__, len(list((asked.folder / make.__name__).glob("*.eml"))), "mails", flush=True)


if __name__ == "__main__":
    main()
