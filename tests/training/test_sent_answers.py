"""What a trainer says that its model answers is held against what it answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from trueup.training.gate.sent_answers import difference_from_sent

CLASSES = ("no", "yes")


def _sent(chances: np.ndarray) -> pd.DataFrame:
    answers = np.where(chances > 0.5, "yes", "no")
    return pd.DataFrame(
        {"row": np.arange(len(chances)) * 3, "prediction": answers, "p_no": 1 - chances, "p_yes": chances}
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.data())
def test_the_same_answers_are_no_difference_and_one_other_is(drawn: list[float], data: st.DataObject) -> None:
    """In whatever order they were sent; one class or one probability that is another is counted."""
    chances = np.array(drawn)
    sent = _sent(chances)
    asked, predicted = sent["row"].to_numpy(), sent["prediction"].to_numpy().astype(object)
    both = np.stack([1 - chances, chances], axis=1)
    shuffled = sent.iloc[data.draw(st.permutations(range(len(sent))))]
    assert difference_from_sent(shuffled, asked, predicted, both, CLASSES) == ""
    at = data.draw(st.integers(0, len(sent) - 1))
    said = f"it answers 1 of {len(sent)} evaluation rows otherwise than its trainer says"
    turned = sent.assign(prediction=np.where(sent.index == at, "other", sent["prediction"]))
    assert difference_from_sent(turned, asked, predicted, both, CLASSES) == said
    moved = sent.assign(p_yes=np.where(sent.index == at, sent["p_yes"] + 0.01, sent["p_yes"]))
    assert difference_from_sent(moved, asked, predicted, both, CLASSES) == said


def test_what_was_not_sent_is_named() -> None:
    """A missing column or row is no agreement."""
    sent = _sent(np.array([0.2, 0.8]))
    asked, predicted = sent["row"].to_numpy(), sent["prediction"].to_numpy().astype(object)
    both = sent[["p_no", "p_yes"]].to_numpy()
    assert "column p_yes" in difference_from_sent(sent.drop(columns="p_yes"), asked, predicted, both, CLASSES)
    assert "1 of 2" in difference_from_sent(sent.iloc[:1], asked, predicted, both, CLASSES)


def test_numbers_are_compared_as_numbers() -> None:
    """A regression's answers agree within the precision of a float32 file."""
    sent = pd.DataFrame({"row": [0, 1], "prediction": np.array([0.1, 2.5], dtype=np.float32)})
    asked, none = np.array([0, 1]), np.empty((2, 0))
    assert difference_from_sent(sent, asked, np.array([0.1, 2.5]), none, ()) == ""
    assert "1 of 2" in difference_from_sent(sent, asked, np.array([0.1, 2.6]), none, ())
