"""A service sends its answers with the records: they are checked, beaten, handed over to, and gone back to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.flows.test_commands import Shell
from tests.made_deployments import HISTORY, SETTINGS, START, TRAINED, WEEK, WINDOW, plain_mail
from trueup.feedback.intake import ingest
from trueup.flows.admin.doctor import examine
from trueup.flows.admin.pause import set_paused
from trueup.flows.admin.status import status_of
from trueup.flows.app import App, open_app
from trueup.flows.audit.verify import verify
from trueup.flows.check.champion import champion_of
from trueup.flows.check.external_predictions import notes_on_answers, serving_skew
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.flows.promote import external_releases as elsewhere
from trueup.flows.promote.manual import resume_promotion, roll_back
from trueup.flows.promote.notifications import open_rollback
from trueup.flows.replay.run import replay
from trueup.flows.settings import locate
from trueup.storage.errors import NotTrainable, TrueupError
from trueup.storage.promotions import PromotionLog
from trueup.storage.stream import SentPrediction, StreamSettings

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "service.toml"
SENDS = """
[streams.reviews.prediction]
column = "said"
score = "p_positive"
version = "by"

[streams.reviews.training]
candidates = ["tests.plain_candidate:plain"]
"""

NUMBERS = """
[streams.rides]
task = "regression"
id = "id"
time = "at"
numeric = ["a"]

[streams.rides.label]
column = "y"

[streams.rides.policy]
window = 200
reference = 600
min_labels = 100
confirm = 1

[streams.rides.prediction]
column = "said"

[streams.rides.training]
candidates = ["tests.plain_candidate:plain"]
"""


class Service:
    """A model of a team's own, trained on reviews that trueup never saw."""

    def __init__(self) -> None:
        past = make_reviews(99, START - timedelta(days=90), 60, 1500, HEALTHY)
        past = past[past["stars"] != 3]
        self._model = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=500))
        self._model.fit(past["text"], past["stars"] >= 4)

    def answered(self, reviews: pd.DataFrame, by: str, *, flipped: bool = False) -> pd.DataFrame:
        """The reviews with the service's answers; flipped: as of a deployment that swapped the classes."""
        chance = self._model.predict_proba(reviews["text"])[:, 1]
        return with_answers(reviews, 1 - chance if flipped else chance, by)


def with_answers(reviews: pd.DataFrame, chance: np.ndarray, by: str) -> pd.DataFrame:
    """With answers; beside them those that only every other record got, and a name that is not the answerer's."""
    said = np.where(chance >= 0.5, "positive", "negative")
    sometimes = np.where(np.arange(len(said)) % 2, said, None)
    return reviews.assign(said=said, p_positive=chance, by=by, sometimes=sometimes, posing="2")


@dataclass
class Story:
    """What happened to a stream whose service answers, week by week."""

    folder: Path
    app: App
    service: Service
    first: dict[str, Any] = field(default_factory=dict)
    cycles: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    weeks: int = 0

    @property
    def stream(self) -> StreamSettings:
        return self.app.stream("reviews")

    def reviews(self, rows: int = WINDOW) -> pd.DataFrame:
        """A week of healthy reviews that nobody has answered yet."""
        return make_reviews(10 + self.weeks, TRAINED + self.weeks * WEEK, 7, rows, HEALTHY)

    def week(self, name: str, reviews: pd.DataFrame) -> dict[str, Any]:
        """Take a week in, and run the cycle at its end."""
        take_in(self.app, self.folder, name, reviews)
        self.weeks += 1
        done = run_cycle(self.app, self.stream, TRAINED + self.weeks * WEEK)
        self.cycles[name], self.notes[name] = done, tuple(status_of(self.app, self.stream).notes)
        return done

    @property
    def champion(self) -> int | None:
        return self.app.registry.alias("reviews", "champion")


def take_in(app: App, folder: Path, name: str, reviews: pd.DataFrame) -> None:
    file = folder / f"{name}.csv"
    reviews.to_csv(file, index=False)
    ingest(app.store, app.stream("reviews"), [str(file)], now=app.now())


def opened(folder: Path) -> App:
    (folder / "trueup.toml").write_text(SETTINGS.format(window=WINDOW) + SENDS)
    return open_app(folder / "trueup.toml", folder / ".trueup")


def codes(done: dict[str, Any], verdict: str) -> set[str]:
    return {s["code"] for s in done["check"]["signals"] if s["verdict"] == verdict}


@pytest.fixture(scope="module")
def service() -> Service:
    return Service()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Story:
    folder = tmp_path_factory.mktemp("elsewhere")
    app = opened(folder)
    told = Story(folder, app, service)
    take_in(app, folder, "history", service.answered(make_reviews(1, START, 30, HISTORY, HEALTHY), "svc-1"))
    told.first = train_now(app, told.stream, TRAINED)
    told.week("quiet", service.answered(told.reviews(), "svc-1"))
    told.week("flipped", service.answered(told.reviews(), "svc-1", flipped=True))
    told.week("awaited", service.answered(told.reviews(), "svc-1", flipped=True))
    reviews = told.reviews()
    ours = app.registry.load("reviews", 2).predict_proba(reviews[["text"]])
    told.week("served", with_answers(reviews, ours[:, 1], "2"))
    return told


@pytest.mark.slow
def test_the_service_model_becomes_the_first_version(story: Story) -> None:
    """Registered without a file, with its own answers as reference; no gate is asked, since it answers already."""
    record = story.app.promotions.version("reviews", 1)
    assert record is not None
    assert (story.first["version"], record.service) == (1, "svc-1")
    assert story.first["promotion"] == {"from_version": None, "to_version": 1}
    assert story.first["gate"]["tests"] == []
    assert story.app.registry.version("reviews", 1).tags["trueup.elsewhere"] == "svc-1"
    assert record.document["metrics"]["f1_macro"] > 0.7
    (event,) = [p for p in story.app.promotions.history("reviews") if p.to_version == 1]
    assert (event.kind, event.who) == ("elsewhere", "the service")


@pytest.mark.slow
def test_checks_go_by_what_was_sent(story: Story) -> None:
    """The answers that the service sent are scored into the store as they are, and a healthy week is quiet."""
    quiet = story.cycles["quiet"]
    assert (quiet["champion"], quiet["scored"], quiet["check"]["counted"]) == (1, WINDOW, True)
    assert not codes(quiet, "breached")
    assert {"PRF-METRIC", "DRF-SCORE", "DRF-CLASS"} <= codes(quiet, "ok")
    rows = story.app.reader.read(story.stream, after=TRAINED, as_of=TRAINED + WEEK, version=1)
    sent = pd.read_csv(story.folder / "quiet.csv").set_index("review_id").loc[rows.meta["id"]]
    assert rows.meta["predicted"].tolist() == sent["said"].tolist()
    assert np.allclose(rows.meta["score"].astype(float), sent["p_positive"])
    assert story.notes["quiet"] == ()


@pytest.mark.slow
def test_a_service_that_errs_is_noticed_and_beaten(story: Story) -> None:
    """Swapped classes breach the metric; a challenger wins against the answers that were really given."""
    flipped = story.cycles["flipped"]
    assert "PRF-METRIC" in codes(flipped, "breached")
    assert flipped["gate"]["passed"], flipped["gate"]
    assert flipped["promotion"] == {"from_version": 1, "to_version": 2}


@pytest.mark.slow
def test_a_hand_over_is_awaited(story: Story) -> None:
    """Until the service sends the new number, people are told so, and the old answers are not taken for the new."""
    awaited = story.cycles["awaited"]
    assert (awaited["champion"], awaited["scored"]) == (2, WINDOW)
    assert "PRF-METRIC" not in codes(awaited, "breached")
    assert any("v2 was handed over and does not serve yet" in note for note in awaited["check"]["notes"])
    assert any("'svc-1' (v1)" in note for note in story.notes["awaited"])


@pytest.mark.slow
def test_a_hand_over_is_seen(story: Story) -> None:
    """Once the answers carry the number, they are the champion's, and nothing is left to say."""
    served = story.cycles["served"]
    assert (served["champion"], story.notes["served"]) == (2, ())
    assert not codes(served, "breached")
    assert not any("are not what" in note for note in served["check"]["notes"])


@pytest.mark.slow
def test_another_model_under_our_number_is_noticed(story: Story) -> None:
    """What is sent as 2 must be what v2 answers: the flipped answers of svc-1, sent under that name, are not."""
    ours = story.app.promotions.version("reviews", 2)
    assert ours is not None
    posing = story.stream.model_copy(update={"prediction": SentPrediction(column="said", version="posing")})
    (said,) = serving_skew(story.app, posing, ours, TRAINED + 3 * WEEK)
    assert "sent under 2 are not what the registered v2 answers" in said
    assert serving_skew(story.app, story.stream, ours, TRAINED + 3 * WEEK) == ()


@pytest.mark.slow
def test_records_without_an_answer_are_told_of(story: Story) -> None:
    """They are in no score and no metric, so a service that fails silently must not look healthy."""
    lacking = story.stream.model_copy(update={"prediction": SentPrediction(column="sometimes")})
    champion = champion_of(story.app, story.stream)
    (unnamed, unanswered) = notes_on_answers(story.app, lacking, champion, TRAINED + WEEK)
    assert "name no version" in unnamed
    assert f"{WINDOW // 2} of the newest {WINDOW} records came without an answer" in unanswered


@pytest.mark.slow
def test_going_back_and_a_release(story: Story) -> None:
    """The alias goes back to a model without a file; a new version of the service is followed, and both are told of."""
    app, stream = story.app, story.stream
    back = roll_back(app, stream, None, "the service was fixed")
    assert (back.from_version, back.to_version, story.champion) == (2, 1, 1)
    waiting = open_rollback(app, stream)
    assert waiting is not None
    resume_promotion(app, stream, "the service is well")
    assert any("v1 was handed over and does not serve yet" in note for note in status_of(app, stream).notes)
    assert verify(app, stream) == ()
    assert all(finding.ok for finding in examine(app))
    shell = Shell(story.folder)
    assert "its answers come with the records" in shell("predict -s reviews", 2).err
    assert "was not trained here" in shell("train -s reviews --reproduce 1", 2).err
    assert shell("models list -s reviews").document["versions"][-1]["recipe"]["service"] == "svc-1"
    assert shell("models show 1 -s reviews").document["versions"][0]["document"]["elsewhere"] == "svc-1"
    story.week("fixed", story.service.answered(story.reviews(), "svc-1"))
    assert (story.champion, story.notes["fixed"]) == (1, ())
    half = story.reviews()
    half = story.service.answered(half, "svc-1").assign(by=np.where(np.arange(WINDOW) < WINDOW // 2, "svc-1", "svc-2"))
    story.week("releasing", half)
    assert story.champion == 1
    assert any("answered by 'svc-2' or others" in note for note in story.notes["releasing"])
    story.week("released", story.service.answered(story.reviews(), "svc-2"))
    assert story.champion == 3
    event = next(p for p in app.promotions.history("reviews") if p.to_version == 3)
    assert (event.kind, event.from_version) == ("elsewhere", 1)
    assert "by 'svc-2'" in event.why
    assert "in place of 'svc-1'" in event.why
    assert "went over to it" in shell("models explain -s reviews").document["because"]["said"][0]
    assert any(a.kind == "promotion" and "'svc-2'" in plain_mail(app, a) for a in app.outbox.newest())
    assert verify(app, stream) == ()


def test_too_few_answers_are_no_champion(tmp_path: Path, service: Service) -> None:
    """No model of ours is trained beside a service that answers; what is missing is said, also by a cycle."""
    app = opened(tmp_path)
    reviews = service.answered(make_reviews(1, START, 30, 500, HEALTHY), "svc-1")
    reviews.loc[reviews.index[300:], ["said", "p_positive", "by"]] = None
    take_in(app, tmp_path, "few", reviews)
    with pytest.raises(NotTrainable, match=r"answered 300 records.*400 records"):
        train_now(app, app.stream("reviews"), TRAINED)
    done = run_cycle(app, app.stream("reviews"), TRAINED)
    assert done["champion"] is None
    assert "answered 300 records" in done["decision"]["reasons"][-1]
    take_in(app, tmp_path, "numbered", service.answered(make_reviews(2, TRAINED, 7, WINDOW, HEALTHY), "7"))
    with pytest.raises(NotTrainable, match=r"bare numbers are those of registered versions.*'svc-7'"):
        train_now(app, app.stream("reviews"), TRAINED + WEEK)


def test_a_killed_release_is_gone_on_with(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after MLflow, after the store, or before the alias: the next cycle ends with one version, one event."""
    app = opened(tmp_path)
    stream = app.stream("reviews")
    take_in(app, tmp_path, "history", service.answered(make_reviews(1, START, 30, 600, HEALTHY), "svc-1"))

    def killed(*_: Any, **__: Any) -> None:
        raise TrueupError("killed")

    for target, name in ((PromotionLog, "add_version"), (PromotionLog, "add"), (elsewhere, "commit_and_announce")):
        with monkeypatch.context() as patched:
            patched.setattr(target, name, killed)
            with pytest.raises(TrueupError, match="killed"):
                train_now(app, stream, TRAINED)
        assert app.registry.alias("reviews", "champion") is None
    done = run_cycle(app, stream, TRAINED)
    assert (done["champion"], len(app.registry.versions("reviews"))) == (1, 1)
    (event,) = app.promotions.history("reviews")
    assert (event.kind, event.state, event.to_version) == ("elsewhere", "committed", 1)
    assert verify(app, stream) == ()


def test_a_paused_stream_follows_nobody(tmp_path: Path, service: Service) -> None:
    """No cycle changes the champion while somebody has paused the stream, also not after its service."""
    app = opened(tmp_path)
    take_in(app, tmp_path, "history", service.answered(make_reviews(1, START, 30, 600, HEALTHY), "svc-1"))
    set_paused(app, app.stream("reviews"), "moving the service", paused=True)
    assert run_cycle(app, app.stream("reviews"), TRAINED)["champion"] is None
    assert app.registry.versions("reviews") == ()


def test_without_versions_all_answers_are_the_services(tmp_path: Path, service: Service) -> None:
    """A service that names no version and gives no score is checked all the same; a hand-over is said to be unseen."""
    app = opened(tmp_path)
    plain = app.stream("reviews").model_copy(update={"prediction": SentPrediction(column="said")})
    reviews = service.answered(make_reviews(1, START, 30, 600, HEALTHY), "").drop(columns=["p_positive", "by"])
    take_in(app, tmp_path, "history", reviews)
    done = train_now(app, plain, TRAINED)
    assert done["recipe"]["service"] == ""
    week = service.answered(make_reviews(2, TRAINED, 7, WINDOW, HEALTHY), "").drop(columns=["p_positive", "by"])
    take_in(app, tmp_path, "week", week)
    cycle = run_cycle(app, plain, TRAINED + WEEK)
    assert {"PRF-METRIC", "DRF-CLASS"} <= codes(cycle, "ok")
    assert "DRF-SCORE" in codes(cycle, "insufficient")
    assert notes_on_answers(app, plain, champion_of(app, plain), TRAINED + WEEK) == ()
    ours = replace(champion_of(app, plain), version=2, document={})
    assert "name no version" in notes_on_answers(app, plain, ours, TRAINED + WEEK)[0]


@pytest.mark.slow
def test_a_replay_takes_sent_answers_for_data(tmp_path: Path, service: Service) -> None:
    """`never` shows what the service answered; a version that a policy promotes answers as it would have."""
    app = opened(tmp_path)
    days = [make_reviews(1, START, 30, 1000, HEALTHY), *(
        make_reviews(k, TRAINED + (k - 2) * WEEK, 7, WINDOW, HEALTHY) for k in (2, 3)
    )]
    sent = [service.answered(part, "svc-1", flipped=k > 0) for k, part in enumerate(days)]
    file = tmp_path / "past.csv"
    pd.concat(sent).to_csv(file, index=False)
    found = {p.name: p for p in replay(app, app.stream("reviews"), str(file), start=TRAINED).policies}
    assert [m.champion for m in found["never"].timeline] == [1, 1]
    assert max(m.metric for m in found["never"].timeline) < 0.3
    assert [m.promoted for m in found["default"].timeline] == [2, None]
    assert found["default"].timeline[1].metric > 0.7
    assert app.counts.records(app.stream("reviews")) == 0


@pytest.mark.slow
def test_numbers_sent_are_checked_alike(tmp_path: Path) -> None:
    """A regression: the service's numbers are scored, compared with labels, and a bias of theirs breaches."""
    (tmp_path / "trueup.toml").write_text(NUMBERS)
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    rng = np.random.default_rng(0)

    def rows(first: int, count: int, bias: float) -> pd.DataFrame:
        a = rng.normal(0, 3, count)
        y = 2 * a + rng.normal(0, 1, count)
        at = pd.date_range(START, periods=5000, freq="h")[first : first + count].strftime("%Y-%m-%dT%H:%M:%SZ")
        return pd.DataFrame({"id": range(first, first + count), "at": at, "a": a, "y": y, "said": 2 * a + bias})

    def at(hours: int) -> datetime:
        return START + timedelta(hours=hours)

    for name, part in {"past": rows(0, 800, 0.0), "good": rows(800, 200, 0.0), "bad": rows(1000, 200, 5.0)}.items():
        file = tmp_path / f"{name}.csv"
        part.to_csv(file, index=False)
        ingest(app.store, app.stream("rides"), [str(file)], now=app.now())
    stream = app.stream("rides")
    assert train_now(app, stream, at(799))["promotion"] == {"from_version": None, "to_version": 1}
    good = run_cycle(app, stream, at(999))
    assert not codes(good, "breached")
    bad = run_cycle(app, stream, at(1199))
    assert "PRF-METRIC" in codes(bad, "breached")
    assert bad["promotion"] == {"from_version": 1, "to_version": 2}, bad["gate"]


def test_the_example_reads() -> None:
    """The settings that the docs point to describe such a stream."""
    stream = locate(EXAMPLE, None).settings.stream("reviews")
    assert stream.prediction.columns == ("predicted", "p_positive", "model_version")
    assert not set(stream.prediction.columns) & set(stream.features)
