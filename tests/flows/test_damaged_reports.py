"""Years of reports: what is damaged, missing or of another format costs only itself, and incidents are kept longer."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import trueup
from tests.flows.test_commands import Shell
from tests.former_deployment import unpacked
from tests.storage.test_sql_views import DRIFT, METRIC, NOON
from trueup.flows.app import App, open_app
from trueup.flows.audit.prune import prune
from trueup.monitoring.check import Check, Verdict
from trueup.storage import alert_tables
from trueup.storage import tables as t
from trueup.storage.errors import StoreUnusable
from trueup.storage.policy import Retention

BARE = json.dumps({"widgets": [], "tests_widgets": []}).encode()  # a snapshot that holds nothing
SETTINGS = '[streams.made]\nid = "id"\ntime = "at"\ntext = ["text"]\n'
KEPT = '[streams.made.retention]\nreports = "30d"\nincident_reports = "365d"\n'


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Three checks of one stream with their files: a breached one, then two quiet ones."""
    (tmp_path / "trueup.toml").write_text(SETTINGS + KEPT)
    opened = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    for number, signals in enumerate(((DRIFT, METRIC), (METRIC,), (METRIC,))):
        add(opened, f"report{number}", number, Check(report_id=f"report{number}", counted=True, signals=signals))
    yield opened
    opened.close()


def add(app: App, name: str, day: int, check: Check) -> None:
    at = NOON + timedelta(days=day)
    app.cycles.keep_check(
        stream="made", cycle_id=None, as_of=at, version=1, last=None, document=check.as_json(), now=at
    )
    app.report_files.store("made", name, snapshot=BARE)


def file_of(app: App, name: str, kind: str) -> Path:
    return app.home / "archive" / "reports" / "made" / f"{name}.{kind}.gz"


def test_a_damaged_file_costs_only_itself(app: App, tmp_path: Path) -> None:
    """A snapshot cut, gone or of other content leaves the page without its plots, and says so there; all others are as
    they were; where an older release kept a page, that is shown."""
    for name in ("report1", "report2"):
        file = file_of(app, name, "json")
        file.write_bytes(file.read_bytes()[:9])
    file_of(app, "report0", "json").unlink()
    file_of(app, "report0", "distributions.json").write_bytes(b"?")
    app.archive.write("reports/made/report2.html.gz", gzip.compress(b"<p>as it was</p>"))
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        reports = deployment.stream("made").reports
        assert [one.report_id for one in reports.list()] == ["report2", "report1", "report0"]
        assert [one.verdict for one in reports.list()] == [Verdict.OK, Verdict.OK, Verdict.BREACHED]
        assert "damaged" in reports.open("report1", browser=False)[0].read_text()
        with pytest.raises(StoreUnusable, match="damaged"):
            reports.export("report1", tmp_path / "out")
        assert "damaged" in (tmp_path / "out" / "report1.html").read_text()
        assert reports.open("report2", browser=False)[0].read_bytes() == b"<p>as it was</p>"
        page = reports.open("report0", browser=False)[0].read_text()
        assert DRIFT.said in html.unescape(page)
        assert "pruned" in page
        assert reports.compare("report0", "report2").turned == ("DRF-IN-price",)
        assert reports.show("report0").check.breached == (DRIFT,)


def test_damaged_figures_cost_only_their_own_report(app: App, tmp_path: Path) -> None:
    """A check whose document cannot be read is listed, and opens with its plots; asked for its figures it says so."""
    with app.database.write() as connection:
        connection.execute(sa.text("UPDATE checks SET document = '{' WHERE id = 'report1'"))
    shell = Shell(tmp_path)
    assert [one["report_id"] for one in shell("reports list").document["reports"]] == ["report2", "report1", "report0"]
    assert len(shell("signals -s made").document["signals"]) == 4
    assert "page" in shell("reports open report1 --no-browser").document["reports"][0]
    assert shell("reports show report0").document["reports"][0]["signals"]
    with trueup.open(tmp_path / "trueup.toml") as deployment, pytest.raises(StoreUnusable, match="not affected"):
        _ = deployment.reports.show("report1").check


def test_a_pruning_goes_on_past_what_cannot_be_removed(app: App) -> None:
    """A missing file is no failure, one that cannot be removed is told and tried again, and the others go."""
    stuck = file_of(app, "report1", "json")
    stuck.unlink()
    (stuck / "a folder").mkdir(parents=True)
    file_of(app, "report2", "distributions.json").unlink()
    done = prune(app, app.stream("made"))
    assert {one["name"]: bool(one["left"]) for one in done["removed"]} == {
        "report0": False, "report1": True, "report2": False,
    }  # fmt: skip
    assert not file_of(app, "report2", "json").exists()
    (stuck / "a folder").rmdir()
    stuck.rmdir()
    (again,) = prune(app, app.stream("made"))["removed"]
    assert (again["name"], again["left"]) == ("report1", [])


def test_reports_of_incidents_are_kept_longer(app: App) -> None:
    """Quiet reports go by `reports`, one that breached by `incident_reports`, and while an incident is open neither it
    nor what came since."""
    log = app.prunings
    assert log.quiet_reports("made", NOON + timedelta(days=99)) == ["report1", "report2"]
    assert log.reports_of_past_incidents("made", NOON + timedelta(days=99)) == ["report0", "report1", "report2"]
    assert log.reports_of_past_incidents("made", NOON) == []
    with app.database.write() as connection:
        connection.execute(sa.insert(alert_tables.incidents), {
            "id": "i", "stream": "made", "cause": "drift", "causes": ["drift"], "codes": [], "over": [],
            "severity": "low", "stem": "made", "thread": "i@trueup", "opened_at": NOON + timedelta(days=1),
            "refusal_told": False,
        })  # fmt: skip
    assert log.reports_of_past_incidents("made", NOON + timedelta(days=99)) == ["report0"]


@pytest.mark.parametrize(("reports", "longer"), [("30d", "7d"), ("", "7d")])
def test_incidents_are_never_kept_shorter(reports: str, longer: str) -> None:
    """A setting by which reports of incidents would go before the others is refused."""
    with pytest.raises(ValueError, match="at least as long"):
        Retention(reports=reports, incident_reports=longer)


def test_summaries_of_an_older_format_are_read(tmp_path: Path) -> None:
    """Reports of a deployment of before are listed, shown and compared, also where a check has the fewest keys, and a
    snapshot of another Evidently is refused in words while its page and figures stay."""
    folder = unpacked(tmp_path)
    with trueup.open(folder / "trueup.toml", folder / ".trueup") as deployment:
        (former, *_) = deployment.reports.list()
        assert former.check.signals
        app = deployment._app
        signal = {"code": "DRF-TEXT", "name": "words", "verdict": "breached", "said": "Words moved.", "value": 0.5}
        bare = {"report_id": "older", "counted": True, "signals": [signal]}
        app.cycles.keep_check(
            stream=former.stream, cycle_id=None, as_of=NOON, version=1, last=None, document=bare, now=NOON
        )
        app.report_files.store(former.stream, "older", snapshot=json.dumps({"id": 1}).encode())
        older = deployment.reports.show("older")
        assert older.verdict is Verdict.BREACHED
        assert older.check.breached[0].value == 0.5
        assert deployment.reports.compare("older", former.report_id).changes
        with pytest.raises(StoreUnusable, match="another version"):
            older.evidently()
        assert "Words moved." in older.html().decode()
        app.archive.write(f"reports/{former.stream}/older.html.gz", gzip.compress(b"<p>as it was</p>"))
        assert older.html() == b"<p>as it was</p>"
        with app.database.read() as connection:
            stored = connection.execute(sa.select(t.signals).where(t.signals.c.check_id == "older")).one()
        assert (stored.name, stored.n_current, stored.interval_low) == ("words", 0, None)
