"""What the site's pages say, read from the store: streams of every kind, thinned courses, links that lead somewhere."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.made_checks import SIGNALS
from tests.made_pages import faults_of, read_page
from trueup.feedback.intake import ingest
from trueup.flows.app import App, open_app
from trueup.flows.site.facts.glance import overview_facts
from trueup.flows.site.facts.incident import incident_facts
from trueup.flows.site.facts.models import models_facts
from trueup.flows.site.facts.month import month_facts
from trueup.flows.site.facts.quarantine import quarantine_facts
from trueup.flows.site.facts.stream import stream_facts
from trueup.flows.site.layout import page_of_check, page_of_month, page_of_stream
from trueup.monitoring.check import Check, Verdict
from trueup.reports.masking import unmasked
from trueup.reports.pages.incident_page import incident_page
from trueup.reports.pages.models_page import models_page
from trueup.reports.pages.month_page import month_page
from trueup.reports.pages.overview_page import overview_page
from trueup.reports.pages.quarantine_page import quarantine_page
from trueup.reports.pages.stream_page import stream_page
from trueup.storage import tables as t
from trueup.storage.check_courses import CheckCourses
from trueup.storage.incidents import Incident
from trueup.storage.periods import DAYS, periods_over
from trueup.storage.promotions import PromotionAttempt, PromotionKind, PromotionState
from trueup.storage.prunings import REPORT, Pruning
from trueup.storage.signal_rows import signal_row
from trueup.storage.silences import Silence

pytestmark = pytest.mark.whole_reports

NOW = datetime(2024, 6, 1, tzinfo=UTC)
FIRST = datetime(2024, 3, 1, tzinfo=UTC)
EVIL = "<img src=x onerror=alert(1)>"
SETTINGS = f"""
[streams.reviews]
id = "id"
time = "at"
text = ["t"]
label = {{ column = "y", arrived = "seen", maturity = "1d" }}
[streams.empty]
time = "at"
text = ["t"]
[streams.prices]
task = "regression"
time = "at"
numeric = ["n", "{EVIL}"]
label = {{ column = "y" }}
[streams.inputs]
task = "drift"
time = "at"
numeric = ["n"]
[streams.elsewhere]
time = "at"
text = ["t"]
label = {{ column = "y" }}
prediction = {{ column = "p" }}
"""


def check_at(app: App, stream: str, at: datetime, number: int, *, breached: bool, counted: bool = True) -> str:
    """Store a check whose words breach or not, and whose metric falls by a thousandth each."""
    said = {"DRF-TEXT": {"verdict": Verdict.BREACHED if breached else Verdict.OK},
            "PRF-METRIC": {"value": 0.9 - number / 1000, "effect": 0.01, "interval": (-0.02, 0.04)}}  # fmt: skip
    signals = tuple(replace(s, **said.get(s.code, {})) for s in SIGNALS)
    check = Check(report_id=f"{stream[:1]}{number:05x}", counted=counted, signals=signals)
    app.cycles.keep_check(
        stream=stream, cycle_id=None, as_of=at, version=1, last=None, document=check.as_json(), now=at
    )
    return check.report_id


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Streams of every kind; "reviews" has 200 checks, two a day, of which every tenth breached."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "trueup.toml").write_text(SETTINGS)
    opened = open_app(folder / "trueup.toml", folder / ".trueup")
    app = App(opened.settings, opened.config, opened.home, clock=lambda: NOW)
    days = [(k % 28 + 1, "yes" if k % 3 else "no") for k in range(90)]
    rows = "".join(f"r{k},2024-03-{d:02d},word,{y},2024-03-{d + 2:02d}\n" for k, (d, y) in enumerate(days))
    bad = f"r998,never,call me at a@example.org {EVIL},yes,\nr999,2024-03-01,,yes,\n"
    (folder / "rows.csv").write_text(f"id,at,t,y,seen\n{rows}{bad}")
    ingest(app.store, app.stream("reviews"), [str(folder / "rows.csv")], now=NOW)
    for k in range(200):
        check_at(app, "reviews", FIRST + timedelta(hours=12 * k), k, breached=k % 10 == 0)
    for stream in ("prices", "inputs", "elsewhere"):
        check_at(app, stream, FIRST, 0, breached=False)
    gate = {
        "passed": False,
        "tests": [{"code": "GATE-METRIC", "passed": False, "value": 0.01, "bound": 0.02, "said": EVIL}],
        "answers": {"records": 40, "wrong_before": 0.2, "wrong_now": 0.1, "repaired": 6, "broken": 2},
    }
    common = {"stream": "reviews", "who": "ann", "why": EVIL, "codes": (), "labels": 40}
    incident = Incident(
        id="abc123", stream="reviews", cause="drift", causes=("drift",), codes=("DRF-TEXT",), severity="low",
        stem="reviews: the data changed on 6 March", thread="t@x", opened_at=FIRST + timedelta(days=5),
        resolved_at=FIRST + timedelta(days=9), outcome="quiet",
    )  # fmt: skip
    with app.database.write() as connection:
        app.incidents.open(connection, incident)
        app.incidents.open(connection, replace(incident, id="def456", resolved_at=None, outcome=None))
        for number, state in ((1, PromotionState.COMMITTED), (2, PromotionState.REFUSED)):
            app.promotions.add(connection, PromotionAttempt(
                kind=PromotionKind.CHALLENGER, state=state, from_version=number - 1 or None, to_version=number,
                as_of=FIRST + timedelta(days=6 * number), at=FIRST + timedelta(days=6 * number), gate=gate, **common,
            ))  # fmt: skip
    yield app
    app.close()


def test_every_kind_of_stream_has_its_pages(app: App) -> None:
    """Without records, checks, champion, label or prediction the pages are whole, and say what is missing."""
    assert not faults_of(overview_page(overview_facts(app)))
    for stream in app.settings.streams.values():
        for page in (
            stream_page(stream_facts(app, stream)), models_page(models_facts(app, stream)),
            quarantine_page(quarantine_facts(app, stream)), month_page(month_facts(app, stream, date(2024, 3, 1))),
        ):  # fmt: skip
            assert not faults_of(page), stream.name
            assert not read_page(page).of("img")
    said = " ".join(read_page(stream_page(stream_facts(app, app.stream("empty")))).words)
    assert "No check has been made yet" in said
    assert "No records were taken in yet" in said


def test_a_long_course_is_thinned_and_says_so(app: App) -> None:
    """200 checks are shown as the worst of each period: no breach is lost, and its column leads to one."""
    facts = stream_facts(app, app.stream("reviews"))
    assert facts.whole is not None
    assert facts.metric is not None
    assert "worst" in facts.whole.note
    assert "200 counted checks" in facts.metric.note
    lowest = min(p.measured for p in facts.metric.points)
    assert lowest == pytest.approx(0.9 - 199 / 1000)
    breached = [c for c in facts.whole.columns if c.verdicts["DRF-TEXT"] is Verdict.BREACHED]
    ids = {column.href.rpartition("/")[2].removesuffix(".html") for column in breached}
    assert all(int(one[1:], 16) % 10 == 0 for one in ids)
    weeks = {periods_over(FIRST, FIRST + timedelta(hours=12 * 199), 62).number(FIRST + timedelta(hours=12 * k))
             for k in range(0, 200, 10)}  # fmt: skip
    assert len(breached) == len(weeks)


def test_an_interval_of_the_metric_is_that_of_its_drop_turned(app: App) -> None:
    """A drop between -0.02 and 0.04 of a reference of 0.91 is a metric between 0.87 and 0.93."""
    facts = month_facts(app, app.stream("reviews"), date(2024, 3, 1))
    assert facts.metric is not None
    first = facts.metric.points[0]
    assert first.low is not None
    assert first.high is not None
    assert first.high - first.low == pytest.approx(0.06)
    assert first.low < first.measured < first.high


def test_months_hold_every_check_once(app: App) -> None:
    """The months of the stream's page count what their own pages list, newest first."""
    stream = app.stream("reviews")
    months = stream_facts(app, stream).months
    expected = Counter((FIRST + timedelta(hours=12 * k)).strftime("%Y-%m") for k in range(200))
    assert {f"{m.month:%Y-%m}": m.checks for m in months} == expected
    assert [m.month for m in months] == sorted((m.month for m in months), reverse=True)
    for month in months:
        facts = month_facts(app, stream, month.month)
        assert len(facts.checks) == facts.checks_total == month.checks
        assert sum(bool(c.breached) for c in facts.checks) == month.breached
        here = page_of_month("reviews", month.month)
        there = posixpath.join(posixpath.dirname(here), facts.stream_href)
        assert posixpath.normpath(there) == page_of_stream("reviews")


def test_counts_by_the_store_are_those_of_the_checks(app: App) -> None:
    """What SQL counts by day is what the checks hold, one by one."""
    days = CheckCourses(app.database).signal_periods("reviews", DAYS, FIRST, FIRST + timedelta(days=200))
    expected = Counter(DAYS.number(FIRST + timedelta(hours=12 * k)) for k in range(200))
    words = {d.number: d for d in days if d.code == "DRF-TEXT"}
    assert {number: d.breached + d.ok + d.unjudged for number, d in words.items()} == expected
    assert sum(d.breached for d in words.values()) == 20


def test_a_removed_report_is_not_linked(app: App) -> None:
    """A check whose report was pruned stays in the list, without a link that leads nowhere."""
    stream = app.stream("inputs")
    kept = page_of_check("inputs", "i00000").rpartition("/")[2]
    assert kept in stream_page(stream_facts(app, stream)).decode()
    with app.database.write() as connection:
        removed = {"stream": "inputs", "kind": REPORT, "name": "i00000", "decided_at": NOW, "who": "ann"}
        app.prunings.decide(connection, [Pruning(**removed, done_at=None, bytes=0, left=())])
    facts = stream_facts(app, stream)
    assert [line.href for line in facts.checks] == [""]
    assert f'href="checks/{kept}"' not in stream_page(facts).decode()


def test_labels_and_their_delay_are_counted(app: App) -> None:
    """90 labels that came two days after their records, more or less, in even periods."""
    course = stream_facts(app, app.stream("reviews")).arrivals
    assert course is not None
    assert sum(v.records for v in course.volumes) == 90
    assert course.labels == 90
    assert not course.with_records
    assert {round(d.median or 0) for d in course.delays} == {2}


def test_incidents_keep_the_words_of_their_time(app: App) -> None:
    """A closed incident is told as it stood, an open one as it stands; what happened stands in its order."""
    stream = app.stream("reviews")
    closed = incident_facts(app, stream, "abc123")
    assert not faults_of(incident_page(closed))
    assert [e.said for e in closed.events] == ["Opened", "v1: promoted", "Closed"]
    assert closed.now.report == "r00012"  # the check of 10 March, when it closed
    still = incident_facts(app, stream, "def456")
    assert still.now.report == "r000c7"
    assert [e.said for e in still.events] == ["Opened", "v1: promoted", "v2: refused"]
    at = still.opened_at + timedelta(minutes=1)
    app.silences.add(Silence(stream="reviews", target="def456", until=NOW, at=at, who="jo", why="known"))
    silenced = [e for e in incident_facts(app, stream, "def456").events if "silenced" in e.said]
    assert [(e.said, e.more) for e in silenced] == [("Mails silenced until 2024-06-01 00:00 UTC", "By jo: known")]


def test_what_strangers_wrote_is_masked_where_asked(app: App) -> None:
    """Rows of the quarantine lose addresses unless the place is private; either way they are text."""
    stream = app.stream("reviews")
    shown = quarantine_page(quarantine_facts(app, stream, mask=unmasked)).decode()
    hidden = quarantine_page(quarantine_facts(app, stream)).decode()
    assert "a@example.org" in shown
    assert "a@example.org" not in hidden
    assert "[address]" in hidden
    assert "&lt;img" in hidden


def test_an_unchanged_store_gives_the_same_bytes(app: App) -> None:
    """Pages are made of the store alone, so what did not change is not written again."""
    stream = app.stream("reviews")
    assert stream_page(stream_facts(app, stream)) == stream_page(stream_facts(app, stream))
    assert incident_page(incident_facts(app, stream, "abc123")) == incident_page(incident_facts(app, stream, "abc123"))


def test_a_year_of_hourly_checks_is_a_small_page(tmp_path: Path) -> None:
    """8,760 checks: the stream's page stays under a megabyte, and a month folds its checks by day."""
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    document = Check(report_id="", counted=True, signals=SIGNALS).as_json()
    checks = [
        {"id": f"{k:06x}", "stream": "reviews", "as_of": at, "version": 1, "counted": True, "made_at": at,
         "document": document, "verdict": "ok"}
        for k in range(8_760) for at in (FIRST + timedelta(hours=k),)
    ]  # fmt: skip
    with app.database.write() as connection:
        connection.execute(sa.insert(t.checks), checks)
        rows = [signal_row(check["id"], signal) for check in checks for signal in document["signals"]]
        connection.execute(sa.insert(t.signals), rows)
    page = stream_page(stream_facts(app, app.stream("reviews")))
    month = month_page(month_facts(app, app.stream("reviews"), date(2024, 5, 1)))
    app.close()
    assert len(page) < 300_000
    assert len(month) < 400_000
    assert month.count(b"<details><summary>") == 31
    breached = ", ".join(sorted(s.code for s in SIGNALS if s.verdict is Verdict.BREACHED))
    assert f"<summary>15 May: 24 checks, 24 breached: {breached}</summary>".encode() in month
