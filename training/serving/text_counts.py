"""Words and n-grams of letters, counted: for a model that is kept, and once for all models of a search.

A search fits each recipe on several sets of rows. Which words a text holds is the same in each; only which of them are
kept differs. `Table` counts every text once, and `Selected` takes rows and words out of it: the very matrix that
`Counts` would make of those rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

from trueup_model.cleaning import WORD, plain_text

LEARNT: dict[str, dict[str, Any]] = {
    "words": {"token_pattern": WORD, "ngram_range": (1, 2)},
    "single words": {"token_pattern": WORD},
    "letters": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}
HASHED = "hashed words"
BETWEEN = "\n"  # stands in no word: words hold no white space but single blanks
SLOTS = 2**18  # of hashed words; a model's weights then take 2 MB a class however much text there is


class Counts(CountVectorizer):
    """Counts whose rows hold their words in the order of the vocabulary.

    scikit-learn leaves them in the order in which the words were first met, and sums of floats depend on the order.
    With one of its own, the same texts give the same figures to the last bit however they were counted.
    """

    def fit_transform(self, raw_documents: Any, y: Any = None) -> Any:
        return _in_order(super().fit_transform(raw_documents, y))

    def transform(self, raw_documents: Any) -> Any:
        return _in_order(super().transform(raw_documents))

    def __getstate__(self) -> dict[str, Any]:
        """As it is stored: the vocabulary as one text, since skops writes a kilobyte for each entry of a dict."""
        state = dict(super().__getstate__())
        if "vocabulary_" in state:
            state["vocabulary_"] = BETWEEN.join(sorted(state["vocabulary_"], key=state["vocabulary_"].get))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        words = state.get("vocabulary_")
        if isinstance(words, str):
            state = {**state, "vocabulary_": {word: at for at, word in enumerate(words.split(BETWEEN))}}
        super().__setstate__(state)


def _in_order(counted: Any) -> Any:
    counted.sort_indices()
    return counted


def counter(kind: str, limit: int | None) -> Any:
    """An unfitted vectoriser of texts: one that keeps the `limit` most frequent, or hashes, which keeps no words."""
    if kind == HASHED:
        return HashingVectorizer(**LEARNT["words"], n_features=SLOTS, alternate_sign=False, norm=None)
    return Counts(**LEARNT[kind], max_features=limit)


class Table:
    """Every text of a column read once: counted (n × all words), or `given` as another reading makes it."""

    def __init__(self, column: pd.DataFrame, kind: str, given: np.ndarray | None = None) -> None:
        self.learns = kind in LEARNT  # which of its columns are kept
        self.read = given if given is not None else _in_order(counter(kind, None).fit_transform(plain_text(column)))


class Selected(TransformerMixin, BaseEstimator):
    """What `counter` makes of some rows of a table; takes their positions (n × 1) instead of their texts."""

    def __init__(self, table: Table, limit: int | None) -> None:
        self.table = table
        self.limit = limit

    def __sklearn_clone__(self) -> Selected:
        return Selected(self.table, self.limit)  # the table is shared, not copied

    def fit(self, at: pd.DataFrame, y: Any = None) -> Selected:
        self.fit_transform(at)
        return self

    def fit_transform(self, at: pd.DataFrame, y: Any = None) -> Any:
        rows = self._rows(at)
        if not self.table.learns:
            self.kept_ = None
            return rows
        totals = np.asarray(rows.sum(axis=0)).ravel()
        kept = np.flatnonzero(totals)
        if self.limit is not None and len(kept) > self.limit:
            kept = np.sort(kept[(-totals[kept]).argsort()[: self.limit]])  # as CountVectorizer breaks ties
        self.kept_ = kept
        return rows[:, kept]

    def transform(self, at: pd.DataFrame) -> Any:
        rows = self._rows(at)
        return rows if self.kept_ is None else rows[:, self.kept_]

    def _rows(self, at: pd.DataFrame) -> Any:
        return self.table.read[at.iloc[:, 0].to_numpy(dtype=np.int64)]
