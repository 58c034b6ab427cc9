"""What a model may learn from: names, kinds and leaks that keep a column out, and those that must not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.many import examples
from trueup.feedback.chunks import Chunk, RawRows, object_array
from trueup.feedback.inference.answer import Answer, find_answer
from trueup.feedback.inference.arrival import find_arrived
from trueup.feedback.inference.conclusion import Role
from trueup.feedback.inference.leaks import find_leaks, labels_of, without_leaks
from trueup.feedback.inference.quantities import Writing
from trueup.feedback.inference.roles import find_roles
from trueup.feedback.inference.summary import TableSummary, summary_of
from trueup.feedback.inference.whose import user_column
from trueup.feedback.text_table import TextTable

ROWS = 600
RNG = np.random.default_rng(0)
NUMBERS = [f"{x:.3f}" for x in RNG.normal(10, 3, ROWS)]
COUNTS = [str(k) for k in RNG.poisson(3, ROWS)]
TEXTS = [f"these are {k} words of somebody who says more" for k in range(ROWS)]
LABELS = [("no", "yes")[k] for k in RNG.integers(0, 2, ROWS)]
FEATURES = {"text", "numeric", "categorical"}


def table_of(columns: dict[str, Sequence[str | None]]) -> TableSummary:
    rows = max(map(len, columns.values()))
    full = {name: object_array([own[k % len(own)] for k in range(rows)]) for name, own in columns.items()}
    table = TextTable(full, rows)
    return summary_of(list(full), [Chunk(table, np.arange(rows), RawRows(table))])


def _role(name: str, values: Sequence[str | None], answer: str = "label") -> Role:
    return next(r for r in find_roles(table_of({name: values, answer: LABELS}), (), Answer(answer)) if r.column == name)


@pytest.mark.parametrize(
    ("name", "values", "role", "kind"),
    [
        # Known only later, by whole words.
        ("Up Votes", COUNTS, "left out", "number"), ("thumbsUpCount", COUNTS, "left out", "number"),
        ("HelpfulnessNumerator", COUNTS, "left out", "number"), ("useful", COUNTS, "left out", "number"),
        ("retweet_count", COUNTS, "left out", "number"), ("statistics.count_reopens", COUNTS, "left out", "number"),
        ("Hilfreich", COUNTS, "left out", "number"), ("参考になった", COUNTS, "left out", "number"),
        ("status", ["open", "solved"], "left out", "category"), ("ticket_status", ["a", "b"], "left out", "category"),
        ("Developer Reply Text", TEXTS, "left out", "text"), ("first_response_hours", NUMBERS, "left out", "number"),
        ("chargeback", ["0", "1"], "left out", "number"),
        # The same letters, and nothing later.
        ("thumbnail_size", NUMBERS, "numeric", "number"), ("pH", NUMBERS, "numeric", "number"),
        ("likelihood", NUMBERS, "numeric", "number"),
        ("replaced", ["yes", "no"], "categorical", "category"),
        ("likes_sport", ["yes", "no"], "categorical", "category"),
        ("marital_status", ["single", "married"], "categorical", "category"), ("voltage", NUMBERS, "numeric", "number"),
        ("checking_status", ["<0", ">200"], "categorical", "category"),
        ("paid", ["yes", "no"], "categorical", "category"),
        # What whoever labelled wrote.
        ("negativereason", ["Late Flight", "Bad Flight"], "left out", "category"),
        ("lead_time", NUMBERS, "numeric", "number"),
        ("label_confidence", NUMBERS, "left out", "number"), ("predictions", ["a", "b"], "left out", "category"),
        # Keys, codes and versions.
        ("customer_id", [str(5000 + k * 7) for k in range(ROWS)], "left out", "id"),
        ("order_id", ["5.7E+17", "5.8E+17"], "left out", "code"),
        ("zip", ["00501", "10001", "94105"], "slices", "code"),
        ("region", [f"{k:05d}" for k in range(0, 90000, 150)], "left out", "id"),
        ("hr", ["00", "07", "23"], "categorical", "number"),
        ("appVersion", ["1.9", "1.10", "2.0"], "slices", "version"), ("fw", ["3.2.1", "3.10.0"], "slices", "version"),
        ("Unnamed: 0", [str(k) for k in range(ROWS)], "left out", "id"),
        ("caller", ["Caller 87", "Caller 5"], "slices", "code"),
        ("number of rooms", COUNTS, "categorical", "number"), ("education-num", COUNTS, "categorical", "number"),
        # People, links, lists, what says nothing.
        ("reviewerName", ["Ann Lee", "Ben Ray"], "left out", "category"),
        ("contact", [f"a{k}@b.example" for k in range(ROWS)], "left out", "id"),
        ("product_name", ["Lamp", "Chair"], "categorical", "category"),
        ("ip_address", ["10.0.0.1", "10.0.0.2"], "left out", "code"),
        ("line", [f"+4917{k:07d}" for k in range(ROWS)], "left out", "id"),
        ("Pupil", [f"Eva {chr(65 + k % 26)}{k}." for k in range(90)], "left out", "text"),
        ("weight", [f"{k / 7:.1f} kg" for k in range(ROWS)], "left out", "number"),
        ("Amount", [f"{k},47-" for k in range(ROWS)], "left out", "number"),
        ("Resolution Description", ["fixed", "none found"], "left out", "category"),
        ("photo", [f"https://a.example/{k}.jpg" for k in range(ROWS)], "left out", "url"),
        ("tags", ['["a"]', '["b", "c"]'], "left out", "nested"),
        ("currency", ["EUR"], "left out", "constant"), ("notes", [None], "left out", "empty"),
        # What is learnt from.
        ("content", TEXTS, "text", "text"), ("price", NUMBERS, "numeric", "number"),
        ("weekday", ["0", "1", "2"], "categorical", "number"),
        ("channel", ["mail", "chat"], "categorical", "category"),
    ],
)  # fmt: skip
def test_a_column_has_its_role_by_name_and_values(
    name: str, values: Sequence[str | None], role: str, kind: str
) -> None:
    """Each with a reason; the same letters inside another word change nothing."""
    found = _role(name, values)
    assert (found.role, found.kind) == (role, kind)
    assert found.why


def test_a_lead_time_is_the_labellers_only_where_one_is_named() -> None:
    """Beside an annotator it is how long labelling took; a hotel knows it when the guest books."""
    table = table_of({"annotator": ["1", "2"], "lead_time": NUMBERS, "label": LABELS})
    assert {r.column: r.role for r in find_roles(table, (), Answer("label"))}["lead_time"] == "left out"


@pytest.mark.parametrize(
    ("answer", "name", "values", "out"),
    [
        ("airline_sentiment", "airline_sentiment_confidence", NUMBERS, True),
        ("isFraud", "isFlaggedFraud", ["0", "1"], True),
        ("Churn Label", "Churn Score", COUNTS, True), ("label", "label_text", ["a", "b"], True),
        ("toxic", "severe_toxic", ["0", "1"], True), ("csat", "csat_reason", ["slow", "rude"], True),
        ("overall_rating", "recommend_to_a_friend", ["yes", "no"], True), ("stars", "food rating", COUNTS, True),
        ("Rating", "Content Rating", ["Everyone", "Teen"], False),
        ("stars", "average_rating", NUMBERS, False), ("stars", "credit_score", NUMBERS, False),
        ("review_score", "review_text", TEXTS, False), ("Sentiment", "SentimentText", TEXTS, False),
        ("is_canceled", "is_repeated_guest", ["0", "1"], False), ("returned", "price", NUMBERS, False),
    ],
)  # fmt: skip
def test_what_says_something_of_the_answer_is_left_out(answer: str, name: str, values: list[str], out: bool) -> None:
    """A confidence, a reason or another answer is no input; the text that was judged, and earlier averages, are."""
    table = table_of({name: values, answer: LABELS})
    assert (find_roles(table, (), Answer(answer, "classification"))[0].role == "left out") == out


def test_one_dirty_cell_flips_nothing_and_a_second_way_of_writing_does() -> None:
    """A number stays one with "abc" among 50,000, which is told; with a tenth of words it is none."""
    clean = [f"{k % 977 + 0.5}" for k in range(50_000)]
    one = _role("x", [*clean[:-1], "abc"])
    assert (one.role, one.kind) == ("numeric", "number")
    assert "1 cells are not numbers, such as 'abc'" in one.why
    many = _role("x", [v if k % 10 else "many" for k, v in enumerate(clean)])
    assert many.role == "left out"
    assert many.why == "10 % of its cells are not numbers in the notation of this file, such as 'many'"


@given(st.text(min_size=1, max_size=20), st.lists(st.text(max_size=8), min_size=1, max_size=40))
def test_the_answer_is_never_a_feature(name: str, values: list[str]) -> None:
    """Whatever columns are called and hold: the answer has the role of the label alone, candidates have none."""
    table = table_of({name: [v or None for v in values], "stars": ["1", "5", "3"], "z": values[::-1]})
    answer = find_answer(table, ())
    for role in find_roles(table, (), answer):
        assert (role.role == "label") == (role.column == answer.column)
        assert role.column not in answer.candidates or role.role == "left out"


# ---- leaks ----


def _after_leaks(columns: dict[str, Sequence[str | None]], answer: Answer) -> dict[str, Role]:
    table = table_of(columns)
    roles = find_roles(table, (), answer)
    return {r.column: r for r in without_leaks(roles, find_leaks(table, answer, roles, None))}


@settings(max_examples=examples(15), deadline=None)
@given(st.floats(0, 0.1), st.integers(0, 99), st.sampled_from([40, 200, ROWS]))
def test_a_noisy_copy_of_the_label_is_never_kept_unnamed(noise: float, seed: int, rows: int) -> None:
    """It is left out, or named with its figure, in files of any length; a column of noise is neither."""
    rng = np.random.default_rng(seed)
    said = rng.integers(0, 2, rows)
    copy = np.where(rng.random(rows) < noise, 1 - said, said)
    found = _after_leaks(
        {"colour": [("red", "blue")[k] for k in copy], "noise": [f"{x:.4f}" for x in rng.normal(size=rows)],
         "outcome": [("no", "yes")[k] for k in said]},
        Answer("outcome", "classification"),
    )  # fmt: skip
    assert "'colour'" in found["colour"].why
    assert "%" in found["colour"].why
    assert found["noise"].role == "numeric"
    assert "'noise'" not in found["noise"].why
    if noise == 0 and rows == ROWS:
        assert found["colour"].role == "left out"


def test_what_is_filled_only_for_one_label_is_left_out() -> None:
    """A reason that stands only where something was returned tells the answer by being there."""
    reasons = [f"because {k} of it was not what we had hoped" if LABELS[k] == "yes" else None for k in range(ROWS)]
    found = _after_leaks({"said": reasons, "size": COUNTS, "outcome": LABELS}, Answer("outcome", "classification"))
    assert found["said"].role == "left out"
    assert "whether 'said' is filled determines 'outcome' (100 % fewer errors" in found["said"].why
    assert found["size"].role == "categorical"


@pytest.mark.parametrize("rows", [40, 400])
def test_a_copy_of_a_number_is_left_out_in_short_files_too(rows: int) -> None:
    """The answer in another unit, with what rounding lost, is no input."""
    answer = RNG.gamma(3, 100, rows)
    found = _after_leaks(
        {"cents": [f"{x * 100:.0f}" for x in answer], "temp": NUMBERS[:rows], "amount": [f"{x:.2f}" for x in answer]},
        Answer("amount", "regression"),
    )
    assert (found["cents"].role, found["temp"].role) == ("left out", "numeric")


@pytest.mark.parametrize("way", ["sum", "difference", "product"])
def test_two_numbers_that_make_the_answer_are_left_out(way: str) -> None:
    """Their sum, difference or product is the answer, and neither alone is."""
    a, b = RNG.gamma(3, 10, ROWS).round(), RNG.gamma(2, 15, ROWS).round() + 1
    made = {"sum": a + b, "difference": a - b, "product": a * b}[way]
    found = _after_leaks(
        {"a": [str(x) for x in a], "b": [str(x) for x in b], "temp": NUMBERS, "cnt": [str(x) for x in made]},
        Answer("cnt", "regression"),
    )
    assert found["a"].why == found["b"].why
    assert "'a' and 'b' determine 'cnt'" in found["a"].why
    assert (found["a"].role, found["temp"].role) == ("left out", "numeric")


def test_flags_that_are_the_parts_of_the_answer_are_left_out() -> None:
    """Kinds of failure, each set only where a machine failed, are together the failure; a strong sensor is none."""
    kinds = RNG.integers(0, 8, ROWS)
    flags = {name: [str(int(k == own)) for k in kinds] for own, name in enumerate(("TWF", "HDF"))}
    failed = [str(int(k < 2)) for k in kinds]
    heat = [f"{x + 2.0 * (k < 2):.3f}" for x, k in zip(RNG.normal(0, 1, ROWS), kinds, strict=True)]
    found = _after_leaks({**flags, "heat": heat, "failure": failed}, Answer("failure", "classification"))
    assert [found[name].role for name in ("TWF", "HDF", "heat")] == ["left out", "left out", "numeric"]


def test_a_strong_honest_column_is_kept_and_named() -> None:
    """What says much and not all stays a feature, with its figure for a person to look at."""
    y = RNG.integers(0, 2, ROWS)
    x = [f"{v:.3f}" for v in y * 3 + RNG.normal(0, 1, ROWS)]
    found = _after_leaks({"x": x, "z": NUMBERS, "outcome": [str(k) for k in y]}, Answer("outcome", "classification"))
    assert found["x"].role == "numeric"
    assert "predicts 'outcome' suspiciously well" in found["x"].why


def test_the_real_sets_keep_what_is_honest(shared_data: Path) -> None:
    """Electricity keeps its prices, bikes their weather; casual and registered, which add up to the answer, go."""
    for name, answer, out in (("elec2", "class", set()), ("bike_sharing_hour", "cnt", {"casual", "registered"})):
        table = pd.read_csv(shared_data / f"{name}.csv", dtype=str)
        found = table_of({column: [v if isinstance(v, str) else None for v in table[column]] for column in table})
        taken = ("instant", "dteday")
        said = find_answer(found, taken)
        roles = find_roles(found, taken, said)
        after = without_leaks(roles, find_leaks(found, said, roles, None))
        assert said.column == answer
        assert {r.column for r in after if r.role == "left out"} == out


# ---- arrival ----


def test_a_reply_says_when_a_label_is_known_only_where_it_comes_to_all_alike() -> None:
    """Filled for 96 %, whatever the label: the arrival. For complaints alone: proposed. Before the record: none."""
    when = np.datetime64("2024-01-01") + np.arange(ROWS).astype("m8[h]")
    later = when + np.timedelta64(2, "D")
    mostly = np.where(np.arange(ROWS) % 25 == 0, np.datetime64("NaT"), later)
    bad = np.where(np.array(LABELS) == "no", later, np.datetime64("NaT"))
    assert find_arrived(LABELS, when, {"repliedAt": mostly}).column == "repliedAt"
    found = find_arrived(LABELS, when, {"repliedAt": bad, "delivery_date": later})
    assert not found.column
    assert found.undecided[0].settings[0] == 'arrived = "repliedAt"'
    assert not find_arrived(LABELS, when, {"repliedAt": when - np.timedelta64(3, "D")}).column


def test_labels_of_the_sample_are_those_that_the_settings_give() -> None:
    """Classes by the rules, numbers as the file writes them, None where there is none."""
    stars = table_of({"stars": ["1", "3", "5", "?"]}).columns[0]
    classes = {"negative": ["<=2"], "positive": [">=4"]}
    said = labels_of(stars, Answer("stars", "classification", classes), Writing())
    assert said == ["negative", None, "positive", None]
    assert labels_of(stars, Answer("stars", "regression"), Writing()) == [1.0, 3.0, 5.0, None]


PEOPLE = [f"Ann{k % 90} Smith" for k in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "values", "user"),
    [
        ("userName", PEOPLE, True), ("user_id", [f"u{k % 90}" for k in range(ROWS)], True), ("Автор", PEOPLE, True),
        ("requester.email", [f"ann{k}@example.org" for k in range(ROWS)], True), ("customer_no", NUMBERS, False),
        ("userImage", [f"https://example.org/{k}.png" for k in range(ROWS)], False), ("user_rating", COUNTS, False),
        ("city", PEOPLE, False), ("author", ["A Google user"], False), ("client_version", ["1.2.3", "1.2.4"], False),
    ],
)  # fmt: skip
def test_the_column_that_says_whose_a_record_is(name: str, values: Sequence[str | None], user: bool) -> None:
    """By its name, and only where it tells people apart; a quantity, a place and a picture do not."""
    table = table_of({name: values, "text": TEXTS, "label": LABELS})
    roles = find_roles(table, (), Answer("label"))
    assert user_column(table, roles) == (name if user else "")


def test_of_several_columns_of_a_user_the_one_with_most_values_counts() -> None:
    """A name may be that of several people; what has more values is nearer to one each."""
    table = table_of({"userName": PEOPLE, "userId": [f"u{k % 300}" for k in range(ROWS)], "label": LABELS})
    assert user_column(table, find_roles(table, (), Answer("label"))) == "userId"
