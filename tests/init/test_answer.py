"""Which column is the answer, and how its values are labels: by name and values, never by place alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.inference.answer import Answer, find_answer
from trueup.feedback.inference.answer_words import answer_tier
from trueup.feedback.inference.label_values import label_values
from trueup.feedback.inference.names import name_words, said_in, vocabulary
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.summary import TableSummary, summary_of
from trueup.feedback.labels import class_of
from trueup.feedback.text_table import TextTable
from trueup.storage.file_format import FileFormat
from trueup.storage.stream import LabelPolicy

STARS = ["1", "2", "3", "4", "5"]
HOURS = [str(k % 24) for k in range(240)]
TEXTS = [f"some words that say number {k}" for k in range(240)]


def _table(columns: Mapping[str, Sequence[str | None]], rows: int = 240) -> TableSummary:
    full = {name: object_array([values[k % len(values)] for k in range(rows)]) for name, values in columns.items()}
    table = TextTable(full, rows)
    return summary_of(list(full), [Chunk(table, np.arange(rows), RawRows(table))])


def _answer(columns: Mapping[str, Sequence[str | None]]) -> Answer:
    return find_answer(_table(columns), ())


@pytest.mark.parametrize(
    ("columns", "answer"),
    [
        ({"csat_score": STARS, "hour_of_day": HOURS}, "csat_score"),
        ({"hour_of_day": HOURS, "comment": TEXTS, "csat_score": STARS}, "csat_score"),
        ({"age": HOURS, "default": ["no", "no", "yes"], "y": ["no", "yes"]}, "y"),
        ({"airline_sentiment": ["neutral", "positive", "negative"], "airline_sentiment_confidence": ["0.5", "1"],
          "negativereason": ["Late Flight", "Can't Tell", None]}, "airline_sentiment"),
        ({"Class": ["Eco", "Business"], "satisfaction": ["satisfied", "neutral or dissatisfied"]}, "satisfaction"),
        ({"Class Name": ["Dresses", "Pants", "Knits"], "Rating": STARS, "Positive Feedback Count": HOURS}, "Rating"),
        ({"Rating": STARS, "Content Rating": ["Everyone", "Teen"]}, "Rating"),
        ({"label_text": ["neg", "pos"], "label": ["0", "1"], "text": TEXTS}, "label"),
        ({"Pclass": ["1", "2", "3"], "Survived": ["0", "1"], "Age": HOURS}, "Survived"),
        ({"credit_score": [str(k) for k in range(600, 800)], "churn": ["yes", "no"]}, "churn"),
        ({"Bewertung": TEXTS, "Sterne": STARS}, "Sterne"),
        ({"valoración": ["4,5", "2,0", "5,0", "1,5"], "opinión": TEXTS}, "valoración"),
        ({"評価": STARS, "商品名": ["a", "b"]}, "評価"),
        ({"Общая оценка": STARS, "отзыв": TEXTS}, "Общая оценка"),
        ({"isFraud": ["0", "1"], "isFlaggedFraud": ["0", "0", "1"]}, "isFraud"),
        ({"temp": ["1.5", "2.25", "3.75"], "load": [f"{k / 7:.2f}" for k in range(200)]}, "load"),
        ({"v1": ["ham", "spam"], "v2": TEXTS}, "v1"),
        ({"текст": TEXTS, "x": ["позитивный", "негативный"]}, "x"),
        ({"kind": ["new", "old"], "tag": ["Positive", "Negative"], "sentiment": ["0", "1"]}, "sentiment"),
        # Their places speak, or several names: what a person has to say.
        ({"x": ["0.1", "0.2"], "hour_of_day": HOURS}, ""),
        ({"outcome_a": ["0", "1"], "weight": HOURS}, ""),
        ({"target_temp": ["19", "21"], "fan": HOURS}, ""),
        ({"ticket_class": ["1", "2"], "risk_score": HOURS, "fan": ["a", "b"]}, ""),
        ({"toxic": ["0", "1"], "obscene": ["0", "1"], "comment": TEXTS}, ""),
        ({"stars": STARS, "sentiment": ["negative", "positive"]}, ""),
        ({"price": HOURS, "sales": HOURS}, ""),
        ({"likelihood": HOURS, "rated_by": ["anna", "ben"]}, ""),
        ({"text": TEXTS}, ""),
    ],
)  # fmt: skip
def test_the_answer_is_found_by_its_name_and_values(columns: Mapping[str, Sequence[str | None]], answer: str) -> None:
    """Decided where a whole word says so; else undecided, with columns to choose from, or none that could be it."""
    found = _answer(columns)
    assert found.column == answer
    assert bool(found.undecided) == (not answer and len(columns) > 1)


@pytest.mark.parametrize(
    ("name", "values", "classes", "lost"),
    [
        ("stars", STARS, {"1": "negative", "2": "negative", "4": "positive", "5": "positive"}, {"3"}),
        ("rating", ["5.0 out of 5 stars", "1.0 out of 5 stars", "4.0 out of 5 stars"],
         {"5.0 out of 5 stars": "positive", "1.0 out of 5 stars": "negative"}, set()),
        ("rating", ["0.5", "1.5", "2.5", "3.0", "4.5", "5.0"], {"2.5": "negative", "4.5": "positive"}, {"3"}),
        ("rating", ["0", "1", "2", "4", "5"], {"1": "negative", "4": "positive"}, {"0"}),
        ("nps", [str(k) for k in range(11)], {"6": "detractor", "9": "promoter"}, {"7", "8"}),
        ("rating", [str(k) for k in range(1, 11)], {"4": "negative", "7": "positive"}, {"5", "6"}),
        ("rating", [f"{k}/10" for k in range(1, 11)], {"4/10": "negative", "7/10": "positive"}, {"5/10", "6/10"}),
        ("rating", ["1", "2", "4", "5", "5", "4", "Like"], {"Like": "positive", "1": "negative"}, set()),
        ("satisfaction_score", ["good", "bad", "offered", "unoffered"], {"good": "good", "Bad": "bad"},
         {"offered", "unoffered"}),
        ("status_label", ["Negative", "positive ", "Neg", "NEGATIVE", "POSITIVE", "pos"],
         {"Neg": "negative", "POS": "positive"}, set()),
        ("label", ["👍", "👎", "👍🏽"], {"👎": "👎", "👍🏿": "👍"}, set()),
        ("label", ["sí", "no", "NA"], {"Sí": "sí"}, {"na"}),
        ("income", ["<=50K", ">50K"], {"<=50K": "<=50k"}, set()),
        ("class", STARS, {"3": "3"}, set()),
        ("target", ["-1", "1", "1.0"], {"-1": "-1", "1": "1"}, set()),
        ("starRating", ["ONE", "TWO", "THREE", "FOUR", "FIVE"], {"FIVE": "positive", "one": "negative"}, {"three"}),
    ],
)  # fmt: skip
def test_values_become_classes_and_the_rest_is_told(
    name: str, values: Sequence[str], classes: Mapping[str, str], lost: set[str]
) -> None:
    """Scales, fractions, words, thumbs and states: each value has the right class, or is among those told without."""
    found = label_values(_table({name: values}).columns[0], Writing())
    assert found is not None
    assert found.task == "classification"
    policy = LabelPolicy(classes={k: list(v) for k, v in found.classes.items()})
    assert {value: class_of(policy, value) for value in classes} == dict(classes)
    assert {value for value, _ in found.unmatched} == lost


@pytest.mark.parametrize("values", [TEXTS, ["one"], [f"http://a.b/{k}" for k in range(5)], ['{"a": 1}', '{"a": 2}']])
def test_texts_links_and_objects_are_no_labels(values: Sequence[str]) -> None:
    """Whatever their column is called."""
    assert label_values(_table({"label": values}).columns[0], Writing()) is None


def test_a_quantity_is_a_regression_and_a_decimal_comma_is_read() -> None:
    """Numbers of many values are a regression's answer, in the file's own way of writing them."""
    values = [f"1.{k:03d},{k % 10}" for k in range(100)]
    found = label_values(_table({"target": values}).columns[0], Writing(FileFormat(decimal=",", thousands=".")))
    assert found is not None
    assert found.task == "regression"
    assert found.why.endswith("values from 1000 to 1099.9")


def test_a_school_grade_is_asked_for() -> None:
    """In a German file 1 may be the best: both readings are there to choose from."""
    found = _answer({"Note": STARS, "Kommentar": TEXTS})
    assert not found.column
    assert [line for line in found.undecided[0].settings if "positive = [\"<=2\"]" in line]
    assert _answer({"note": STARS, "commentaire": TEXTS}).column == "note"


@pytest.mark.parametrize("name", ["thumbnail", "likelihood", "replaced", "underrated", "starship", "classification_id"])
def test_parts_of_words_say_nothing(name: str) -> None:
    """Only whole words count."""
    assert answer_tier(name) == 0


@given(st.lists(st.sampled_from(["rating", "Größe", "оценка", "up", "votes"]), min_size=1, max_size=4),
       st.sampled_from([str.lower, str.upper, str.title]))  # fmt: skip
def test_a_name_is_read_alike_however_it_is_written(words: list[str], case: object) -> None:
    """snake_case, spaces and capitals hold the same words, with or without accents."""
    styled = [case(w) for w in words]  # type: ignore[operator]
    assert name_words("_".join(styled)) == name_words(" ".join(styled)) == name_words("-".join(words))
    assert bool(said_in(" ".join(styled), vocabulary("rating"))) == ("rating" in words)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=30), st.sampled_from(["label", "stars", "y", "note"]))
def test_any_values_have_a_class_or_are_told(values: list[str], name: str) -> None:
    """Whatever the values are: each that is not told has exactly the class that its rules give."""
    table = _table({name: [v or None for v in values]}, rows=len(values))
    found = label_values(table.columns[0], Writing())
    if found and found.classes:
        policy = LabelPolicy(classes={k: list(v) for k, v in found.classes.items()})
        told = dict(found.unmatched)
        lost = sum(class_of(policy, v) is None for v in table.columns[0].values)
        assert lost == sum(told.values())
