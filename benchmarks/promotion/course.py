"""A real set taken through the cycle's own code, at past times, in a deployment that is thrown away afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import DATA, ROOT
from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.check.labels import with_resolved_labels
from trueup.flows.cycle.run import run_cycle
from trueup.flows.promote.manual import resume_promotion
from trueup.flows.promote.notifications import open_rollback
from trueup.flows.replay.policies import REPLAYED, retrain_at
from trueup.flows.replay.run import END, check_times
from trueup.storage.promotions import PromotionAttempt, PromotionKind
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import parse_as_of

Change = Callable[[StreamSettings], StreamSettings]
MADE_REVIEWS = """
[streams.reviews]
id = "review_id"
time = "at"
text = ["text"]

[streams.reviews.label]
column = "stars"
classes = { negative = "<=2", positive = ">=4" }
"""  # the settings of `trueup.flows.demo.reviews`


@dataclass(frozen=True)
class RealSet:
    """A data set as examples/NAME.toml describes it, and the time its first champion knows."""

    name: str
    file: str
    start: str

    @property
    def starts(self) -> datetime:
        return parse_as_of(self.start)


GREENLIGHT = RealSet("greenlight", "greenlight_play.csv", "2018-12-31")
FLIPKART = RealSet("flipkart", "flipkart_badminton.csv", "2018-12-31")
BIKE = RealSet("bike", "bike_sharing_hour.csv", "2011-04-30")
ELEC2 = RealSet("elec2", "elec2.csv", "1996-06-30")
SETS = (GREENLIGHT, FLIPKART, BIKE, ELEC2)


@dataclass(frozen=True)
class Deployment:
    """A scratch deployment that holds all records of a set, and its first champion once it has begun."""

    app: App
    stream: StreamSettings
    known: Rows

    def moments(self, start: datetime, every: int | None = None) -> tuple[datetime, ...]:
        """The times of the checks: one window after the other, or each `every` records."""
        return check_times(self.stream.policy, self.known.meta["time"].to_numpy(), start, every)

    def cycle(self, as_of: datetime, *, ask: bool = False) -> dict[str, Any]:
        """One cycle; with `ask` it trains a challenger whatever its check found. The gate is production's.

        Only what nobody will look at is left out: pictures, and reading the version back in a process of its own.
        """
        strategies = REPLAYED
        if ask:
            strategies = replace(strategies, decide=retrain_at(frozenset({as_of})))
        return run_cycle(self.app, self.stream, as_of, strategies=strategies)

    def resume_after_rollback(self) -> bool:
        """Be the person who resumes promotion after probation went back; whether there was a rollback."""
        found = open_rollback(self.app, self.stream)
        if found is not None:
            resume_promotion(self.app, self.stream, "the benchmark goes on")
        return found is not None

    def attempts(self) -> Sequence[PromotionAttempt]:
        """The challengers that were judged, oldest first."""
        history = self.app.promotions.history(self.stream.name)
        return [p for p in history if p.kind == PromotionKind.CHALLENGER][::-1]


@contextmanager
def deployed(chosen: RealSet, change: Change = lambda stream: stream, file: Path | None = None) -> Iterator[Deployment]:
    """A deployment of its own for one set (or for `file` in its place), all records taken in, without a champion.

    `change` alters the stream of examples/NAME.toml: its salt, its policy, its candidates.
    """
    with TemporaryDirectory(prefix="trueup-bench-") as home:
        read = open_app(ROOT / "examples" / f"{chosen.name}.toml", Path(home))
        stream = change(with_training(read.stream(chosen.name), embeddings=False))  # with the extra or without
        app = App(read.settings.model_copy(update={"streams": {stream.name: stream}}), None, read.home)
        try:
            ingest(app.store, stream, [str(file or DATA / chosen.file)], now=app.now())
            yield Deployment(app, stream, with_resolved_labels(stream, app.reader.read(stream, as_of=END)))
        finally:
            app.close()


def with_training(stream: StreamSettings, **changes: Any) -> StreamSettings:
    return stream.model_copy(update={"training": stream.training.model_copy(update=changes)})


def with_policy(stream: StreamSettings, **changes: Any) -> StreamSettings:
    return stream.model_copy(update={"policy": stream.policy.model_copy(update=changes)})
