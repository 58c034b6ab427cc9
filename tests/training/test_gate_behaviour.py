"""A change of a text that should not matter does not, and one that should matters one way only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.made_deployments import SETTINGS
from tests.made_gates import guardrails_of
from trueup.flows.app import App, open_app
from trueup.flows.gate.behaviour_cases import own_cases, own_suites
from trueup.storage.errors import ConfigError
from trueup.storage.policy import GatePolicy
from trueup.storage.stream import LabelPolicy, StreamSettings
from trueup.training.evaluation.paired import Paired
from trueup.training.gate.behaviour import behaviour_tests
from trueup.training.gate.behaviour_suites import KNOWN, NEGATIONS, Suite, SuiteKind, built_in, failures
from trueup.training.gate.result import GateTest

CLASSES = ("negative", "positive")
LABEL = LabelPolicy(column="stars", classes={"negative": "<=2", "positive": ">=4"})
STREAM = StreamSettings(name="made", time="at", text=("text",), numeric=("size",), label=LABEL)


class Model:
    """Gives a text the probability of being positive that a function says."""

    classes_ = np.array(CLASSES)

    def __init__(self, chance: Callable[[str], float]) -> None:
        self.chance = chance

    def predict_proba(self, columns: pd.DataFrame) -> np.ndarray:
        up = np.array([self.chance(text) for text in columns["text"]])
        return np.stack([1 - up, up], axis=1)


STEADY = Model(lambda text: 0.9 if "good" in text.lower() else 0.1)
SHOUTED = Model(lambda text: 0.9 if "good" in text else 0.1)             # knows no capitals
LITERAL = Model(lambda text: 0.75 + 0.125 * ("not" in text.split()))        # takes "not" for praise


def _texts(n: int = 40) -> pd.DataFrame:
    words = ["good thing", "terrible thing"]
    return pd.DataFrame({"text": [f"{words[k % 2]} number {k}" for k in range(n)], "size": np.arange(float(n))})


def _texts_with_negation(times: int = 20) -> pd.DataFrame:
    """Each word of five pairs, and "not", stands in so many texts."""
    said = ["It is not good nor great", "easy and nice", "awesome", "terrible thing"]
    return pd.DataFrame({"text": said * times, "size": np.arange(4.0 * times)})


def _judged(challenger: Model, champion: Model | None = None, texts: pd.DataFrame | None = None) -> dict[str, GateTest]:
    suites = built_in(STREAM, _texts() if texts is None else texts, CLASSES, 1)
    return {test.code: test for test in behaviour_tests(STREAM, suites, CLASSES, challenger, champion)}


def test_a_model_that_reads_words_passes_every_suite() -> None:
    """Capitals, blanks, full stops, typos elsewhere and negation leave a steady model where it was."""
    found = _judged(STEADY, texts=_texts_with_negation())
    assert list(found) == [f"GATE-BEHAVIOUR-{n}" for n in ("case", "space", "punctuation", "typo", "negation")]
    assert all(test.passed for test in found.values())


def test_an_answer_that_hangs_on_capitals_is_refused() -> None:
    """Half of the texts get another answer in capitals; the first is shown."""
    test = _judged(SHOUTED)["GATE-BEHAVIOUR-case"]
    assert not test.passed
    assert (test.value, test.bound) == (0.5, 0.3)
    assert "'good thing number 0' changed to 'GOOD THING NUMBER 0'" in test.said


def test_of_a_long_text_the_place_of_the_change_is_shown() -> None:
    """A change of the last word is no use to anybody who sees the first sixty letters."""
    before, after = (pd.DataFrame({"text": ["word " * 50 + last], "size": [1.0]}) for last in ("good", "bad"))
    suite = Suite("end", SuiteKind.INVARIANCE, before, after, ("",), own=True)
    (test,) = behaviour_tests(STREAM, (suite,), CLASSES, STEADY, None)
    assert not test.passed
    assert "good' changed to '…" in test.said
    assert test.said.endswith("bad'")


def test_what_the_champion_does_as_well_refuses_nobody() -> None:
    """A challenger that fails no more than a little above the champion passes; the steady champion protects."""
    assert _judged(SHOUTED, SHOUTED)["GATE-BEHAVIOUR-case"].passed
    assert not _judged(SHOUTED, STEADY)["GATE-BEHAVIOUR-case"].passed


def test_a_negation_must_not_please() -> None:
    """A model to which "not good" is better than "good" fails the pairs that say "not"."""
    test = _judged(LITERAL, texts=_texts_with_negation())["GATE-BEHAVIOUR-negation"]
    assert not test.passed
    assert test.value == 1.0
    assert test.said.startswith("5 of 5 cases fail")
    other = built_in(STREAM, _texts(), ("old", "young"), 1)
    assert "negation" not in {suite.name for suite in other}
    assert len(NEGATIONS) == 20


@pytest.mark.parametrize("times", [0, KNOWN - 1])
def test_negation_is_asked_only_in_words_that_the_model_met(times: int) -> None:
    """Where "not" stands in no text, or in too few, what a model makes of it is chance and refuses nobody."""
    texts = pd.concat([_texts(), _texts_with_negation(times)])
    test = _judged(LITERAL, texts=texts)["GATE-BEHAVIOUR-negation"]
    assert test.passed
    assert test.said.startswith("Not applied: 0 pairs such as 'It is good' and 'It is not good'")


def test_of_a_model_of_turned_labels_no_direction_is_asked() -> None:
    """Where 'positive' has come to mean blame, nobody knows what "not good" should do."""
    turned = Model(lambda text: 0.1 if "good" in text and "not" not in text.split() else 0.9)
    found = _judged(turned, STEADY, _texts_with_negation())["GATE-BEHAVIOUR-negation"]
    assert found.passed
    assert "Not applied: the model gives 'positive' to blame, not to praise" in found.said
    negation = built_in(STREAM, _texts(), CLASSES, 1)[-1]
    assert negation.poles is not None
    assert [set(own["text"].str.split().str[0]) - {"It"} for own in negation.poles] == [{"good"}, {"terrible"}]


def test_a_typo_swaps_two_letters_of_one_word() -> None:
    """The letters of a text stay the same, and its first and last stand where they stood."""
    suite = next(suite for suite in built_in(STREAM, _texts(), CLASSES, 1) if suite.name == "typo")
    for before, after in zip(suite.before["text"], suite.after["text"], strict=True):
        assert sorted(before) == sorted(after)
        assert before != after
        assert (before[0], before[-1]) == (after[0], after[-1])


def _nothing() -> Paired:
    """No row that both models answered."""
    nothing, texts = np.empty(0), np.empty(0, dtype=object)
    return Paired(
        opponent="champion", truth=texts, opponent_predicted=texts, challenger_predicted=texts,
        opponent_score=nothing, challenger_score=nothing, unit=np.empty(0, int), evaluation=np.empty(0, bool),
        classes=CLASSES,
    )


def test_a_handful_of_texts_shows_nothing() -> None:
    """Under twenty changed texts, and without any text, the tests say that they do not apply."""
    assert _judged(SHOUTED, texts=_texts(12))["GATE-BEHAVIOUR-case"].said.startswith("Not applied: 12 texts")
    test = guardrails_of(STREAM.model_copy(update={"text": ()}), _nothing(), reference=_texts())["GATE-BEHAVIOUR"]
    assert test.passed
    assert test.said == "Not applied: the stream has no text"


def test_a_number_that_moves_far_is_another_answer() -> None:
    """For regression a tenth of the spread is let through."""

    class Length:
        def predict(self, columns: pd.DataFrame) -> np.ndarray:
            return np.array([float(len(text)) for text in columns["text"]])

    stream = StreamSettings(name="made", time="at", task="regression", text=("text",), label=LabelPolicy(column="y"))
    before = pd.DataFrame({"text": ["a" * 10, "a" * 30]})
    for more, failed in (("a", False), ("a" * 9, True)):
        suite = Suite("length", SuiteKind.INVARIANCE, before, before.assign(text=before["text"] + more), ("", ""))
        assert list(failures(stream, Length(), suite)) == [failed, failed]


CASES = """
[[case]]
name = "refund"
kind = "directional"
text = "good"
changed = "never good"
expect = "lower"

[[case]]
kind = "minimum"
text = "good value"
expect = "positive"

[[case]]
kind = "invariance"
text = "good Anna"
changed = "good Ali"
"""


def _app(folder: Path, cases: str) -> App:
    more = '[streams.reviews.gate]\nbehaviour = "behaviour.toml"\n'
    (folder / "trueup.toml").write_text(SETTINGS.format(window=400) + more)
    (folder / "behaviour.toml").write_text(cases)
    return open_app(folder / "trueup.toml", folder / ".trueup")


def test_a_stream_brings_its_own_cases(tmp_path: Path) -> None:
    """Each name is a suite; one case suffices, and fails by itself."""
    app = _app(tmp_path, CASES)
    stream = app.stream("reviews")
    suites = own_suites(stream, own_cases(app, stream), _texts())
    steady = {t.code: t.passed for t in behaviour_tests(stream, suites, CLASSES, STEADY, None)}
    assert steady == dict.fromkeys(
        ("GATE-BEHAVIOUR-invariance", "GATE-BEHAVIOUR-minimum", "GATE-BEHAVIOUR-refund"), True
    )
    turned = Model(lambda text: 0.4 if text == "good value" else 0.1 + 0.02 * len(text))
    wrong = {t.code: t for t in behaviour_tests(stream, suites, CLASSES, turned, None)}
    assert not wrong["GATE-BEHAVIOUR-refund"].passed
    assert not wrong["GATE-BEHAVIOUR-minimum"].passed
    assert "'good value' should be 'positive'" in wrong["GATE-BEHAVIOUR-minimum"].said
    assert wrong["GATE-BEHAVIOUR-invariance"].passed
    three = {t.code: t for t in behaviour_tests(stream, suites, ("a", "b", "c"), STEADY, None)}
    assert three["GATE-BEHAVIOUR-refund"].said.startswith("Not applied: with 3 classes")
    app.close()


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("[[case]", "cannot be read"),
        ("", "holds something else than a list of"),
        ('[[case]]\nkind = "odd"\ntext = "a"', "case 1: kind: Input should be"),
        ('[[case]]\nkind = "minimum"\ntext = "a"\nexpect = "positive"\nmore = 1', "case 1: more: Extra inputs"),
        ('[[case]]\nkind = "minimum"\ntext = "a"\nexpect = "fine"', "one of negative, positive"),
        ('[[case]]\nkind = "invariance"\ntext = "a"', "invariance needs it"),
        ('[[case]]\nkind = "directional"\ntext = "a"\nchanged = "b"', "expect is 'lower' or 'higher'"),
        ('[[case]]\nname = "typo"\nkind = "invariance"\ntext = "a"\nchanged = "b"', "that of a built-in suite"),
    ],
)
def test_a_case_that_cannot_be_judged_is_told_by_its_number(tmp_path: Path, cases: str, said: str) -> None:
    """What is wrong and with which case, before anything is trained."""
    app = _app(tmp_path, cases)
    with pytest.raises(ConfigError, match=r"cases of 'reviews' \(gate.behaviour\) cannot be used") as error:
        own_cases(app, app.stream("reviews"))
    assert said in str(error.value)
    app.close()


def test_cases_of_a_stream_without_text_or_without_a_file_are_told(tmp_path: Path) -> None:
    """A stream of numbers has nothing to write them into, and a missing file is no empty one."""
    app = _app(tmp_path, CASES)
    stream = app.stream("reviews")
    numbers = stream.model_copy(update={"text": (), "numeric": ("size",)})
    gone = stream.model_copy(update={"gate": GatePolicy(behaviour="gone.toml")})
    for asked, said in ((numbers, "has no text column"), (gone, "cannot be read")):
        with pytest.raises(ConfigError, match=said):
            own_cases(app, asked)
    assert own_cases(app, stream.model_copy(update={"gate": GatePolicy()})) == ()
    app.close()
