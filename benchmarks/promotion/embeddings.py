"""The default champion with the extra `embeddings` beside the one without: trained and judged on the same rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detection.estimated import SETS, taken_in
from benchmarks.jobs import Job, run
from benchmarks.page import table
from benchmarks.promotion.quality import FIGURES, TENTHS, class_figures, tenths_of
from benchmarks.promotion.section import Bound, Options
from trueup.storage.rows import Rows
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import WORDS, Recipe, default_recipes
from trueup.training.models.fitting import answer, fit, targets
from trueup.training.models.recency import recent_row_count
from trueup.training.search import search
from trueup_model.cleaning import plain_text
from trueup_model.embeddings import embed
from trueup_model.kept_vectors import keep_vector, vectors_kept
from trueup_model.weights import weights_in_use

TITLE = "The default champion with sentence embeddings"
NAMES = ("greenlight", "flipkart")
FITTED, ASKED = 300, 200  # rows of a model whose time is taken, and records that it is asked one by one
WAYS = ("without", "with")
SAID = ("macro-F1", "ROC AUC", "log loss")  # FIGURES as people read them


def measure(options: Options) -> dict[str, Any]:
    """As `quality`, with and without the recipes that embed; each text is read once, its vector kept in the folder."""
    chosen = TENTHS[-1:] if options.quick else TENTHS
    jobs = [
        Job(f"{name}, {what}", partial(work, name, *told, options.folder, options.quick))
        for name in NAMES
        for what, work, told in (
            *((f"tenth {k + 1}", _tenth, (k,)) for k in chosen),
            ("answers", _one_by_one, ()),
        )
    ]
    found = {one["job"]: one for one in run(options.folder / "jobs.jsonl", jobs, options.processes)}
    return {
        "sets": {
            name: {"tenths": [found[f"{name}, tenth {k + 1}"] for k in chosen], "answers": found[f"{name}, answers"]}
            for name in NAMES
        }
    }


@cache
def _rows(name: str, quick: bool) -> tuple[StreamSettings, Rows]:
    stream, rows = taken_in(next(one for one in SETS if one.name == name))
    rows = rows.take(rows.labelled)
    return stream, rows.take(slice(0, 600)) if quick else rows


def _read(stream: StreamSettings, rows: Rows, file: Path) -> None:
    """Keep the vectors of all texts, from the file where an earlier run made them."""
    texts = list(dict.fromkeys(text for column in stream.text for text in plain_text(rows.features[[column]])))
    if not file.exists():
        np.savez(file, vectors=embed(weights_in_use(), texts).astype(np.float32))
    for text, vector in zip(texts, np.load(file)["vectors"], strict=True):
        keep_vector(weights_in_use(), text, vector)


def _tenth(name: str, k: int, folder: Path, quick: bool) -> dict[str, Any]:
    """Both champions after the first k tenths, judged on the next."""
    stream, rows = _rows(name, quick)
    ((past, later, number),) = tenths_of(rows, (k,))
    learning = past.take(~past.meta["evaluation"].to_numpy(dtype=bool))
    last = list(stream.label.classes)[-1]
    truth = targets(stream, later) == last
    found: dict[str, Any] = {"tenth": number, "labels": len(later)}
    with vectors_kept():
        _read(stream, rows, folder / f"{name}.npz")
        for way in WAYS:
            recipes = default_recipes(stream, embed=way == "with")
            winner = search(stream, learning, recipes, 0, time.monotonic).winner
            model = fit(winner, stream, learning, 0, recent_row_count(stream, past)).model
            predicted, chance = answer(model, stream, later.features)
            told = {"winner": winner.name, "hyper": dict(winner.hyper)}
            found[way] = told | class_figures(truth, predicted == last, chance)
    return found


def _one_by_one(name: str, folder: Path, quick: bool) -> dict[str, Any]:
    """Milliseconds of the processor for one record, median over the newest, of a model of each way."""
    stream, rows = _rows(name, quick)
    found = {}
    for way, feature in zip(WAYS, ("union", "union+embeddings"), strict=True):
        recipe = Recipe("linear_svm", feature, WORDS, "newest", (("C", 0.3),))
        with vectors_kept():
            _read(stream, rows, folder / f"{name}.npz")
            model = fit(recipe, stream, rows, 0, FITTED).model
        spent = []
        for at in range(len(rows) - ASKED, len(rows)):
            begun = time.process_time()
            answer(model, stream, rows.features.iloc[[at]])
            spent.append(1000 * (time.process_time() - begun))
        found[way] = float(np.median(spent))
    return found


def _mean(tenths: Sequence[dict[str, Any]], way: str, figure: str) -> float:
    return float(np.mean([tenth[way][figure] for tenth in tenths]))


def _better(tenths: Sequence[dict[str, Any]], figure: str) -> int:
    sign = -1 if figure == "log_loss" else 1
    return sum(sign * tenth["with"][figure] > sign * tenth["without"][figure] for tenth in tenths)


def page(found: dict[str, Any]) -> list[str]:
    """Each tenth of each set."""
    lines = [
        "The search and fit of [Quality of the default champion](#quality-of-the-default-champion) on the same rows, "
        "with the extra `embeddings` and without it. A record's time is the processor's, for one asked alone.",
        "",
    ]
    for name, of in found["sets"].items():
        tenths = of["tenths"]
        rows = [
            [
                str(t["tenth"]),
                str(t["labels"]),
                f"{t['with']['winner']} {t['with']['hyper']}",
                *(f"{t['with'][f]:.3f} / {t['without'][f]:.3f}" for f in FIGURES),
            ]
            for t in tenths
        ]
        mean = [f"{_mean(tenths, 'with', f):.4f} / {_mean(tenths, 'without', f):.4f}" for f in FIGURES]
        better = [f"{_better(tenths, f)} of {len(tenths)}" for f in FIGURES]
        rows += [["mean", "", "", *mean], ["better on", "", "", *better]]
        head = ("tenth", "labels", "winner with", "macro-F1 with / without", "ROC AUC", "log loss")
        answers = of["answers"]
        lines += [
            f"**{name}**", "", table(head, rows), "",
            f"One record takes {answers['with']:.1f} ms with embeddings, {answers['without']:.1f} ms without.", "",
        ]  # fmt: skip
    return lines


def bounds(found: dict[str, Any]) -> list[Bound]:
    """Its rows of the table at the top."""
    return [
        (
            f"default champion with the extra `embeddings`, {name}, later tenths",
            "the default champion without it",
            "better on most",
            "; ".join(_compared(of["tenths"], said, figure) for said, figure in zip(SAID, FIGURES, strict=True)),
        )
        for name, of in found["sets"].items()
    ]


def _compared(tenths: Sequence[dict[str, Any]], said: str, figure: str) -> str:
    told = [f"{_mean(tenths, way, figure):.3f}" for way in ("with", "without")]
    return f"{said} {' against '.join(told)}, better on {_better(tenths, figure)} of {len(tenths)}"
