"""A model's words are stored in little room and come back as they were."""

from __future__ import annotations

import pytest
import skops.io

from trueup.training.registry.trusted_types import OURS
from trueup_model.text_counts import LEARNT, counter

TEXTS = ["good app, good\u2028 price\x0b!", "日本語 テスト ok", "a b\tc\nd e\x85f", "", "great, great app 4.99"]


@pytest.mark.parametrize("kind", LEARNT)
def test_stored_words_come_back_in_their_order(kind: str) -> None:
    """Whatever white space the texts hold, the words stand at their places after skops stored and read them."""
    words = counter(kind, None)
    counted = words.fit_transform(TEXTS)
    read = skops.io.loads(skops.io.dumps(words), trusted=sorted(OURS))
    assert read.vocabulary_ == words.vocabulary_
    assert (read.transform(TEXTS) != counted).nnz == 0


def test_a_thousand_words_take_no_more_room_than_their_letters() -> None:
    """A dict of a thousand words takes skops a megabyte."""
    words = counter("single words", None)
    words.fit_transform([" ".join(f"word{k}" for k in range(1000))])
    assert len(skops.io.dumps(words)) < 40_000
