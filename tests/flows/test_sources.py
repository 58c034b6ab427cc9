"""A stream whose records come in by themselves: pulled by each cycle, and an incident where the source fails."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import trueup
from trueup.flows.admin.doctor import examine
from trueup.flows.app import App, open_app
from trueup.flows.cli.main import cli
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.steps import Step
from trueup.storage import tables
from trueup.storage.errors import ConfigError, InputError, SourceFailed
from trueup.storage.sources.file_manifest import FileManifest
from trueup.storage.sources.source_settings import SourceSettings

START = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SETTINGS = """
[streams.sensors]
task = "drift"
id = "id"
time = "at"
numeric = ["x", "y"]

[streams.sensors.policy]
window = 100
confirm = 1

[streams.sensors.alerts]
to = ["oncall@example.org"]

[streams.sensors.source]
files = "exports/*.csv"
settle = "0s"
"""


def export(folder: Path, day: int, rows: int = 100) -> Path:
    """The file of a day, as an exporter writes it."""
    rng, file = np.random.default_rng(day), folder / "exports" / f"day{day:03}.csv"
    file.parent.mkdir(exist_ok=True)
    lines = [
        f"{day}-{k},{START + day * DAY + timedelta(minutes=k):%Y-%m-%d %H:%M:%S},{rng.normal():.4f},{rng.normal():.4f}"
        for k in range(rows)
    ]
    file.write_text("id,at,x,y\n" + "\n".join(lines) + "\n")
    return file


@pytest.fixture
def app(tmp_path: Path) -> App:
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    return open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")


def cycle(app: App, day: float, **more: Any) -> dict[str, Any]:
    return run_cycle(app, app.stream("sensors"), START + day * DAY, **more)


def test_each_cycle_takes_in_what_is_new(app: App, tmp_path: Path) -> None:
    """The first makes its reference of what it pulled, the next compares what came since; a third finds nothing new."""
    export(tmp_path, 0)
    first = cycle(app, 1)
    taken = {"accepted": 100, "duplicate": 0, "quarantined": 0, "erased": 0, "problems": [], "unfinished": False}
    assert first["pulled"] == {"records": {**taken, "files": {"taken": 1}}}
    assert first["champion"] == 1
    export(tmp_path, 1)
    second = cycle(app, 2)
    assert second["check"]["counted"]
    assert cycle(app, 3)["pulled"]["records"]["files"] == {}
    assert app.counts.records(app.stream("sensors")) == 200


def test_a_source_that_fails_is_an_incident_and_no_failed_cycle(app: App, tmp_path: Path) -> None:
    """Opened once and told once, the check says how old its data is, and it closes when the source is read again."""
    export(tmp_path, 0)
    cycle(app, 1)
    export(tmp_path, 1)
    cycle(app, 2)
    (tmp_path / "exports").rename(tmp_path / "away")
    failed, again = cycle(app, 3), cycle(app, 40)
    assert "exports' does not exist" in failed["pulled"]["records"]["failed"]
    for done, age in ((failed, "46 hours"), (again, "38 days")):
        (note,) = [note for note in done["check"]["notes"] if "source" in note]
        assert f"the newest record of this check is {age} old (2024-01-02 01:39 UTC)" in note
        assert done["decision"]["reasons"][0] == note
    (incident,) = [i for i in app.incidents.open_ones("sensors") if i.cause == "source"]
    assert incident.codes == ("SOURCE",)
    assert [a["kind"] for a in failed["alerts"]] == ["failure"]
    assert again["alerts"] == []  # that no records come is the same event
    (tmp_path / "away").rename(tmp_path / "exports")
    mended = cycle(app, 41)
    assert [a["kind"] for a in mended["alerts"]] == ["incident_resolved"]
    assert not [i for i in app.incidents.open_ones("sensors") if i.cause == "source"]


def test_a_silence_that_outlasts_the_failure_of_its_source_is_told(app: App, tmp_path: Path) -> None:
    """While the source fails it is the same event; once the source can be read and brings nothing, it is another."""
    for day in (0, 1):
        export(tmp_path, day)
    assert cycle(app, 2.5)["alerts"] == []
    (tmp_path / "exports").rename(tmp_path / "away")
    assert [a["kind"] for a in cycle(app, 3.5)["alerts"]] == ["failure"]
    assert cycle(app, 4.5)["alerts"] == []
    (tmp_path / "exports").mkdir()
    told = {a["kind"]: a["subject"] for a in cycle(app, 5.5)["alerts"]}
    assert set(told) == {"incident_resolved", "incident_opened"}
    assert "the number of records changed" in told["incident_opened"]
    assert cycle(app, 6.5)["alerts"] == []


def test_a_check_without_a_record_says_how_old_the_newest_stored_one_is(app: App, tmp_path: Path) -> None:
    """Its window holds none that the champion did not know, and a person asks since when nothing came."""
    export(tmp_path, 0)
    cycle(app, 1)
    (tmp_path / "exports").rename(tmp_path / "away")
    (note,) = [note for note in cycle(app, 3)["check"]["notes"] if "source" in note]
    assert "the newest record stored is 2 days old (2024-01-01 01:39 UTC)" in note


def test_without_any_record_a_failed_source_says_so(app: App) -> None:
    """Before the first pull that succeeds there is no age to tell."""
    assert "no record is stored yet" in cycle(app, 1)["decision"]["reasons"][0]


def test_a_broken_file_is_told_of_until_it_is_mended_or_gone(app: App, tmp_path: Path) -> None:
    """The others are taken in meanwhile, and one mail tells of it."""
    broken = tmp_path / "exports" / "broken.csv"
    export(tmp_path, 0)
    broken.write_text("no,such,columns\n1,2,3\n")
    first = cycle(app, 1)
    assert first["pulled"]["records"]["accepted"] == 100
    (problem,) = first["pulled"]["records"]["problems"]
    assert problem.startswith("exports/broken.csv cannot be taken in: columns 'id', 'at'")
    assert "broken.csv" in first["decision"]["reasons"][0]
    assert [a["kind"] for a in first["alerts"]] == ["failure"]
    assert cycle(app, 1.5)["alerts"] == []
    broken.unlink()
    export(tmp_path, 1)
    assert [a["kind"] for a in cycle(app, 2)["alerts"]] == ["incident_resolved"]


def test_feedback_comes_in_by_itself_as_records_do(app: App, tmp_path: Path) -> None:
    """After them, since it speaks of them; renamed, broken and missing files of it are told of, and records go on."""
    settings = (tmp_path / "trueup.toml").read_text()
    said = '\n[streams.sensors.feedback_source]\nfiles = "said/*.csv"\nsettle = "0s"\n'
    (tmp_path / "trueup.toml").write_text(settings + said)
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    export(tmp_path, 0)
    (tmp_path / "said").mkdir()
    head = "record_id,kind,value,user,at\n"
    (tmp_path / "said" / "a.csv").write_text(head + "0-1,thumb,up,ann,2024-01-01 12:00\n")
    first = cycle(app, 1)["pulled"]
    assert (first["records"]["accepted"], first["feedback"]["accepted"]) == (100, 1)
    (tmp_path / "said" / "a.csv").rename(tmp_path / "said" / "b.csv")
    (tmp_path / "said" / "c.csv").write_text("no,such,columns\n1,2,3\n")
    (tmp_path / "said" / "d.csv").write_text(head + "0-2,thumb,down,bob,2024-01-01 12:00\n")
    second = cycle(app, 1.5)
    found = second["pulled"]["feedback"]
    assert (found["accepted"], found["files"]) == (1, {"renamed": 1, "set_aside": 1, "taken": 1})
    assert "said/c.csv cannot be taken in" in second["decision"]["reasons"][0]
    (tmp_path / "said").rename(tmp_path / "away")
    export(tmp_path, 1)
    third = cycle(app, 2)
    assert third["pulled"]["records"]["accepted"] == 100
    assert "said' does not exist" in third["pulled"]["feedback"]["failed"]
    (note,) = [note for note in third["check"]["notes"] if "source" in note]
    assert note.startswith("The source of feedback failed")
    assert [i.codes for i in app.incidents.open_ones("sensors") if i.cause == "source"] == [("SOURCE",)]


def test_a_query_that_fails_is_an_incident_too(app: App, tmp_path: Path) -> None:
    """The file is not there, then it lacks the table; the cycle goes on, and a mend closes the incident."""
    settings = (tmp_path / "trueup.toml").read_text().partition("[streams.sensors.source]")[0]
    query = 'sql = "sqlite:///shop.db"\nquery = "SELECT * FROM readings"\ncursor = "at"\n'
    (tmp_path / "trueup.toml").write_text(f"{settings}[streams.sensors.source]\n{query}")
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    assert "there is no such file" in cycle(app, 1)["pulled"]["records"]["failed"]
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE other (id TEXT)")
    assert "no such table: readings" in cycle(app, 1.5)["pulled"]["records"]["failed"]
    assert [i.codes for i in app.incidents.open_ones("sensors") if i.cause == "source"] == [("SOURCE",)]
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("CREATE TABLE readings (id TEXT, at TEXT, x REAL, y REAL)")
        shop.execute("INSERT INTO readings VALUES ('a', '2024-01-01 10:00:00', 1, 2), ('b', NULL, 1, 2)")
    mended = cycle(app, 2)["pulled"]["records"]
    assert (mended["accepted"], mended["problems"][0].partition(" of ")[0]) == (1, "1 row")
    assert [i for i in app.incidents.open_ones("sensors") if i.cause == "source"]  # the row without a time is told of
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop, shop:
        shop.execute("DELETE FROM readings WHERE at IS NULL")
    assert cycle(app, 3)["pulled"]["records"]["problems"] == []
    assert not [i for i in app.incidents.open_ones("sensors") if i.cause == "source"]


def test_a_killed_cycle_does_not_pull_again(app: App, tmp_path: Path) -> None:
    """The pull is a step: what came after it waits for the next cycle, and the resumed one keeps its figures."""
    export(tmp_path, 0)
    seen: list[str] = []

    def killed(step: Step, work: Callable[[], None]) -> None:
        seen.append(step.name)
        if step.name == "score" and seen.count("score") == 1:
            raise KeyboardInterrupt
        work()

    with pytest.raises(KeyboardInterrupt):
        cycle(app, 1, run_step=killed)
    export(tmp_path, 1)
    assert cycle(app, 1, run_step=killed)["pulled"]["records"]["accepted"] == 100
    assert seen[:3] == ["pull", "score", "score"]
    assert app.counts.records(app.stream("sensors")) == 100


def test_the_store_is_no_file_of_records(app: App, tmp_path: Path) -> None:
    """Whatever it is called: a plain open of it, closed again, would drop the locks of this process."""
    assert app.database.engine.url.database == str(app.home / "trueup.db")
    (tmp_path / "named.csv").hardlink_to(app.home / "trueup.db")
    for command in ("ingest", "feedback"):
        for file in (app.home / "trueup.db", tmp_path / "named.csv"):
            done = CliRunner().invoke(cli, [command, str(file), "--config", str(tmp_path / "trueup.toml")])
            assert (done.exit_code, "is the store of this deployment" in done.stderr) == (2, True), done.stderr


def test_ingest_without_a_file_pulls(app: App, tmp_path: Path) -> None:
    """By command and by the face, with what each file came to; a stream without a source asks for a file."""
    export(tmp_path, 0)
    config = ["--config", str(tmp_path / "trueup.toml"), "--json"]
    done = CliRunner().invoke(cli, ["ingest", *config])
    found = json.loads(done.stdout)
    assert {key: found[key] for key in ("accepted", "duplicate", "quarantined", "files", "problems", "unfinished")} == {
        "accepted": 100, "duplicate": 0, "quarantined": 0, "problems": [], "unfinished": False,
        "files": [{"name": "exports/day000.csv", "outcome": "taken", "why": ""}],
    }  # fmt: skip
    said = CliRunner().invoke(cli, ["ingest", *config[:2]])
    assert said.stdout.splitlines()[-1] == "files: none is new"
    assert CliRunner().invoke(cli, ["feedback", *config]).exit_code == 2
    stream = trueup.open(tmp_path / "trueup.toml", tmp_path / ".trueup").stream("sensors")
    assert stream.ingest().files == ()
    with pytest.raises(InputError, match="as the stream's settings say"):
        stream.ingest(format={"delimiter": ";"})
    with pytest.raises(ConfigError, match="has no source of feedback"):
        stream.feedback()
    (tmp_path / "exports").rename(tmp_path / "away")
    with pytest.raises(SourceFailed, match="does not exist"):
        stream.ingest()
    assert CliRunner().invoke(cli, ["ingest", *config]).exit_code == 1


def test_doctor_tries_the_source_and_compares_days(app: App, tmp_path: Path) -> None:
    """Sound; with records that the store lacks; and away."""
    export(tmp_path, 0)
    export(tmp_path, 1)

    def found() -> tuple[bool, str]:
        (one,) = [finding for finding in examine(app) if finding.name == "source sensors"]
        return one.ok, one.said

    assert found() == (True, "2 files in exports/*.csv, 2 of them new")
    cycle(app, 2)
    agreed = "2 files in exports/*.csv, 0 of them new; of 2 days compared, none has fewer records in the store"
    assert found() == (True, agreed)
    manifest, lost = FileManifest(app.database, "sensors", "records"), export(tmp_path, 1, rows=120)
    known, stat = manifest.known()["exports/day001.csv"], lost.stat()
    manifest.keep(replace(known, size=stat.st_size, version=str(stat.st_mtime_ns)))
    ok, said = found()
    assert (ok, said.partition("; ")[2]) == (
        False, "of 2 days compared, 1 has fewer records in the store than in the source: 2024-01-02 (100 of 120)"
    )  # fmt: skip
    broken = tmp_path / "exports" / "broken.csv"
    broken.write_text("no,such,columns\n1,2,3\n")
    cycle(app, 3)
    ok, said = found()
    assert not ok
    assert said.startswith("3 files in exports/*.csv, 0 of them new; exports/broken.csv cannot be taken in: columns")
    (tmp_path / "exports").rename(tmp_path / "away")
    assert not found()[0]


@pytest.mark.parametrize("kind", ["files", "sql"])
def test_doctor_compares_the_days_of_feedback_too(app: App, tmp_path: Path, kind: str) -> None:
    """By when it was given; what names no stored record, and what was erased, is not missed of records either."""
    place = 'files = "said/*.csv"\nsettle = "0s"\n'
    if kind == "sql":
        place = 'sql = "sqlite:///said.db"\nquery = "SELECT * FROM said"\ncursor = "at"\n'
    settings = (tmp_path / "trueup.toml").read_text() + f"\n[streams.sensors.feedback_source]\n{place}"
    (tmp_path / "trueup.toml").write_text(settings)
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    export(tmp_path, 0)
    rows = [
        ("0-1", "thumb", "up", "ann", "2024-01-02 12:00"), ("0-2", "thumb", "down", "bob", "2024-01-02 13:00"),
        ("0-2", "thumb", "down", "eve", "2024-01-03 13:00"), ("none", "thumb", "up", "ann", "2024-01-03 14:00"),
    ]  # fmt: skip
    (tmp_path / "said").mkdir()
    lines = "".join(f"{','.join(row)}\n" for row in rows)
    (tmp_path / "said" / "a.csv").write_text(f"record_id,kind,value,user,at\n{lines}")
    with closing(sqlite3.connect(tmp_path / "said.db")) as said, said:
        said.execute("CREATE TABLE said (record_id, kind, value, user, at)")
        said.executemany("INSERT INTO said VALUES (?, ?, ?, ?, ?)", rows)

    def found() -> list[tuple[bool, str, str]]:
        looked = [finding for finding in examine(app) if finding.name.startswith("source sensors")]
        return [(one.ok, one.said.partition("; ")[2], one.mend) for one in looked]

    stream = trueup.open(tmp_path / "trueup.toml", tmp_path / ".trueup").stream("sensors")
    stream.ingest()
    stream.feedback()
    assert found()[1] == (True, "of 2 days compared, none has less feedback in the store", "")
    stream.erase(record="0-1", why="asked for")
    assert found() == [
        (True, "of 1 day compared, none has fewer records in the store", ""),
        (True, "of 2 days compared, none has less feedback in the store", ""),
    ]
    with app.database.write() as connection:
        connection.execute(sa.delete(tables.feedback).where(tables.feedback.c.user == "bob"))
    ok, said_of, mend = found()[1]
    less = "of 2 days compared, 1 has less feedback in the store than in the source: 2024-01-02 (0 of 1)"
    assert (ok, said_of) == (False, less)
    assert "quarantine release --all --stream sensors" in mend
    assert ("set look_back" in mend) is (kind == "sql")


@pytest.mark.parametrize("source", [{}, {"files": "x/*.csv", "settle": "1min"}])
def test_settings_can_be_handed_to_another_process(source: dict[str, str]) -> None:
    """What is written out whole, keys that were never set included, reads back as the same source."""
    given = SourceSettings.model_validate(source)
    assert SourceSettings.model_validate(given.model_dump(mode="json")) == given


def test_a_glob_that_reaches_the_home_is_refused_and_told(app: App, tmp_path: Path) -> None:
    """trueup would take in what it wrote itself: the cycle goes on, and the incident says what to change."""
    text = (tmp_path / "trueup.toml").read_text()
    (tmp_path / "trueup.toml").write_text(text.replace("exports/*.csv", ".trueup/**/*.parquet"))
    app = open_app(tmp_path / "trueup.toml", tmp_path / ".trueup")
    assert "reaches the home folder" in cycle(app, 1)["pulled"]["records"]["failed"]
    with pytest.raises(ConfigError, match="reaches the home folder"):
        trueup.open(tmp_path / "trueup.toml", tmp_path / ".trueup").stream("sensors").ingest()
