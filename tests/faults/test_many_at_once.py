"""Many processes at once: eight take in, others run cycles and move closed months; every count adds up exactly."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.faults.test_killed_cycle import in_a_process
from tests.made_deployments import HEALTHY, HISTORY, ONE_CANDIDATE, TRAINED, WEEK, deployed
from trueup.feedback.intake import ingest
from trueup.feedback.sources.pulling import Feed
from trueup.flows.app import App, open_app
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.demo.reviews import make_reviews
from trueup.flows.sources.pull import pull
from trueup.storage import tables as t
from trueup.storage.errors import LeaseHeld
from trueup.storage.history.month_moves import close_months
from trueup.storage.incoming import Appended
from trueup.storage.leases import hold

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

FILES, ROWS, TWICE = 24, 100, 20  # of each file the last rows are the next file's first
BY_HAND, PULLING, ROUNDS, CYCLES = 6, 2, 4, 2
SPAN = timedelta(days=70)  # three months, all of them over by now
SOURCE = '\n[streams.reviews.source]\nfiles = "exports/*.csv"\nsettle = "0s"\n'


def written(folder: Path) -> pd.DataFrame:
    """Files that overlap, one half to be taken in by hand and one for the source; all rows, each once."""
    reviews = make_reviews(7, TRAINED, SPAN / timedelta(days=1), FILES * ROWS, HEALTHY).sort_values("at")
    for place in ("inbox", "exports"):
        (folder / place).mkdir()
    for k in range(FILES):
        part = reviews.iloc[k * ROWS : (k + 1) * ROWS + TWICE]
        part.to_csv(folder / ("exports" if k % 4 == 0 else "inbox") / f"{k:02}.csv", index=False)
    return reviews


def at_work(folder: Path, number: int) -> None:
    """What the process of a number does: takes files in by hand, pulls, runs cycles, or moves closed months."""
    app = open_app(folder / "trueup.toml", folder / ".trueup")
    stream, done = app.stream("reviews"), Appended()
    if number < BY_HAND:
        files = sorted((folder / "inbox").iterdir())
        for file in [*files[number::BY_HAND], files[0], files[number - 1]]:
            done += ingest(app.store, stream, [str(file)], now=app.now())
    elif number < BY_HAND + PULLING:
        for _ in range(ROUNDS):
            done += pull(app, stream, Feed.RECORDS).rows
    elif number == BY_HAND + PULLING:
        for week in range(1, CYCLES + 1):
            pulled = run_cycle(app, stream, TRAINED + week * WEEK)["pulled"]["records"]
            done += Appended(pulled["accepted"], pulled["duplicate"], pulled["quarantined"])
    else:
        for _ in range(2 * ROUNDS):
            with suppress(LeaseHeld):  # a cycle that takes longer than a lease is waited for
                moved(app)
    (folder / f"{number}.json").write_text(json.dumps([done.accepted, done.duplicate, done.quarantined]))
    app.close()


def moved(app: App) -> None:
    with hold(app.database, "reviews") as lease:
        close_months(app.database, app.archive, "reviews", lease, before=app.now())


def all_at_once(folder: Path, processes: int, work: Callable[[Path, int], None]) -> None:
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            os._exit(0 if in_a_process(lambda number=number: work(folder, number)) == 0 else 1)  # type: ignore[misc]
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * processes


@pytest.mark.parametrize("on", ["sqlite", "postgresql"])
def test_counts_add_up(request: pytest.FixtureRequest, tmp_path: Path, on: str) -> None:
    """Each record is stored, labelled and answered once, and the processes' own counts say so."""
    url = request.getfixturevalue("postgres_store") if on == "postgresql" else ""
    more = f'{ONE_CANDIDATE}{SOURCE}\n[store]\nurl = "{url}"\n'

    def trained() -> None:
        app = deployed(tmp_path, more=more)
        assert train_now(app, app.stream("reviews"), TRAINED)["promotion"]
        app.close()

    assert in_a_process(trained) == 0
    settings = tmp_path / "trueup.toml"
    settings.write_text(settings.read_text().replace("confirm = 1", 'confirm = 1\npromotion = "off"'))
    reviews = written(tmp_path)
    all_at_once(tmp_path, BY_HAND + PULLING + 2, at_work)

    def at_last() -> None:
        """What the cycle of the week after finds and leaves."""
        app = open_app(settings, tmp_path / ".trueup")
        stream = app.stream("reviews")
        end = TRAINED + SPAN + timedelta(days=1)
        assert pull(app, stream, Feed.RECORDS).rows.accepted == 0
        run_cycle(app, stream, end)
        moved(app)
        rows = app.reader.read(stream, after=TRAINED, as_of=app.now(), version=1)
        assert sorted(rows.meta["id"]) == sorted(reviews["review_id"].astype(str))
        stars = reviews.set_index(reviews["review_id"].astype(str))["stars"].loc[list(rows.meta["id"])]
        assert [float(label) for label in rows.meta["label"]] == [float(star) for star in stars]
        assert rows.meta["predicted"].notna().all()
        r, p, f = t.records.c, t.predictions.c, t.prediction_files.c
        with app.database.read() as connection:
            count = sa.select(sa.func.count())
            assert connection.execute(count.select_from(t.records)).scalar() == HISTORY + len(reviews)
            assert connection.execute(sa.select(sa.func.max(r.seq))).scalar() == HISTORY + len(reviews) - 1
            in_sql = connection.execute(count.select_from(t.predictions).where(p.version == 1)).scalar_one()
            in_files = connection.execute(sa.select(sa.func.sum(f.rows)).where(f.version == 1)).scalar() or 0
        assert in_files > 0
        assert in_sql + in_files == app.reader.read(stream, as_of=app.now(), version=1).meta["predicted"].notna().sum()
        app.close()

    assert in_a_process(at_last) == 0
    told = [json.loads(file.read_text()) for file in tmp_path.glob("?.json")]
    assert len(told) == BY_HAND + PULLING + 2
    assert sum(accepted for accepted, _, _ in told) == len(reviews)
    assert sum(quarantined for _, _, quarantined in told) == 0
