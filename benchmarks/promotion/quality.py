"""How good the default champion is on what comes next, beside what most would try first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.detection.estimated import SETS, taken_in
from benchmarks.page import table
from benchmarks.promotion.section import Bound, Options
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import default_recipes
from trueup.training.models.fitting import answer, fit, targets
from trueup.training.models.recency import recent_row_count
from trueup.training.search import search

TITLE = "Quality of the default champion"
BASELINE = "logistic regression on TF-IDF(1–2), balanced"
TENTHS = (3, 4, 5, 6, 7, 8, 9)
FIGURES = ("f1_macro", "roc_auc", "log_loss")


def measure(options: Options) -> dict[str, Any]:
    """Trained on the training side of the first k tenths, judged on all labelled rows of the next."""
    found: dict[str, Any] = {"sets": {}}
    for name in ("greenlight", "flipkart"):
        stream, rows = taken_in(next(one for one in SETS if one.name == name))
        rows = rows.take(rows.labelled)
        rows = rows.take(slice(0, 2000)) if options.quick else rows
        found["sets"][name] = [
            _tenth(stream, *parts) for parts in tenths_of(rows, TENTHS[-1:] if options.quick else TENTHS)
        ]
    return found


def tenths_of(rows: Rows, chosen: Sequence[int]) -> Iterator[tuple[Rows, Rows, int]]:
    """The first k tenths of the rows, the next one, and its number, for each k of `chosen`."""
    edges = np.linspace(0, len(rows), 11).astype(int)
    for k in chosen:
        yield rows.take(slice(0, edges[k])), rows.take(slice(edges[k], edges[k + 1])), k + 1


def _tenth(stream: StreamSettings, past: Rows, later: Rows, number: int) -> dict[str, Any]:
    learning = past.take(~past.meta["evaluation"].to_numpy(dtype=bool))
    started = time.monotonic()
    winner = search(stream, learning, default_recipes(stream), 0, time.monotonic).winner
    searched = time.monotonic() - started
    model = fit(winner, stream, learning, 0, recent_row_count(stream, past)).model
    last = list(stream.label.classes)[-1]
    truth = targets(stream, later) == last
    predicted, chance = answer(model, stream, later.features)
    return {
        "tenth": number,
        "labels": len(later),
        "winner": winner.name,
        "hyper": dict(winner.hyper),
        "seconds": searched,
        "ours": class_figures(truth, predicted == last, chance),
        "baseline": _baseline(stream, learning, later, truth, last),
    }


def _baseline(stream: StreamSettings, learning: Rows, later: Rows, truth: np.ndarray, last: str) -> dict[str, float]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    def texts(rows: Rows) -> Any:
        return rows.features[list(stream.text)].fillna("").agg(" ".join, axis=1).astype(str)

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(class_weight="balanced", max_iter=1000)
    ).fit(texts(learning), targets(stream, learning) == last)
    chance = model.predict_proba(texts(later))[:, 1]
    return class_figures(truth, chance > 0.5, chance)


def class_figures(truth: np.ndarray, said: np.ndarray, chance: np.ndarray) -> dict[str, float]:
    """FIGURES of n answers about one class: whether it was that, whether it was named, and its probability."""
    from sklearn.metrics import f1_score, log_loss, roc_auc_score

    return {
        "f1_macro": float(f1_score(truth, said, average="macro")),
        "roc_auc": float(roc_auc_score(truth, chance)),
        "log_loss": float(log_loss(truth, chance)),
    }


def _mean(tenths: Sequence[dict[str, Any]], who: str, figure: str) -> float:
    return float(np.mean([tenth[who][figure] for tenth in tenths]))


def _better(tenths: Sequence[dict[str, Any]], figure: str) -> int:
    return sum(tenth["ours"][figure] > tenth["baseline"][figure] for tenth in tenths)


def page(found: dict[str, Any]) -> list[str]:
    """Each tenth of each set."""
    lines = [
        "The default search and fit on the training side of the first tenths, judged on all labelled rows of the "
        f"next, beside {BASELINE}, fitted on the same rows.",
        "",
    ]
    for name, tenths in found["sets"].items():
        rows = [
            [str(t["tenth"]), str(t["labels"]), f"{t['winner']} {t['hyper']}",
             *(f"{t['ours'][f]:.3f} / {t['baseline'][f]:.3f}" for f in FIGURES), f"{t['seconds']:.1f} s"]
            for t in tenths
        ]
        mean = [f"{_mean(tenths, 'ours', f):.4f} / {_mean(tenths, 'baseline', f):.4f}" for f in FIGURES]
        rows.append(["mean", "", "", *mean, ""])
        head = ("tenth", "labels", "winner", "macro-F1 ours / theirs", "ROC AUC", "log loss", "search")
        lines += [f"**{name}**", "", table(head, rows), ""]
    return lines


def bounds(found: dict[str, Any]) -> list[Bound]:
    """Its rows of the table at the top."""
    return [
        (
            f"quality of the default champion, {name}, later tenths",
            BASELINE,
            "≥ its macro-F1 and ROC AUC, better on most",
            "; ".join(
                f"{said} {_mean(tenths, 'ours', figure):.3f} against {_mean(tenths, 'baseline', figure):.3f}, "
                f"better on {_better(tenths, figure)} of {len(tenths)}"
                for figure, said in (("f1_macro", "macro-F1"), ("roc_auc", "ROC AUC"))
            ),
        )
        for name, tenths in found["sets"].items()
    ]
