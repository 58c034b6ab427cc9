"""A gate leaves a report, periods make one: listed, shown, opened, exported and pruned like others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

import trueup
from tests.made_deployments import ONE_CANDIDATE, TRAINED, WEEK, about_to_break
from trueup.flows.app import App, open_app
from trueup.flows.audit.prune import prune
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.gate import model_comparison_report
from trueup.reports.comparison_facts import ComparisonFacts, FigureTable, PictureFacts
from trueup.reports.masking import masked
from trueup.storage import tables as t
from trueup.storage.errors import InputError, StoreUnusable, TrueupError
from trueup.storage.policy import Retention
from trueup.storage.report_kind import ReportKind
from trueup.training.evaluation.paired import Paired

pytestmark = pytest.mark.whole_reports


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment whose challenger was held against its champion."""
    folder = tmp_path_factory.mktemp("judged")
    app = about_to_break(folder, more=ONE_CANDIDATE)
    train_now(app, app.stream("reviews"), TRAINED + WEEK)
    app.close()
    return folder


@pytest.fixture
def opened(judged: Path) -> trueup.Deployment:
    return trueup.open(judged / "trueup.toml", judged / ".trueup")


def test_a_gate_leaves_a_report(opened: trueup.Deployment, tmp_path: Path) -> None:
    """It is listed with its kind, says who is better on how many records, and holds Evidently's plots."""
    (report,) = opened.reports.list(kind="models")
    assert "challenger v2 against champion v1" in report.title
    found = report.comparison
    assert "records new to both" in found.verdict
    assert {table.caption for table in found.tables} >= {"Metric", "Tests of the gate"}
    assert {picture.name for picture in found.pictures} >= {"roc", "calibration"}
    page = report.html()
    assert page == report.html()
    assert b"packed-plots" in page
    assert report.evidently().dict()["metrics"]
    html, figures = report.export(tmp_path)
    assert html.read_bytes() == page
    assert json.loads(figures.read_text())["title"] == found.title
    assert "<script" not in report._repr_html_()
    assert len(report.to_frame())


def test_lists_keep_kinds_apart(opened: trueup.Deployment) -> None:
    """All kinds stand in a list, of one time the check first; a verdict or a code asks for checks."""
    (report,) = opened.reports.list(kind="models")
    opened.stream("reviews").check(as_of=report.as_of)
    assert [one.kind for one in opened.reports.list(limit=2)] == [ReportKind.CHECK, ReportKind.MODELS]
    assert {one.kind for one in opened.reports.list(code="DRF-TEXT", verdict="ok")} <= {ReportKind.CHECK}
    assert opened.reports.latest().kind is ReportKind.CHECK
    assert opened.reports.show(report.report_id[:6]).report_id == report.report_id
    with pytest.raises(InputError, match="has no signals"):
        _ = report.check


def test_periods_are_compared(opened: trueup.Deployment) -> None:
    """Two models side by side; one that learned from a period is not judged on it, and says so."""
    start, later = f"{TRAINED - timedelta(days=7):%Y-%m-%d}", f"{TRAINED:%Y-%m-%d}"
    first = f"{start}..{TRAINED - timedelta(days=1):%Y-%m-%d}"
    second = f"{later}..{TRAINED + timedelta(days=6):%Y-%m-%d}"
    reports = opened.stream("reviews").reports
    made = reports.compare_periods(second, first, versions=[1, 2])
    assert made.kind is ReportKind.PERIODS
    assert made.comparison.sides == (first, second)
    assert [row[0] for row in made.comparison.tables[0].rows] == [first, second]
    assert any("learned from those records" in note for note in made.comparison.notes)
    assert reports.list(kind="periods")[0].report_id == made.report_id
    assert b"Evidently" in made.html()
    third = f"{TRAINED - timedelta(days=14):%Y-%m-%d}..{TRAINED - timedelta(days=8):%Y-%m-%d}"
    several = reports.compare_periods(first, third, second, versions=[1, 2])
    assert several.comparison.sides == (third, first, second)
    assert [row[0] for row in several.comparison.tables[0].rows] == [third, first, second]
    assert several.comparison.tables[1].columns == ("class", third, first, second)
    assert all(sum(row[k] for row in several.comparison.tables[1].rows) == pytest.approx(1) for k in (1, 2, 3))
    with pytest.raises(InputError, match="two periods or more"):
        reports.compare_periods(first, first)
    with pytest.raises(InputError, match="no records"):
        reports.compare_periods("1999-W01", first)
    with pytest.raises(InputError, match="no v9"):
        reports.compare_periods(first, second, versions=[9])


def test_the_site_has_their_pages(judged: Path, opened: trueup.Deployment, tmp_path: Path) -> None:
    """Each comparison has a page, linked from its stream and its gate, with masked texts, CSV and Evidently's plots."""
    (report,) = opened.reports.list(kind="models")
    opened.site.build(to=tmp_path, mask=True)
    page = tmp_path / "reviews" / "comparisons" / f"{report.report_id}.html"
    said = page.read_text()
    assert report.comparison.verdict in said
    assert f'data-src="{report.report_id}-evidently.html"' in said
    assert page.with_name(f"{report.report_id}-evidently.html").exists()
    assert f'href="{report.report_id}-roc.csv" download' in said
    assert page.with_name(f"{report.report_id}-roc.csv").read_bytes().count(b"\n") > 2
    for other in ("index.html", "models.html"):
        assert f'href="comparisons/{report.report_id}.html"' in (tmp_path / "reviews" / other).read_text()
    again = opened.site.build(to=tmp_path, mask=True)
    assert again.written == 0


def test_what_outsiders_wrote_is_masked_in_them() -> None:
    """Cells and words of pictures are shown through the mask; the names of what is compared stay."""
    sides = ("2024-05-01..2024-05-07", "2024-05-08..2024-05-14")
    row = (sides[0], "write to me@example.org", 0.5)
    table = FigureTable(caption="c", columns=("class", *sides), rows=(row,))
    values = {"levels": [{"words": "call 0170 1234567", "reference": 0.1, "current": 0.2}]}
    picture = PictureFacts(form="levels", name="labels", title="Labels", values=values)
    facts = ComparisonFacts(
        title="t", sides=sides, verdict="v", tone="still", details=(), tables=(table,), pictures=(picture,)
    )
    shown = facts.shown_through(masked)
    assert shown.tables[0].columns == table.columns
    assert shown.tables[0].rows == ((sides[0], "write to [address]", 0.5),)
    assert shown.pictures[0].values["levels"][0]["words"] == "call [number]"
    assert "1234567" not in shown.drawings()[0].csv().decode()


def test_a_damaged_one_costs_only_itself(judged: Path, opened: trueup.Deployment, tmp_path: Path) -> None:
    """Without its snapshot the page stands; without its document the others do."""
    app = open_app(judged / "trueup.toml", judged / ".trueup")
    (report,) = opened.reports.list(kind="models")
    name = app.report_files.names("reviews", report.report_id)[0]
    held = app.archive.read(name)
    app.archive.write(name, b"broken")
    try:
        assert b"records new to both" in report.html()
        assert b'packed-plots">' not in report.html()
    finally:
        app.archive.write(name, held)
    with app.database.write() as connection:
        mine = sa.update(t.comparisons).where(t.comparisons.c.report_id == report.report_id)
        kept = connection.execute(sa.select(t.comparisons.c.document)).scalars().first()
        connection.execute(mine.values(document={"title": 1}))
    try:
        listed = opened.reports.list(limit=None)
        damaged = next(one for one in listed if one.report_id == report.report_id)
        with pytest.raises(StoreUnusable, match="Other reports are not affected"):
            _ = damaged.comparison
        opened.site.build(to=tmp_path)
        assert "Restore the store" in (tmp_path / "reviews/comparisons" / f"{report.report_id}.html").read_text()
    finally:
        with app.database.write() as connection:
            connection.execute(mine.values(document=kept))
        app.close()


def test_a_report_that_fails_fails_no_gate(
    judged: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The gate's verdict stands where its report cannot be drawn: that is told, and nothing is raised."""

    def broken(*_args: object, **_more: object) -> None:
        raise TrueupError("no plots today")

    monkeypatch.setattr(model_comparison_report, "snapshot_of_models", broken)
    app = open_app(judged / "trueup.toml", judged / ".trueup")
    answers, score = np.array(["positive", "negative"], dtype=object), np.array([0.9, 0.1])
    paired = Paired(
        opponent="champion", truth=answers, opponent_predicted=answers, challenger_predicted=answers,
        opponent_score=score, challenger_score=score, unit=np.arange(2), evaluation=np.ones(2, dtype=bool),
        classes=("negative", "positive"),
    )  # fmt: skip
    gate = {"passed": True, "tests": [], "answers": {}}
    model_comparison_report.keep_model_comparison(app, app.stream("reviews"), 1, 9, TRAINED, paired, gate)
    assert "no plots today" in caplog.text
    app.close()


def test_pruning_knows_comparisons(judged: Path) -> None:
    """Where the retention lets a comparison go, its files go, and its figures stay."""
    app: App = open_app(judged / "trueup.toml", judged / ".trueup")
    settings = app.stream("reviews")
    short = Retention(reports="1d", incident_reports="1d")
    later = replace(app, clock=lambda: app.now() + timedelta(days=40))
    found = prune(later, settings.model_copy(update={"retention": short}), dry_run=True)
    named = {one["name"] for one in found["removed"] if one["kind"] == "report"}
    (report,) = trueup.open(judged / "trueup.toml", judged / ".trueup").reports.list(kind="models")
    assert report.report_id in named
    app.close()
