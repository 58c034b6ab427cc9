"""The first trueup.toml: guessed from a file, with reasons, and readable as it stands."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trueup.feedback.readers import opened
from trueup.feedback.schema_check import required_columns
from trueup.feedback.times.time_survey import survey
from trueup.flows.admin.infer_schema import guess_stream, template
from trueup.flows.settings import load_settings
from trueup.storage.errors import InputError
from trueup.storage.stream import OrderTime, StreamSettings

FILES = {
    "greenlight": "greenlight_play.csv", "flipkart": "flipkart_badminton.csv", "bike": "bike_sharing_hour.csv",
    "elec2": "elec2.csv",
}
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def _guessed(path: Path, name: str) -> tuple[StreamSettings, str]:
    text = guess_stream(str(path), name)
    fields: dict[str, Any] = tomllib.loads(text)["streams"][name]
    return StreamSettings(name=name, **fields), text


def _fits(stream: StreamSettings, path: Path) -> int:
    with opened(str(path), required_columns(stream)) as source:
        return survey(stream, source.chunks(), source.name)


def test_greenlight_is_guessed_ready_for_use(shared_data: Path) -> None:
    """Id, time, text, stars as two classes, the reply as arrival, versions as slices; votes left out, with why."""
    stream, text = _guessed(shared_data / FILES["greenlight"], "greenlight")
    assert (stream.id, stream.time, stream.text, stream.slices) == (
        "reviewId", "at", ("content",), ("reviewCreatedVersion",),
    )
    assert stream.label.column == "score"
    assert stream.label.classes == {"negative": "<=2", "positive": ">=4"}
    assert stream.label.arrived == "repliedAt"
    assert stream.features == ("content",)
    assert "'thumbsUpCount': a count made later" in text
    assert _fits(stream, shared_data / FILES["greenlight"]) == 7476


def test_flipkart_has_a_month_and_no_id(shared_data: Path) -> None:
    """The month's format is found, title and text are text, votes and places are left out."""
    stream, text = _guessed(shared_data / FILES["flipkart"], "flipkart")
    assert (stream.id, stream.time, stream.time_format) == ("", "Month", "%b %Y")
    assert stream.features == ("Review Title", "Review text")
    assert stream.label.column == "Ratings"
    assert all(c in text for c in ("'Up Votes'", "'Down Votes'", "'Place of Review'"))
    assert _fits(stream, shared_data / FILES["flipkart"]) == 8518


def test_bike_is_a_regression_over_days_and_hours(shared_data: Path) -> None:
    """Two columns are the time, the parts of the answer and the row number are left out, days stay whole."""
    stream, _ = _guessed(shared_data / FILES["bike"], "bike")
    assert (stream.task, stream.time, stream.group) == ("regression", ("dteday", "hr"), ("dteday",))
    assert stream.series
    assert stream.label.column == "cnt"
    assert not {"casual", "registered", "instant", "cnt", "dteday"} & set(stream.features)
    assert {"temp", "hr", "weekday"} <= set(stream.features)
    assert stream.policy.window == "14d"


def test_elec2_has_no_clock(shared_data: Path) -> None:
    """Without a time column the row order is the time, and neighbours depend on each other."""
    stream, _ = _guessed(shared_data / FILES["elec2"], "elec2")
    assert isinstance(stream.time, OrderTime)
    assert (stream.series, stream.label.column, len(stream.numeric)) == (True, "class", 6)


def test_an_ambiguous_time_is_left_to_a_person(tmp_path: Path) -> None:
    """Both readings are named; until one is chosen the file is refused."""
    rows = "1,03/04/2021,some more words,a\n2,05/06/2021,other words here,b\n"
    (tmp_path / "a.csv").write_text(f"id,date,text,label\n{rows}")
    stream, text = _guessed(tmp_path / "a.csv", "mine")
    assert stream.time_format == ""
    assert '"%d/%m/%Y" or "%m/%d/%Y"' in text
    with pytest.raises(InputError, match="time_format"):
        _fits(stream, tmp_path / "a.csv")


def test_semicolons_are_refused_with_what_to_do(tmp_path: Path) -> None:
    """One column that is all of them together would be guessed as a text."""
    (tmp_path / "a.csv").write_text("id;at;text\n1;2021-01-01;hello there you\n")
    with pytest.raises(InputError, match=r"';'.*commas"):
        guess_stream(str(tmp_path / "a.csv"), "mine")


def test_a_time_in_several_formats_is_said_and_not_passed_over(tmp_path: Path) -> None:
    """It stays the time, with a value of each format: the row order would date the rows wrongly."""
    days = [f"2021-01-{k:02d}" if k % 3 else f"{k:02d}.01.2021" for k in range(1, 29)]
    rows = "".join(f"{k},{day},some more words {k},a\n" for k, day in enumerate(days))
    (tmp_path / "a.csv").write_text(f"id,date,text,label\n{rows}")
    stream, text = _guessed(tmp_path / "a.csv", "mine")
    assert stream.time == "date"
    assert 'mixes formats ("2021-01-01" and "03.01.2021")' in text
    with pytest.raises(InputError, match="mixes formats"):
        _fits(stream, tmp_path / "a.csv")


def test_a_series_gets_whole_weeks(tmp_path: Path) -> None:
    """A daily series gets as many weeks as fit ten times into its history."""
    days = np.datetime64("2020-01-01") + np.arange(400)
    rows = "".join(f"{day},{k % 7 + k / 100:.2f},{k * 1.5}\n" for k, day in enumerate(days))
    (tmp_path / "a.csv").write_text(f"date,x,y\n{rows}")
    stream, _ = _guessed(tmp_path / "a.csv", "mine")
    assert stream.series
    assert stream.policy.window == "35d"


def test_a_strange_column_is_still_toml(tmp_path: Path) -> None:
    """Columns are written so that they read back."""
    (tmp_path / "a.csv").write_text('at,"te""xt é",label\n2021-01-01,some words here,a\n2021-01-02,other words too,b\n')
    stream, _ = _guessed(tmp_path / "a.csv", "my-stream_1")
    assert stream.text == ('te"xt é',)


def test_the_template_reads_as_settings(tmp_path: Path) -> None:
    """Without a file `init` writes every key, and the result loads."""
    (tmp_path / "trueup.toml").write_text(template(), encoding="utf-8")
    assert load_settings(tmp_path / "trueup.toml").stream("reviews").label.column == "score"


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_examples_fit_their_data(name: str, shared_data: Path) -> None:
    """Each example loads and reads its whole file's times."""
    stream = load_settings(EXAMPLES / f"{name}.toml").stream(name)
    assert _fits(stream, shared_data / FILES[name]) > 7000
