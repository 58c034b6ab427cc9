"""What a model listens to, asked of the model itself, so that it means the same for every family and a team's own.

Words: a record that holds one word alone is compared with an empty one; for a linear model over word counts that is
the word's coefficient. Columns: a column's values are exchanged between records, and the metric drops (Breiman 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.artifacts.canvas import BLUE, ORANGE, canvas, png, shortened
from trueup.training.models.fitting import answer, ordered_classes
from trueup.training.models.metrics import metric_value
from trueup_model.cleaning import NO_TEXT, WORD, plain_text

ASKED_WORDS = 1000  # the commonest of a column
_LEAST_TEXTS = 5  # that hold a word
_READ_TEXTS = 20_000  # newest rows that words are counted in
BARS = 12
ASKED_ROWS = 300
ASKED_TIMES = 30  # permutations over all columns


@dataclass(frozen=True)
class Moved:
    """How far one word alone moves the answer: the probability of `towards`, or the number (towards is empty)."""

    column: str
    word: str
    towards: str
    by: float


def moved_by_words(stream: StreamSettings, model: Any, used: Rows, known: tuple[str, ...]) -> list[Moved]:
    """The words that move the model most, the strongest first; at most BARS of each direction or class.

    used: the rows that the model was fitted on.

    Raises:
        ModelUnusable: a team's own model does not answer records of one word.
    """
    found: list[Moved] = []
    for column in stream.text:
        words = _common_words(used, column)
        if len(words):
            records = _records(stream, used, column, ["", *words])
            found += _moved(stream, model, records, column, words, known)
    return found


def draw_words(stream: StreamSettings, moved: list[Moved], mask: Callable[[str], str] = str) -> bytes | None:
    """Bars of the strongest words: two directions for two classes and numbers, else a panel a class.

    mask: takes personal data out of a word.
    """
    if not moved:
        return None
    moved = [replace(one, word=mask(one.word)) for one in moved]
    sides = list(dict.fromkeys(one.towards for one in moved))
    if len(sides) == 1:
        what = f"the probability of {shortened(sides[0], 20)}" if sides[0] else "the answer"
        figure, axis = canvas(f"Words: how far one alone moves {what}", height=5.2)
        ordered = sorted(moved, key=lambda one: one.by)
        _bars(axis, stream, [*ordered[:BARS], *ordered[max(BARS, len(ordered) - BARS) :]])
        return png(figure)
    figure, axes = canvas("Words: how far one alone moves the probability of a class", across=len(sides), width=3.6)
    for axis, side in zip(axes, sides, strict=True):
        strongest = sorted((one for one in moved if one.towards == side), key=lambda one: one.by)[-BARS:]
        _bars(axis, stream, strongest)
        axis.set_title(shortened(side, 24), fontsize=9)
    return png(figure)


def drops_by_column(
    stream: StreamSettings, model: Any, judged: Rows, classes: tuple[str, ...], seed: int
) -> dict[str, float]:
    """How much worse the stream's metric gets when a column's values are exchanged between the judged rows.

    Empty where there is only one column, or too few rows.

    Raises:
        ModelUnusable: a team's own model does not answer them.
    """
    if len(stream.features) < 2 or len(judged) < 2:
        return {}
    rows = judged.newest(ASKED_ROWS)
    truth = rows.meta["label"].to_numpy()

    def figure_of(features: pd.DataFrame) -> float:
        return metric_value(stream.metric, truth, *answer(model, stream, features), classes)

    whole, rng = figure_of(rows.features), np.random.default_rng(seed)
    times = max(1, min(3, ASKED_TIMES // len(stream.features)))
    found = {}
    for column in stream.features:
        values = rows.features[column].to_numpy()
        mixed = [
            figure_of(rows.features.assign(**{column: values[rng.permutation(len(values))]})) for _ in range(times)
        ]
        found[column] = (-1 if stream.lower_is_better else 1) * (whole - float(np.mean(mixed)))
    return {column: drop for column, drop in found.items() if np.isfinite(drop)}


def draw_columns(stream: StreamSettings, drops: dict[str, float], rows: int) -> bytes | None:
    """Bars of the columns, the most important on top."""
    if not drops:
        return None
    ordered = sorted(drops.items(), key=lambda one: one[1])[-2 * BARS :]
    figure, axis = canvas(f"Columns: how much worse {stream.metric} gets without, {min(rows, ASKED_ROWS)} rows")
    axis.barh([shortened(column) for column, _ in ordered], [drop for _, drop in ordered], color=BLUE)
    return png(figure)


def _common_words(used: Rows, column: str) -> list[str]:
    from sklearn.feature_extraction.text import CountVectorizer

    texts = plain_text(used.newest(_READ_TEXTS).features[[column]])
    counter = CountVectorizer(token_pattern=WORD, binary=True)
    held = np.asarray(counter.fit_transform(texts).sum(axis=0)).ravel()
    words = counter.get_feature_names_out()
    order = np.argsort(-held, kind="stable")[:ASKED_WORDS]
    return [str(words[k]) for k in order if held[k] >= _LEAST_TEXTS and words[k] != NO_TEXT]


def _records(stream: StreamSettings, used: Rows, column: str, texts: list[str]) -> pd.DataFrame:
    """Records of these texts in one column, everything else as usual: nothing, the median, the commonest level."""
    usual: dict[str, object] = dict.fromkeys(stream.text, "")
    for name in stream.numeric:
        values = used.features[name].astype(float)
        usual[name] = float(values.median()) if values.notna().any() else np.nan
    for name in stream.categorical:
        levels = used.features[name].dropna()
        usual[name] = levels.mode().iloc[0] if len(levels) else None
    return pd.DataFrame({name: texts if name == column else [usual[name]] * len(texts) for name in stream.features})


def _moved(
    stream: StreamSettings, model: Any, records: pd.DataFrame, column: str, words: list[str], known: tuple[str, ...]
) -> list[Moved]:
    """The first record holds no word."""
    if stream.is_regression:
        answers, sides = answer(model, stream, records)[0][:, None].astype(float), [""]
    elif len(known) == 2:
        answers, sides = answer(model, stream, records)[1][:, None], [ordered_classes(stream, np.array(known))[-1]]
    else:
        answer(model, stream, records)  # whether it can at all is said as everywhere
        answers, sides = np.asarray(model.predict_proba(records)), list(known[:6])
    by = answers[1:] - answers[0]
    found = []
    for place, side in enumerate(sides):
        order = np.argsort(by[:, place], kind="stable")
        ends = dict.fromkeys([*(order[:BARS] if len(sides) == 1 else ()), *order[::-1][:BARS]])
        found += [Moved(column, words[k], side, float(by[k, place])) for k in ends]
    return sorted(found, key=lambda one: -abs(one.by))


def _bars(axis: Any, stream: StreamSettings, bars: list[Moved]) -> None:
    names = [one.word if len(stream.text) == 1 else f"{one.column}: {one.word}" for one in bars]
    axis.barh(range(len(bars)), [one.by for one in bars], color=[BLUE if one.by > 0 else ORANGE for one in bars])
    axis.set_yticks(range(len(bars)), [shortened(name) for name in names])
