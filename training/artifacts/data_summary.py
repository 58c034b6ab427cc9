"""An exploratory summary of a snapshot: what the rows are that a model was made of, as plain values.

Words are counted in the newest rows only, and every list is cut to what a person reads, so that a million rows take
seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.storage.timepoints import iso
from trueup.training.models.fitting import ordered_classes
from trueup_model.cleaning import NO_TEXT, WORD, plain_numbers, plain_text

PERIODS = 24
SHOWN_LEVELS = 10  # of a categorical column or slice, the commonest
REPEATS = 5  # contents that stand most often
CLASSES = 8  # told one by one, the commonest; the rarer ones are one class together
OTHERS = "(others)"
SHOWN_WORDS = 12  # a class
_READ_TEXTS = 20_000  # newest labelled rows that words are counted in
_LEAST_TEXTS = 5  # that hold a word
LONGEST = 160  # signs of a text that is shown
QUANTILES = {"least": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "most": 1.0}


def summarise(stream: StreamSettings, rows: Rows) -> dict[str, Any]:
    """The rows of a snapshot (time order, at least one) as a document of JSON values."""
    rows, classes = _few_classes(stream, rows)
    meta = rows.meta
    labels = meta["label"]
    first, last = meta["time"].iloc[0], meta["time"].iloc[-1]
    return {
        "stream": stream.name,
        "task": stream.task,
        "rows": len(rows),
        "evaluation": int(meta["evaluation"].sum()),
        "first_time": iso(first.to_pydatetime()),
        "last_time": iso(last.to_pydatetime()),
        "classes": list(classes),
        "label": {**_labels(stream, labels, classes), "provenance": _counts(meta["provenance"].dropna())},
        "periods": _periods(stream, meta, classes),
        "text": {column: _text(stream, rows, column, classes) for column in stream.text},
        "numeric": {column: _numeric(rows.features[[column]]) for column in stream.numeric},
        "categorical": {column: _levels(rows.features[column]) for column in stream.categorical},
        "slices": {column: _slice(stream, rows, column, classes) for column in stream.slices},
        "repeated": _repeated(stream, rows),
    }


def _few_classes(stream: StreamSettings, rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    """The rows with the rarer of many classes as one, and the classes."""
    labels = rows.meta["label"]
    classes = ordered_classes(stream, labels[rows.labelled].to_numpy())
    if len(classes) <= CLASSES:
        return rows, classes
    common = set(labels.dropna().astype(str).value_counts().index[: CLASSES - 1])
    known = labels.isna() | labels.astype(str).isin(common)
    return rows.with_meta(label=labels.where(known, OTHERS)), (*(one for one in classes if one in common), OTHERS)


def _labels(stream: StreamSettings, labels: pd.Series, classes: tuple[str, ...]) -> dict[str, Any]:
    """How many are labelled, and with what: the share of each class, or mean and quantiles."""
    known = labels.dropna()
    found: dict[str, Any] = {"rows": len(labels), "labelled": len(known)}
    if stream.is_regression:
        values = known.astype(float).to_numpy()
        return {**found, "mean": float(values.mean()) if len(values) else None, "quantiles": _quantiles(values)}
    counts = known.astype(str).value_counts()
    return {**found, "shares": {name: float(counts.get(name, 0) / max(1, len(known))) for name in classes}}


def _periods(stream: StreamSettings, meta: pd.DataFrame, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The labels in spans of equal length, oldest first."""
    times = meta["time"].to_numpy()
    count = PERIODS if times[-1] > times[0] else 1
    length = max(np.timedelta64(1, "us"), (times[-1] - times[0]) // count)
    which = np.minimum((times - times[0]) // length, count - 1).astype(int)
    edges = np.searchsorted(which, np.arange(count + 1))
    return [
        {
            "from": iso(pd.Timestamp(times[0] + k * length).floor("s").to_pydatetime()),
            **_labels(stream, meta["label"].iloc[edges[k] : edges[k + 1]], classes),
        }
        for k in range(count)
    ]


def _text(stream: StreamSettings, rows: Rows, column: str, classes: tuple[str, ...]) -> dict[str, Any]:
    texts = rows.features[column]
    held = texts.dropna().astype(str)
    return {
        "missing": int((texts.isna() | (texts.astype(str).str.strip() == "")).sum()),
        "characters": _quantiles(held.str.len().to_numpy(dtype=float)),
        "words": _quantiles(held.str.count(WORD).to_numpy(dtype=float)),
        "words_of": {} if stream.is_regression else _words(rows, column, classes),
    }


def _words(rows: Rows, column: str, classes: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """The words that tell a class from the rest, the surest first: by the z score of the log ratio of their rates."""
    from sklearn.feature_extraction.text import CountVectorizer

    known = rows.take(rows.labelled).newest(_READ_TEXTS)
    if not len(known):
        return {}
    counter = CountVectorizer(token_pattern=WORD, binary=True)
    counted = counter.fit_transform(plain_text(known.features[[column]]))
    words, labels = counter.get_feature_names_out(), known.meta["label"].astype(str).to_numpy()
    everywhere = np.asarray(counted.sum(axis=0)).ravel()
    found = {}
    for name in classes:
        own = labels == name
        n_own, n_rest = int(own.sum()), int((~own).sum())
        if not n_own or not n_rest:
            continue
        here = np.asarray(counted[own].sum(axis=0)).ravel()
        rest = everywhere - here
        ratio = np.log((here + 0.5) / (n_own + 1)) - np.log((rest + 0.5) / (n_rest + 1))
        z = ratio / np.sqrt(1 / (here + 0.5) + 1 / (rest + 0.5))
        likeliest = np.argsort(-z, kind="stable")[: 4 * SHOWN_WORDS]
        best = [k for k in likeliest if everywhere[k] >= _LEAST_TEXTS and z[k] > 0]
        found[name] = [
            {"word": str(words[k]), "share": float(here[k] / n_own), "elsewhere": float(rest[k] / n_rest)}
            for k in best
            if words[k] != NO_TEXT and not (len(words[k]) == 1 and words[k].isascii())
        ][:SHOWN_WORDS]
    return found


def _numeric(column: pd.DataFrame) -> dict[str, Any]:
    values = plain_numbers(column)[:, 0]
    known = values[np.isfinite(values)]
    return {"missing": len(values) - len(known), "quantiles": _quantiles(known)}


def _levels(column: pd.Series) -> dict[str, Any]:
    known = column.dropna().astype(str)
    counts = known.value_counts()
    top = [{"level": name[:LONGEST], "rows": int(count)} for name, count in counts.head(SHOWN_LEVELS).items()]
    return {"missing": int(column.isna().sum()), "levels": len(counts), "top": top}


def _slice(stream: StreamSettings, rows: Rows, column: str, classes: tuple[str, ...]) -> dict[str, Any]:
    """The commonest values of a slice, with the labels of their rows."""
    values = rows.features[column]
    found = _levels(values)
    text = values.astype(str)
    for one, name in zip(found["top"], values.dropna().astype(str).value_counts().index, strict=False):
        one |= _labels(stream, rows.meta["label"][(text == name) & values.notna()], classes)
    return found


def _repeated(stream: StreamSettings, rows: Rows) -> dict[str, Any]:
    """Rows whose content stands elsewhere as well, and the contents that stand most often."""
    values, first, counts = np.unique(rows.meta["content"].to_numpy(), return_index=True, return_counts=True)
    often = [k for k in np.argsort(-counts, kind="stable")[:REPEATS] if counts[k] > 1]
    shown = rows.features.iloc[[int(first[k]) for k in often]][list(stream.features)]
    return {
        "contents": len(values),
        "rows": int(counts[counts > 1].sum()),
        "most": [
            {"rows": int(counts[k]), "content": " | ".join(str(value)[:LONGEST] for value in row)}
            for k, row in zip(often, shown.itertuples(index=False), strict=True)
        ],
    }


def _quantiles(values: np.ndarray) -> dict[str, float] | None:
    if not len(values):
        return None
    return dict(zip(QUANTILES, map(float, np.quantile(values, list(QUANTILES.values()))), strict=True))


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in values.value_counts().items()}
