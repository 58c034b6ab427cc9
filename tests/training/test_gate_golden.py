"""What is beyond doubt is answered rightly, or no challenger passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tests.made_deployments import SETTINGS, TRAINED, deployed
from tests.made_rows import make_stream
from trueup.flows.app import App, open_app
from trueup.flows.cycle.train_on_demand import train_now
from trueup.flows.gate.golden_set import golden_set
from trueup.storage.errors import ConfigError
from trueup.storage.policy import GatePolicy
from trueup.storage.stream import StreamSettings
from trueup.training.gate.golden import golden_test
from trueup.training.gate.result import GateTest


def _judged(answers: list[str], champion: list[str] | None = None, share: float = 1.0) -> GateTest:
    gate = GatePolicy(golden="golden.csv", golden_share=share)
    stream = make_stream().model_copy(update={"gate": gate})
    old = None if champion is None else np.array(champion, dtype=object)
    expected = np.array(["no", "yes", "yes", "no"], dtype=object)
    return golden_test(stream, np.arange(2, 6), expected, np.array(answers, dtype=object), old)


def test_a_wrong_golden_answer_refuses_and_is_named_by_its_line() -> None:
    """Three of four are not all; the settings may ask for less."""
    test = _judged(["no", "yes", "yes", "yes"])
    assert not test.passed
    assert (test.code, test.value, test.bound) == ("GATE-GOLDEN", 0.75, 1.0)
    assert "wrong on line 5 of golden.csv" in test.said
    assert _judged(["no", "yes", "yes", "no"]).passed
    assert _judged(["no", "yes", "yes", "yes"], share=0.75).passed


def test_what_the_champion_gets_wrong_as_well_refuses_nobody() -> None:
    """Three of four pass against a champion of three or two, and not against one of four."""
    mine = ["no", "yes", "yes", "yes"]
    assert _judged(mine, ["no", "yes", "no", "no"]).passed
    assert _judged(mine, ["no", "no", "no", "no"]).passed
    assert not _judged(mine, ["no", "yes", "yes", "no"]).passed


def test_numbers_are_right_within_a_distance() -> None:
    """How far off an answer may be is the stream's to say, and must be said."""
    gate = GatePolicy(golden="golden.csv", golden_within=0.5)
    stream = make_stream("regression").model_copy(update={"gate": gate})
    expected = np.array([1.0, 2.0], dtype=object)
    assert golden_test(stream, np.arange(2), expected, np.array([1.4, 1.6]), None).value == 1.0
    assert golden_test(stream, np.arange(2), expected, np.array([1.4, 3.0]), None).value == 0.5
    with pytest.raises(ValidationError, match="a regression with a golden set needs it"):
        StreamSettings(name="s", time="t", numeric=("a",), task="regression", gate=GatePolicy(golden="golden.csv"))


def _app(folder: Path, golden: str | None) -> App:
    (folder / "trueup.toml").write_text(SETTINGS.format(window=400) + '[streams.reviews.gate]\ngolden = "golden.csv"\n')
    if golden is not None:
        (folder / "golden.csv").write_text(golden)
    return open_app(folder / "trueup.toml", folder / ".trueup")


def test_a_golden_set_is_a_file_like_any_other(tmp_path: Path) -> None:
    """Features and an answer: as a class under `expected`, or as the label's column writes it."""
    app = _app(tmp_path, "text,expected\ngood one,positive\nbad one,negative\n")
    found = golden_set(app, app.stream("reviews"))
    assert found is not None
    assert list(found.features["text"]) == ["good one", "bad one"]
    assert (list(found.expected), list(found.lines)) == (["positive", "negative"], [2, 3])
    (tmp_path / "golden.csv").write_text("text,stars\ngood one,5\n")
    found = golden_set(app, app.stream("reviews"))
    assert found is not None
    assert list(found.expected) == ["positive"]
    app.close()


@pytest.mark.parametrize(
    ("golden", "said"),
    [
        (None, "no such file"),
        ("text,expected\n", "it holds no record"),
        ("text\ngood\n", "there is no column 'expected' or 'stars'"),
        ("text,expected\ngood,positive\nwell,fine\n", "line 3: 'fine' is no class of the stream"),
        ("text,expected\ngood,positive\n,negative\n", "line 3: no text: 'text' is empty"),
    ],
)
def test_a_golden_set_that_cannot_be_used_is_told_by_its_line(tmp_path: Path, golden: str | None, said: str) -> None:
    """What is wrong and in which row, before anything is trained."""
    app = _app(tmp_path, golden)
    with pytest.raises(ConfigError, match=r"The golden set of 'reviews' \(gate.golden\) cannot be used") as error:
        golden_set(app, app.stream("reviews"))
    assert said in str(error.value)
    app.close()


def test_without_a_file_nothing_is_asked(tmp_path: Path) -> None:
    """A stream without a golden set has none, and a broken one stops a training before its search."""
    app = deployed(tmp_path)
    stream = app.stream("reviews")
    assert golden_set(app, stream) is None
    broken = stream.model_copy(update={"gate": GatePolicy(golden="golden.csv")})
    with pytest.raises(ConfigError, match="no such file"):
        train_now(app, broken, TRAINED)
    assert app.registry.versions("reviews") == ()
    app.close()
