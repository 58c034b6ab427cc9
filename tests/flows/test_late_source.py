"""One of two stores reports five days late: that is said, with the span to set, and is not taken for drift."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from tests.made_deployments import ONE_CANDIDATE, SETTINGS, START, TRAINED
from trueup.flows.admin.doctor import examine
from trueup.flows.admin.initial_settings import first_settings
from trueup.flows.app import App, open_app
from trueup.flows.check.champion import champion_of
from trueup.flows.check.comparison import WindowComparison, compare_window
from trueup.flows.check.run import single_check
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import HEALTHY, make_reviews
from trueup.monitoring.check import Verdict
from trueup.monitoring.signals.measure import measure

DAY, DAYS, LATE = timedelta(days=1), 18, 5
STORES = SETTINGS.replace('text = ["text"]', 'text = ["text"]\ncategorical = ["store"]').format(window=400)


def reviews(seed: int, start: datetime, days: float, rows: int, store: str) -> pd.DataFrame:
    made = make_reviews(seed, start, days, rows, HEALTHY)
    return made.assign(store=store, review_id=[f"{store}-{seed}-{k}" for k in range(len(made))])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    """A champion of both stores, and 18 days after it on each of which `android` brings what happened 5 days ago."""
    folder = tmp_path_factory.mktemp("late")
    (folder / "trueup.toml").write_text(STORES + ONE_CANDIDATE)
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stores = ("ios", "android")
    arrived(app, folder, 0, [reviews(k, START, 30, 600, store) for k, store in enumerate(stores)])
    train_now(app, app.stream("reviews"), TRAINED)
    feeds = {s: [reviews(100 + d, TRAINED + d * DAY, 1, 40, s) for d in range(DAYS)] for s in stores}
    for day in range(DAYS):
        came = [feeds["ios"][day], *([feeds["android"][day - LATE]] if day >= LATE else [])]
        arrived(app, folder, 1 + day, came)
    return app


def arrived(app: App, folder: Path, number: int, rows: list[pd.DataFrame]) -> None:
    from trueup.feedback.intake import ingest

    file = folder / f"{number}.csv"
    pd.concat(rows).to_csv(file, index=False)
    ingest(app.store, app.stream("reviews"), [str(file)], now=app.now())


def compared(app: App, settle: str) -> WindowComparison:
    stream = app.stream("reviews")
    stream = stream.model_copy(update={"policy": stream.policy.model_copy(update={"settle": settle})})
    return compare_window(app, stream, champion_of(app, stream), TRAINED + DAYS * DAY)


def store_verdict(app: App, found: WindowComparison) -> Verdict:
    signals, _ = measure(app.stream("reviews"), found.comparison)
    return next(signal.verdict for signal in signals if signal.code == "DRF-IN-store")


@pytest.mark.slow
def test_the_check_ends_its_window_before_and_says_which_span_to_set(app: App) -> None:
    """With the settings as they are: no drift of the store, and one sentence with the line to write."""
    check = single_check(app, app.stream("reviews"), champion_of(app, app.stream("reviews")), TRAINED + DAYS * DAY)
    assert next(s.verdict for s in check.signals if s.code == "DRF-IN-store") is Verdict.OK
    (note,) = [note for note in check.notes if "later than the others" in note]
    assert "Records with store = 'android' arrive up to 6d later" in note
    assert 'policy.settle = "6d"' in note


def test_with_the_span_set_it_is_quiet(app: App) -> None:
    """The window ends where everything has come, and nothing is left to be said."""
    found = compared(app, "6d")
    assert found.note == ""
    assert store_verdict(app, found) is Verdict.OK
    newest = found.window.rows.meta["time"].iloc[-1]
    assert newest <= (TRAINED + (DAYS - 6) * DAY).replace(tzinfo=None)


def test_doctor_names_the_line_to_write(app: App) -> None:
    """Beside everything else that is wrong with an installation."""
    (found,) = [finding for finding in examine(app) if finding.name == "lateness reviews"]
    assert not found.ok
    assert found.mend == 'write settle = "6d" under [streams.reviews.policy]'


def test_init_sees_it_in_a_file_that_was_written_as_rows_arrived(tmp_path: Path) -> None:
    """And not in one that holds first the one store and then the other."""
    ios, android = (reviews(k, START, 60, 2400, store) for k, store in enumerate(("ios", "android")))
    grouped = pd.concat([ios, android])
    arrival = pd.to_datetime(grouped["at"]) + pd.to_timedelta((grouped["store"] == "android") * LATE, unit="D")
    for rows, said in ((grouped.iloc[arrival.argsort(kind="stable")], True), (grouped, False)):
        rows.to_csv(tmp_path / "feed.csv", index=False)
        written = first_settings(str(tmp_path / "feed.csv"), "reviews", datetime.now(UTC)).text
        assert ('settle = "' in written) is said
        assert ("store = 'android' arrive up to" in written) is said
