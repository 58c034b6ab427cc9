"""A check reads as far back as it looks, and finds what it found when it read everything since the cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, take_in, with_champion
from trueup.flows.app import App
from trueup.flows.check import comparison
from trueup.flows.check.champion import champion_of
from trueup.flows.check.comparison import WindowComparison, compare_window
from trueup.flows.check.labels import with_resolved_labels
from trueup.flows.check.predictions import score_new
from trueup.flows.demo.reviews import HEALTHY
from trueup.monitoring.signals.measure import measure
from trueup.storage import snapshots
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings

AS_OF = TRAINED + 3 * WEEK


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A champion, and three weeks of reviews after its cut-off, answered."""
    folder = tmp_path_factory.mktemp("long")
    opened = with_champion(folder, more=ONE_CANDIDATE)
    for week in range(3):
        take_in(opened, folder, 100 + week, TRAINED + week * WEEK, WEEK, HEALTHY)
    score_new(opened, opened.stream("reviews"), champion_of(opened, opened.stream("reviews")), AS_OF)
    yield opened
    opened.close()


def _compared(app: App, stream: StreamSettings, patch: pytest.MonkeyPatch, *, whole: bool) -> WindowComparison:
    def all_rows(app: App, stream: StreamSettings, champion: Any, as_of: datetime, **_: Any) -> Iterator[Rows]:
        read = app.reader.read(
            stream, after=champion.cut_off, as_of=as_of, version=champion.version, ids_in_arrow=True
        )
        yield with_resolved_labels(stream, read)

    with patch.context() as inner:
        if whole:
            inner.setattr(comparison, "rows_read_back", all_rows)
        return compare_window(app, stream, champion_of(app, stream), AS_OF)


@pytest.mark.parametrize("maturity", ["0d", "3d"])
@pytest.mark.parametrize(
    ("window", "min_labels"), [(50, 30), (50, 140), (200, 2000), ("1d", 20), ("2d", 500), ("60d", 10), (5000, 10)]
)
def test_the_comparison_is_the_same(
    app: App, monkeypatch: pytest.MonkeyPatch, window: int | str, min_labels: int, maturity: str
) -> None:
    """Window, judged rows and how far back they reach are those of the whole, to the digit."""
    held = app.stream("reviews")
    stream = held.model_copy(
        update={
            "policy": held.policy.model_copy(update={"window": window, "min_labels": min_labels}),
            "label": held.label.model_copy(update={"maturity": maturity}),
        }
    )
    new, old = (_compared(app, stream, monkeypatch, whole=whole) for whole in (False, True))
    assert (new.counts, new.note) == (old.counts, old.note)
    assert new.window.full == old.window.full
    for name in ("current", "model_current", "quality_current"):
        mine, theirs = (getattr(found.comparison, name) for found in (new, old))
        pd.testing.assert_frame_equal(mine.features, theirs.features)
        pd.testing.assert_frame_equal(mine.meta, theirs.meta)
    assert new.comparison.quality_looks == old.comparison.quality_looks
    assert new.comparison.quality_own == old.comparison.quality_own


def test_a_small_window_reads_little(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the newest records hold enough labels, nothing older is read with its features."""
    read: list[timedelta] = []
    real = app.reader.read

    def counted(stream: StreamSettings, *, as_of: datetime, after: datetime, **more: Any) -> Rows:
        if stream.text:
            read.append(as_of - after)
        return real(stream, as_of=as_of, after=after, **more)

    monkeypatch.setattr(app.reader, "read", counted)
    held = app.stream("reviews")
    small = {"window": 50, "min_labels": 30}
    stream = held.model_copy(update={"policy": held.policy.model_copy(update=small)})
    compare_window(app, stream, champion_of(app, stream), AS_OF)
    assert len(read) == 1
    assert read[0] < timedelta(days=3)


def test_a_part_of_the_snapshot_says_what_all_of_it_says(app: App) -> None:
    """Of a snapshot longer than the reference the features of the others are not read, and every signal is the same."""
    held = app.stream("reviews")
    small = {"window": 50, "reference": 60}
    stream = held.model_copy(update={"policy": held.policy.model_copy(update=small)})
    champion = champion_of(app, stream)
    part = compare_window(app, stream, champion, AS_OF).comparison
    past = snapshots.load(app.archive, champion.snapshot, regression=False)
    whole = replace(part, reference=past.newest(60), past=past, learnt=None)
    assert (len(part.past), len(part.past.features.columns)) == (len(past), 0)
    assert measure(stream, part) == measure(stream, whole)


def test_new_records_are_answered_without_a_look_at_all_others(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lacks an answer is looked for among the newest records first; older ones that lack one are found as well."""
    stream = app.stream("reviews")
    champion = champion_of(app, stream)
    assert score_new(app, stream, champion, AS_OF) == 0
    later = AS_OF + timedelta(days=7)
    take_in(app, app.home.parent, 200, AS_OF, WEEK, HEALTHY, 60)
    take_in(app, app.home.parent, 201, TRAINED, WEEK, HEALTHY, 40)
    monkeypatch.setattr("trueup.flows.check.predictions._NEWEST", 10)
    assert score_new(app, stream, champion, later) == 100
    assert score_new(app, stream, champion, later) == 0
