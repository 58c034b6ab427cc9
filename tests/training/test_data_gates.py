"""Rows that cannot teach a model, or are meant to mislead one, are refused before anything is fitted on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.made_deployments import TRAINED, deployed
from tests.made_rows import make_rows, make_stream
from trueup.flows.cycle.run import run_cycle
from trueup.flows.cycle.train_on_demand import train_now
from trueup.storage.errors import NotTrainable
from trueup.storage.incoming import FeedbackItem
from trueup.storage.rows import Rows
from trueup.training.gate.result import GateTest
from trueup.training.gate.training_data import (
    class_share_test,
    data_tests,
    duplicates_test,
    kinds_test,
    labels_test,
    user_test,
)


def _na(test: GateTest) -> bool:
    return test.passed and test.value is None and test.said.startswith("Not applied: ")


def _by(**labels: int) -> np.ndarray:
    """New labels by user; those of `record` came with their records."""
    return np.array([None if user == "record" else user for user, n in labels.items() for _ in range(n)], dtype=object)


def test_too_few_labels_are_not_learnt_from() -> None:
    """Under fifty on the training side; how many are missing is said."""
    assert labels_test(50).passed
    test = labels_test(31)
    assert not test.passed
    assert (test.code, test.value, test.bound) == ("DATA-LABELS", 31.0, 50.0)
    assert "50 needed" in test.said


def test_one_class_is_nothing_to_learn() -> None:
    """A class of fewer than three rows is none; of a regression the labels must vary."""
    stream, rows = make_rows(200, 0)
    label = np.full(200, "yes", dtype=object)
    assert kinds_test(stream, rows).passed
    label[:2] = "no"
    assert not kinds_test(stream, rows.with_meta(label=label)).passed
    stream, numbers = make_rows(200, 0, "regression")
    assert kinds_test(stream, numbers).passed
    assert not kinds_test(stream, numbers.with_meta(label=np.full(200, 3.0, dtype=object))).passed


def test_a_flood_of_one_text_is_not_learnt_from() -> None:
    """Where nine of ten texts and more repeat an earlier one; tables of numbers and levels repeat by nature."""
    stream, rows = make_rows(200, 0)
    assert duplicates_test(stream, rows).passed
    test = duplicates_test(stream, rows.with_meta(content=np.arange(200) % 10))
    assert not test.passed
    assert test.code == "DATA-DUPLICATES"
    assert test.value == pytest.approx(0.95)
    assert _na(duplicates_test(make_stream("table"), rows))


def test_a_jump_of_the_classes_warns_and_stops_nothing() -> None:
    """Half of the labels negative, where it was a tenth: told with both figures."""
    stream = make_stream()
    known = np.array(["no"] * 10 + ["yes"] * 90, dtype=object)
    test = class_share_test(stream, np.array(["no", "yes"] * 100, dtype=object), known)
    assert test.passed
    assert test.code == "DATA-SHARE"
    assert test.value == pytest.approx(0.4)
    assert test.said.startswith("warning: labels 'no' 10 → 50 %")
    assert not class_share_test(stream, known, known).said.startswith("warning")


def test_class_shares_need_classes_and_a_champion() -> None:
    """Nothing to compare with, hardly any new label, or no classes at all."""
    known = np.array(["no", "yes"] * 50, dtype=object)
    assert _na(class_share_test(make_stream(), known, np.empty(0, object)))
    assert _na(class_share_test(make_stream(), known[:20], known))
    assert _na(class_share_test(make_stream("regression"), known, known))


def test_one_user_who_gives_most_new_labels_is_suspected() -> None:
    """Sixty of a hundred, where a fifth is let through; the name and the setting are said."""
    test = user_test(_by(mallory=60, record=40), 0.2)
    assert not test.passed
    assert (test.code, test.value, test.bound) == ("DATA-USER", 0.6, 0.2)
    assert "'mallory' gave 60 of 100 new labels (60 %, limit 20 %)" in test.said
    assert "gate.max_share_per_user" in test.said
    assert user_test(_by(mallory=60, record=40), 0.7).passed


def test_users_who_share_the_work_or_give_little_are_not_suspected() -> None:
    """Six equal users; one of ten labels in twelve; and no feedback at all is nothing to judge."""
    assert user_test(_by(a=60, b=60, c=60, d=60, e=60, f=60), 0.2).passed
    assert user_test(_by(helpful=10, record=2), 0.2).passed
    assert _na(user_test(_by(record=300), 0.2))


def test_what_a_user_is_called_is_data() -> None:
    """A name of line breaks and a thousand letters stays one short line."""
    said = user_test(_by(**{"x\n<b>" + "y" * 1000: 60}), 0.2).said
    assert "\n" not in said
    assert len(said) < 400


def test_only_labels_newer_than_the_champion_are_somebodys_doing() -> None:
    """Whoever gave the labels that the champion stands on is not suspected again."""
    stream, rows = make_rows(400, 0)
    users = np.full(400, None, dtype=object)
    users[:200] = "founder"
    since = rows.meta["time"][199].to_pydatetime().replace(tzinfo=UTC)

    def codes(moment: datetime | None) -> dict[str, bool]:
        return {t.code: t.passed for t in data_tests(stream, rows, users, np.empty(0, object), moment)}

    assert codes(since) == dict.fromkeys(
        ("DATA-LABELS", "DATA-CLASSES", "DATA-DUPLICATES", "DATA-SHARE", "DATA-USER", "DATA-LEAK", "DATA-OVERLAP"), True
    )
    assert not codes(None)["DATA-USER"]


def _corrections(rows: Rows, users: tuple[str, ...]) -> list[FeedbackItem]:
    return [
        FeedbackItem(
            id=f"{user}{k}", record_id=rows.meta["id"].iloc[k], kind="label", value="negative", user=user,
            at=TRAINED - timedelta(hours=5 - number), label="negative", line=k, raw="",
        )
        for number, user in enumerate(users) for k in range(300)
    ]


def test_poisoned_rows_train_nothing_and_the_attempt_says_why(tmp_path: Path) -> None:
    """One user corrects three of ten records: `train` and a cycle refuse, and both keep the refusal's figures."""
    app = deployed(tmp_path)
    stream = app.stream("reviews")
    rows = app.reader.read(stream, as_of=TRAINED)
    items = _corrections(rows, ("honest", "mallory"))
    app.store.append_feedback(stream, items, [], source="feedback.csv", now=app.now())
    users = app.reader.users(stream, app.reader.read(stream, as_of=TRAINED), TRAINED)
    assert (list(users[:300]), list(users[300:])) == (["mallory"] * 300, [None] * (len(rows) - 300))
    with pytest.raises(NotTrainable, match=r"DATA-USER: user 'mallory' gave 300 of \d+ new labels"):
        train_now(app, stream, TRAINED)
    assert run_cycle(app, stream, TRAINED)["training"] is None
    attempts = app.promotions.history("reviews")
    assert [str(attempt.state) for attempt in attempts] == ["refused", "refused"]
    for attempt in attempts:
        assert {t["code"]: t["passed"] for t in attempt.gate["tests"]}["DATA-USER"] is False
    assert app.registry.versions("reviews") == ()
    app.close()
