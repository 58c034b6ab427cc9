"""The public Python face: what each command does, with pandas and Arrow in and out, as frozen values."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

import trueup
from tests.made_deployments import ONE_CANDIDATE, SETTINGS, TRAINED, WEEK, WINDOW, take_in, with_champion
from trueup.flows.cli.main import cli
from trueup.flows.demo.reviews import BROKEN, HEALTHY, make_reviews

pytestmark = pytest.mark.whole_reports

AT = TRAINED + WEEK
GROUPS = {"reports": "Reports", "alerts": "Alerts", "models": "Models", "quarantine": "Quarantine", "site": "Site",
          "data": "Data"}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with a champion and one healthy window."""
    place = tmp_path_factory.mktemp("face")
    app = with_champion(place, more=ONE_CANDIDATE)
    take_in(app, place, 2, TRAINED, WEEK, HEALTHY)
    app.close()
    return place


@pytest.fixture(scope="module")
def reviews(folder: Path) -> Iterator[trueup.Stream]:
    with trueup.open(folder / "trueup.toml") as deployment:
        yield deployment.stream("reviews")


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command by its words."""
    if not hasattr(command, "commands"):
        yield path
        return
    for name, sub in command.commands.items():
        yield from commands(sub, (*path, name))


def method_of(words: tuple[str, ...]) -> Any:
    """What of the face does what a command does."""
    if len(words) == 2:
        return getattr(getattr(trueup, GROUPS[words[0]]), words[1], None)
    places = (trueup.Stream, trueup.Deployment, trueup)
    return next((found for place in places if (found := getattr(place, words[0], None))), None)


def test_every_command_has_its_method() -> None:
    """One implementation, two faces: each command stands on the face under its own words, with its meaning."""
    known = list(commands(typer.main.get_command(cli)))
    assert ("models", "rollback") in known
    assert ("check",) in known
    for words in known:
        method = method_of(words)
        assert method is not None, f"trueup {' '.join(words)} has no method"
        assert inspect.getdoc(method), f"{words}: no docstring"


def test_every_public_name_is_there_and_documented() -> None:
    """What `trueup` lists can be had, says what it is, and nothing else is promised."""
    for name in trueup.__all__:
        assert inspect.getdoc(getattr(trueup, name)), name
    with pytest.raises(AttributeError, match="no attribute 'storage_engine'"):
        _ = trueup.storage_engine
    assert trueup.__version__.count(".") >= 2


def test_a_frame_an_arrow_table_and_a_file_are_the_same_records(tmp_path: Path) -> None:
    """The same rows sent three ways are stored once."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=WINDOW))
    frame = make_reviews(4, TRAINED, 7, 50, HEALTHY)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        stream = deployment.stream()
        first = stream.ingest(frame.assign(at=pd.to_datetime(frame["at"])))
        again = stream.ingest(pa.Table.from_pandas(frame), tmp_path / "rows.csv", frame.set_index("review_id"))
    assert (first.accepted, first.duplicate) == (50, 0)
    assert (again.accepted, again.duplicate, again.quarantined) == (0, 150, 0)


def test_a_file_that_is_written_otherwise_is_described(tmp_path: Path) -> None:
    """By `format` in Python and by options of the command; what the settings say is for the others."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=WINDOW))
    frame = make_reviews(6, TRAINED, 7, 20, HEALTHY)
    frame.to_csv(tmp_path / "rows.csv", index=False, sep=";", encoding="utf-16")
    frame.to_csv(tmp_path / "more.csv", index=False, sep="\t")
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        stream = deployment.stream()
        with pytest.raises(trueup.InputError, match='encoding = "utf-16"'):
            stream.ingest(tmp_path / "rows.csv")
        with pytest.raises(trueup.ConfigError, match=r"format\.colour"):
            stream.ingest(tmp_path / "rows.csv", format={"colour": "red"})
        done = stream.ingest(tmp_path / "rows.csv", format={"delimiter": ";", "encoding": "utf-16"})
    assert (done.accepted, done.quarantined) == (20, 0)
    given = ["--config", str(tmp_path / "trueup.toml"), "--json"]
    again = CliRunner().invoke(cli, ["ingest", str(tmp_path / "more.csv"), "--delimiter", "\\t", *given])
    assert json.loads(again.stdout)["duplicate"] == 20


def test_a_frame_whose_columns_cannot_be_named_is_refused(reviews: trueup.Stream) -> None:
    """Numbered or doubled columns, and what is no table, are said in one sentence, and nothing is stored."""
    for rows, said in (
        (pd.DataFrame([[1, 2]]), "names are not text"),
        (pd.DataFrame([["a", "b"]], columns=["text", "text"]), "several columns of one name"),
        ({"text": ["a"]}, "cannot be read as records"),
    ):
        with pytest.raises(trueup.InputError, match=said):
            reviews.ingest(rows)


def test_a_column_of_several_types_goes_in_as_the_text_of_its_values(tmp_path: Path) -> None:
    """An object column of numbers and words, such as a frame has after a merge, is read as a CSV of it would be."""
    (tmp_path / "trueup.toml").write_text(SETTINGS.format(window=WINDOW))
    frame = make_reviews(5, TRAINED, 7, 4, HEALTHY).assign(stars=pd.Series([1, "5", 2.0, None], dtype=object))
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        done = deployment.stream().ingest(frame)
    assert (done.accepted, done.labelled) == (4, 3)


def test_the_champion_answers_each_row_of_a_frame(reviews: trueup.Stream) -> None:
    """As many answers in the same order under the same index; a row that cannot be answered says why."""
    frame = make_reviews(6, TRAINED, 7, 20, HEALTHY)[["text"]].set_axis(range(100, 120))
    frame.loc[107, "text"] = None
    found = reviews.champion.predict(frame)
    assert list(found.index) == list(frame.index)
    assert list(found.columns) == ["predicted", "score", "refused"]
    assert set(found["predicted"].dropna()) == {"negative", "positive"}
    assert found.loc[107, "predicted"] is None
    assert "'text'" in found.loc[107, "refused"]
    why = reviews.champion.explain_answer({"text": frame["text"].iloc[0]})
    assert why.predicted == found["predicted"].iloc[0]
    assert {"column", "part", "by", "without"} == set(why.to_frame().columns)
    with pytest.raises(trueup.InputError, match="is empty"):
        reviews.champion.explain_answer({"text": " "})
    arrow = reviews.champion.predict(pa.Table.from_pandas(frame, preserve_index=False))
    assert isinstance(arrow, pa.Table)
    assert arrow["predicted"].to_pylist() == [p if isinstance(p, str) else None for p in found["predicted"]]


def test_a_check_is_a_table_and_its_report_is_evidently_s(reviews: trueup.Stream) -> None:
    """`as_of` may be text, a date or a datetime; the stored report gives Evidently's own Snapshot."""
    check = reviews.check(as_of=AT)
    assert isinstance(check, trueup.Check)
    assert list(check.to_frame()["code"]) == [row["code"] for row in check.records()]
    assert len(check.to_frame()) == len(check.signals)
    assert check.report_id in check._repr_html_()
    report = reviews.reports.latest()
    assert report.report_id == check.report_id
    assert report.check.as_json() == check.as_json()
    assert type(report.evidently()).__module__.startswith("evidently.")
    assert b"<html" in report.html()[:500].lower()
    assert reviews.moment(date(2024, 2, 1)) == reviews.moment("2024-02-01")


def test_values_of_outsiders_are_escaped_in_a_notebook(reviews: trueup.Stream) -> None:
    """A review that holds markup stays text wherever a result shows itself."""
    check = reviews.check(as_of=AT)
    hostile = dataclasses.replace(check.signals[0], said="<script>alert(1)</script>")
    shown = dataclasses.replace(check, signals=(hostile,))._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_every_result_is_a_table(reviews: trueup.Stream) -> None:
    """A result without a table of its own is one row, its fields; what it is called stands above it."""
    done = reviews.ingest(make_reviews(2, TRAINED, 7, 5, HEALTHY))
    assert list(done.to_frame().columns) == ["accepted", "duplicate", "quarantined", "labelled", "notes"]
    assert "IngestResult" in done._repr_html_()
    assert reviews.models.verify().to_frame().empty
    assert list(reviews.models.list().to_frame()["version"]) == [1]
    assert "champion" in str(reviews.models.explain().to_frame()["said"][0])


def test_results_are_frozen(reviews: trueup.Stream) -> None:
    """Nobody changes what was found."""
    overview = reviews.alerts.list()
    with pytest.raises(dataclasses.FrozenInstanceError):
        overview.incidents = ()  # type: ignore[misc]
    for name, value in vars(trueup.results).items():
        if isinstance(value, type) and dataclasses.is_dataclass(value):
            assert value.__dataclass_params__.frozen, name  # type: ignore[attr-defined]


def test_a_cycle_is_the_typed_form_of_its_document(tmp_path: Path) -> None:
    """Face and command give one document; asked for again, it is the stored one."""
    app = with_champion(tmp_path, more=ONE_CANDIDATE)
    take_in(app, tmp_path, 3, TRAINED, WEEK, BROKEN)
    app.close()
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        stream = deployment.stream()
        done = stream.cycle(as_of=AT)
        assert done.check is not None
        assert (done.action, done.champion, done.repeated) == ("retrain", 1, False)
        assert done.promotion == {"from_version": 1, "to_version": 2}
        assert stream.champion.version == 2
        assert [event["kind"] for event in stream.history().events] == ["challenger", "first"]
        assert set(stream.history().to_frame()["state"]) == {"committed"}
        back = stream.rollback("the words of this week were a test")
        assert (back.from_version, back.to_version) == (2, 1)
        assert deployment.alerts.ack(str(back.waits_for)).resolved_at is None
        assert stream.models.resume("it was a test").resolved_at is not None
        assert stream.models.verify().ok
        assert {mail.kind for mail in deployment.alerts.list().mails} >= {"promotion"}
    as_of = f"{AT:%Y-%m-%dT%H:%M:%SZ}"
    said = CliRunner().invoke(cli, ["cycle", "--as-of", as_of, "--config", str(tmp_path / "trueup.toml"), "--json"])
    told = json.loads(said.stdout)
    assert told.pop("repeated") is True
    assert told.pop("alerts")
    assert told == {key: value for key, value in json.loads(json.dumps(dict(done.document))).items() if key in told}


def test_the_stream_may_be_left_out_where_there_is_one(folder: Path, tmp_path: Path) -> None:
    """One stream needs no name, on either face; of several one must be named, and the message says so."""
    shown = CliRunner().invoke(cli, ["models", "list", "--config", str(folder / "trueup.toml"), "--json"])
    assert json.loads(shown.stdout)["champion"] == 1
    two = SETTINGS.format(window=WINDOW)
    (tmp_path / "trueup.toml").write_text(two + two.replace("reviews", "other"))
    refused = CliRunner().invoke(cli, ["check", "--config", str(tmp_path / "trueup.toml")])
    assert refused.exit_code == 2
    assert "--stream reviews" in refused.stderr
    with trueup.open(tmp_path / "trueup.toml") as deployment:
        with pytest.raises(trueup.ConfigError, match="one has to be named"):
            deployment.stream()
        assert deployment.streams == ("reviews", "other")


def test_signals_are_one_table_on_every_way_out(folder: Path, tmp_path: Path) -> None:
    """Frame, Arrow, CSV and Parquet hold the same rows, one a signal, with the columns that the docs name."""
    import pandas as pd

    with trueup.open(folder / "trueup.toml") as deployment:
        reviews = deployment.stream("reviews")
        reviews.check(as_of=(TRAINED + WEEK).isoformat())
        found = reviews.signals()
        frame = found.to_frame()
        assert len(frame) == found.total == sum(len(report.check.signals) for report in reviews.reports.list(None))
        assert set(frame.verdict) <= {"ok", "breached", "insufficient"}
        assert str(frame.as_of.dtype).endswith("UTC]")
        (metric,) = reviews.signals(code="PRF-METRIC", limit=1)
        known = {signal.code: signal for signal in reviews.reports.show(metric.report_id).check.signals}["PRF-METRIC"]
        assert (metric.value, metric.interval_low, metric.n_current) == (
            known.value, known.interval and known.interval[0], known.n_current,
        )  # fmt: skip
        read = pd.read_csv(found.write_csv(tmp_path / "s.csv"), parse_dates=["as_of"])
        stored = pd.read_parquet(found.write_parquet(tmp_path / "s.parquet"))
        for other in (read, stored):
            pd.testing.assert_frame_equal(frame, other, check_dtype=False)
        hostile = dataclasses.replace(metric, code="@SUM(1+1)", said="=HYPERLINK(1)", effect=-0.5)
        cells = pd.read_csv(type(found)([hostile], 1).write_csv(tmp_path / "s.csv")).iloc[0]
        assert (cells.code, cells.said, cells.effect) == ("'@SUM(1+1)", "'=HYPERLINK(1)", -0.5)
        assert list(reviews.signals(code="no such code").to_frame().columns) == list(frame.columns)
        with pytest.raises(trueup.InputError, match="cannot be written"):
            found.write_csv(tmp_path / "no folder" / "s.csv")
        assert sorted(file.name for file in tmp_path.iterdir()) == ["s.csv", "s.parquet"]


def test_two_states_of_the_data_are_compared(reviews: trueup.Stream, tmp_path: Path) -> None:
    """A version by its number or its snapshot's hash, and a period; as tables, as JSON and as a page."""
    (version,) = reviews.models.list()
    digest = Path(str(version.snapshot)).stem
    itself = reviews.data.diff("v1", digest[:8]).difference.rows
    assert itself.kept == itself.before == itself.now > 0
    assert (itself.changed, itself.relabelled) == (0, 0)
    found = reviews.data.diff("1", f"{AT - WEEK:%Y-%m-%d}..{AT:%Y-%m-%d}")
    assert found.difference.rows.went == itself.kept
    assert found.difference.rows.came == WINDOW
    assert json.dumps(found.as_json())
    assert found.to_frame().iloc[0]["came"] == WINDOW
    page = found.write(tmp_path / "diff.html").read_text(encoding="utf-8")
    assert "records came" in page
    for words, error in (("v9", trueup.InputError), ("2019-01", trueup.InputError), ("2024-99", trueup.UsageError)):
        with pytest.raises(error):
            reviews.data.diff("v1", words)
