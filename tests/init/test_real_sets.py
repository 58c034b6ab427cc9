"""`init` on public sets, and what it writes: a file that reads as it stands, or says what to decide."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

import trueup
from tests.flows.test_commands import Shell
from trueup.feedback.readers import opened
from trueup.feedback.schema_check import required_columns
from trueup.feedback.sources.file_place import FilePlace
from trueup.feedback.times.time_survey import survey
from trueup.flows.admin.initial_settings import template
from trueup.flows.settings import load_settings
from trueup.initial import InitResult
from trueup.storage.stream import OrderTime, StreamSettings

FILES = {
    "greenlight": "greenlight_play.csv", "flipkart": "flipkart_badminton.csv", "bike": "bike_sharing_hour.csv",
    "elec2": "elec2.csv",
}
WORDS = ("good", "bad", "slow", "quick", "small", "loud", "dear")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def _init(file: Path, folder: Path, *, row_order: bool = False) -> InitResult:
    return trueup.init(file, "mine", folder / "trueup.toml", folder / ".trueup", row_order=row_order)


def _stream(folder: Path) -> StreamSettings:
    return load_settings(folder / "trueup.toml").stream("mine")


def _fits(stream: StreamSettings, file: Path) -> int:
    with opened(str(file), required_columns(stream), format=stream.format) as source:
        return survey(stream, source.chunks(), source.name)


def test_greenlight_is_ready_for_use(shared_data: Path, tmp_path: Path) -> None:
    """Id, time, text, stars as two classes, the reply as arrival, versions as slices; votes left out, with why."""
    told = _init(shared_data / FILES["greenlight"], tmp_path).as_json()
    stream = _stream(tmp_path)
    assert (stream.id, stream.time, stream.text, stream.slices) == (
        "reviewId", "at", ("content",), ("reviewCreatedVersion",),
    )
    assert (stream.label.column, stream.label.arrived) == ("score", "repliedAt")
    assert stream.label.classes == {"negative": "<=2", "positive": ">=4"}
    assert stream.features == ("content",)
    assert 'left out: "thumbsUpCount": known only later' in (tmp_path / "trueup.toml").read_text()
    assert (told["undecided"], told["refused"]["rows"], len(told["records"])) == ([], 0, 3)
    assert told["next"][1] == "trueup train --stream mine --as-of 2019-09-10"
    assert _fits(stream, shared_data / FILES["greenlight"]) == 7476


def test_flipkart_has_a_month_and_no_id(shared_data: Path, tmp_path: Path) -> None:
    """The month's format is found, title and text are text, votes and places are left out."""
    _init(shared_data / FILES["flipkart"], tmp_path)
    stream = _stream(tmp_path)
    assert (stream.id, stream.time, stream.time_format) == ("", "Month", "%b %Y")
    assert stream.features == ("Review Title", "Review text")
    assert stream.label.column == "Ratings"
    assert _fits(stream, shared_data / FILES["flipkart"]) == 8518


@pytest.mark.slow
def test_bike_is_a_regression_over_days_and_hours(shared_data: Path, tmp_path: Path) -> None:
    """Two columns are the time, the parts of the answer and the row number are left out, days stay whole."""
    _init(shared_data / FILES["bike"], tmp_path)
    stream = _stream(tmp_path)
    assert (stream.task, stream.time, stream.group) == ("regression", ("dteday", "hr"), ("dteday",))
    assert stream.series
    assert stream.label.column == "cnt"
    assert not {"casual", "registered", "instant", "cnt", "dteday"} & set(stream.features)
    assert {"temp", "hr", "weekday"} <= set(stream.features)
    assert stream.policy.window == "14d"


@pytest.mark.slow
def test_no_clock_is_invented(shared_data: Path, tmp_path: Path) -> None:
    """elec2 has none: that is said and left to a person; --row-order takes the order of the rows, as a series."""
    told = _init(shared_data / FILES["elec2"], tmp_path)
    assert [one["about"] for one in told.as_json()["undecided"]] == ["time"]
    assert "time" not in tomllib.loads((tmp_path / "trueup.toml").read_text())["streams"]["mine"]
    assert told.as_json()["next"][0].startswith("decide time in ")
    (tmp_path / "trueup.toml").unlink()
    _init(shared_data / FILES["elec2"], tmp_path, row_order=True)
    stream = _stream(tmp_path)
    assert isinstance(stream.time, OrderTime)
    assert (stream.series, stream.label.column, len(stream.numeric)) == (True, "class", 6)


def test_an_ambiguous_time_is_left_to_a_person(tmp_path: Path) -> None:
    """Both formats stand in the file, commented out; with one of them the file is read."""
    said = [f"{WORDS[k % 7]} is {WORDS[k % 5]} and {WORDS[k % 3]}" for k in range(60)]
    rows = "".join(f"{k},0{k % 9 + 1}/0{k % 7 + 1}/2021,{said[k]},{'ab'[k % 2]}\n" for k in range(60))
    (tmp_path / "a.csv").write_text(f"id,date,text,label\n{rows}")
    _init(tmp_path / "a.csv", tmp_path)
    text = (tmp_path / "trueup.toml").read_text()
    assert '# time_format = "%d/%m/%Y"' in text
    assert '# time_format = "%m/%d/%Y"' in text
    (tmp_path / "trueup.toml").write_text(text.replace('# time_format = "%d/%m/%Y"', 'time_format = "%d/%m/%Y"'))
    assert _fits(_stream(tmp_path), tmp_path / "a.csv") == 60


def test_a_series_gets_whole_weeks(tmp_path: Path) -> None:
    """A daily series gets as many weeks as fit ten times into its history."""
    days = np.datetime64("2020-01-01") + np.arange(400)
    rows = "".join(f"{day},{k % 7 + k / 100:.2f},{k * 1.5}\n" for k, day in enumerate(days))
    (tmp_path / "a.csv").write_text(f"date,x,target\n{rows}")
    _init(tmp_path / "a.csv", tmp_path)
    stream = _stream(tmp_path)
    assert stream.series
    assert stream.policy.window == "35d"


def test_a_strange_column_is_still_toml(tmp_path: Path) -> None:
    """Columns are written so that they read back."""
    rows = "".join(f"2021-01-0{k % 9 + 1},some words {k} here,{'ab'[k % 2]}\n" for k in range(60))
    (tmp_path / "a.csv").write_text(f'at,"te""xt é",label\n{rows}')
    _init(tmp_path / "a.csv", tmp_path)
    assert _stream(tmp_path).text == ('te"xt é',)


def test_a_second_stream_touches_nothing_else(tmp_path: Path) -> None:
    """The settings that are there stay as they were, to the byte; a stream of that name is refused."""
    rows = "".join(f"2021-01-0{k % 9 + 1},some words {k} here,{'ab'[k % 2]}\n" for k in range(60))
    (tmp_path / "a.csv").write_text(f"at,text,label\n{rows}")
    before = '# mine\n[smtp]\nhost = "127.0.0.1"\n\n[streams.old]\ntime = "at"\nnumeric = ["x"]'
    (tmp_path / "trueup.toml").write_text(before)
    shell = Shell(tmp_path)
    shell(f"init --from {tmp_path}/a.csv --stream new")
    after = (tmp_path / "trueup.toml").read_text()
    assert after.startswith(before)
    assert set(load_settings(tmp_path / "trueup.toml").streams) == {"old", "new"}
    assert "has a stream 'new' already" in shell(f"init --from {tmp_path}/a.csv --stream new", 2).err
    assert (tmp_path / "trueup.toml").read_text() == after


def test_what_to_switch_on_later_is_written_and_left_to_a_person(tmp_path: Path) -> None:
    """Whose a record is, and the files that will come beside this one: commented out, and sound once they are not."""
    (tmp_path / "exports [new]").mkdir()
    file = tmp_path / "exports [new]" / "2024-01.csv"
    rows = "".join(f"2024-01-{k % 28 + 1:02},Ann{k % 9},some words {k} here,{k % 2}\n" for k in range(400))
    file.write_text(f"at,userName,text,label\n{rows}")
    Shell(tmp_path)(f"init --from '{file}' --stream new")
    written = (tmp_path / "trueup.toml").read_text()
    assert '\n# user = "userName"   ' in written
    assert '\n# files = "exports [[]new]/*.csv"\n' in written
    assert not load_settings(tmp_path / "trueup.toml").stream("new").user
    for line in ("# user =", "# [streams.new.source]", "# files ="):
        written = written.replace(f"\n{line}", f"\n{line.removeprefix('# ')}")
    (tmp_path / "trueup.toml").write_text(written)
    stream = load_settings(tmp_path / "trueup.toml").stream("new")
    assert (stream.user, stream.source.files) == ("userName", "exports [[]new]/*.csv")
    assert [found.path for found in FilePlace(stream.source.files, tmp_path, {}).found()] == [str(file)]


def test_the_template_reads_as_settings(tmp_path: Path) -> None:
    """Without a file `init` writes every key, and the result loads."""
    (tmp_path / "trueup.toml").write_text(template(), encoding="utf-8")
    assert load_settings(tmp_path / "trueup.toml").stream("reviews").label.column == "score"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_examples_fit_their_data(name: str, shared_data: Path) -> None:
    """Each example loads and reads its whole file's times."""
    stream = load_settings(EXAMPLES / f"{name}.toml").stream(name)
    assert _fits(stream, shared_data / FILES[name]) > 7000
