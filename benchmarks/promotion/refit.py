"""What the evaluation side costs a small stream: its champion as it is, and the same recipe fitted on both sides."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from itertools import zip_longest
from typing import Any

import numpy as np

from benchmarks import jobs
from benchmarks.detection.estimated import SETS, taken_in
from benchmarks.page import table
from benchmarks.promotion.course import with_training
from benchmarks.promotion.made_streams import made
from benchmarks.promotion.quality import FIGURES, class_figures
from benchmarks.promotion.section import Bound, Options
from trueup.storage.content import evaluation_side
from trueup.storage.rows import Rows, new_content
from trueup.storage.stream import StreamSettings
from trueup.training.candidates.recipes import Recipe, candidates
from trueup.training.models.fitting import answer, fit, targets
from trueup.training.models.recency import recent_row_count
from trueup.training.search import search

TITLE = "What the evaluation side costs a small stream"
LABELS = (100, 150, 200, 300, 450, 661, 1000)  # of a stream, both sides
SEARCHED = 300  # labels; with 200 the training side is too small for a search, and there is no champion
REVIEWS = ("greenlight", "flipkart")
CUTS = 8  # of each set of reviews
REGIMES = 10  # made streams
FRESH = 4000  # rows that a made stream is judged by
SALTS = 2  # of the split, at each cut and in each regime
DRAWS = 4000
WORSE = 0.01  # macro-F1
KEPT = "cuts.jsonl"


def at_cut(name: str, cut: int) -> dict[str, Any]:
    """A set of reviews that begins so many labels before one of its cuts, judged by those up to the next."""
    stream, rows = taken_in(next(one for one in SETS if one.name == name))
    rows = rows.take(rows.labelled)
    edges = np.linspace(LABELS[-1], len(rows), CUTS + 1).astype(int)
    past = rows.take(slice(edges[cut] - LABELS[-1], edges[cut]))
    return {"stream": name, **_measured(stream, past, rows.take(slice(edges[cut], edges[cut + 1])))}


def in_regime(seed: int) -> dict[str, Any]:
    """A made stream in which nothing changes, judged by fresh rows."""
    found = made("healthy", seed)
    past = found.rows.take(slice(found.known - LABELS[-1], found.known))
    return {"stream": "made", **_measured(found.stream, past, found.fresh.take(slice(0, FRESH)))}


def _measured(stream: StreamSettings, past: Rows, later: Rows) -> dict[str, Any]:
    """Every number of labels under every split, all judged by the same rows."""
    later = new_content(later, past)
    splits = [with_training(stream, split_salt=str(salt)) for salt in range(1, SALTS + 1)]
    return {"later": len(later), "cells": [cell for split in splits for cell in _under(split, past, later)]}


def _under(stream: StreamSettings, past: Rows, later: Rows) -> list[dict[str, Any]]:
    """Each number of labels under one split: the recipe that the search chooses, fitted on one side and on both."""
    past = past.with_meta(evaluation=evaluation_side(stream, past.meta["group"].to_numpy()))
    searched = {size: _winner(stream, past.newest(size)) for size in LABELS if size >= SEARCHED}
    cells = []
    for size in LABELS:
        known, winner = past.newest(size), searched[max(size, SEARCHED)]
        sides = {"training": _training_side(known), "all": known}
        cells.append({
            "labels": size, "salt": stream.training.split_salt, "learnt": len(sides["training"]), "winner": winner.name,
            **{side: _worth(stream, winner, rows, known, later) for side, rows in sides.items()},
        })  # fmt: skip
    return cells


def _training_side(rows: Rows) -> Rows:
    return rows.take(~rows.meta["evaluation"].to_numpy(dtype=bool))


def _winner(stream: StreamSettings, known: Rows) -> Recipe:
    learning = _training_side(known)
    return search(stream, learning, candidates(stream, learning), 0, time.monotonic).winner


def _worth(stream: StreamSettings, winner: Recipe, rows: Rows, known: Rows, later: Rows) -> dict[str, float]:
    model = fit(winner, stream, rows, 0, recent_row_count(stream, known)).model
    last = list(stream.label.classes)[-1]
    predicted, chance = answer(model, stream, later.features)
    return class_figures(targets(stream, later) == last, predicted == last, chance)


def every_cut() -> list[jobs.Job]:
    """What is measured, the kinds of streams in turn."""
    reviews = [jobs.Job(f"{name}, cut {cut}", partial(at_cut, name, cut)) for cut in range(CUTS) for name in REVIEWS]
    numbers = [jobs.Job(f"made, seed {seed}", partial(in_regime, seed)) for seed in range(1, REGIMES + 1)]
    return [job for two in zip_longest(reviews, numbers) for job in two if job is not None]


def measure(options: Options) -> dict[str, Any]:
    """Every cut, each kept as soon as it is done; a quick look takes one made stream."""
    chosen = [job for job in every_cut() if job.name == "made, seed 1"] if options.quick else every_cut()
    return {"cuts": jobs.run(options.folder / KEPT, chosen, options.processes)}


Cuts = Sequence[dict[str, Any]]


def gains(cuts: Cuts, figure: str, sizes: Sequence[int]) -> np.ndarray:
    """What the fit on both sides gains on a figure, cuts × cells; above 0 it is better."""
    sign = -1.0 if figure == "log_loss" else 1.0
    return np.array([
        [sign * (cell["all"][figure] - cell["training"][figure]) for cell in cut["cells"] if cell["labels"] in sizes]
        for cut in cuts
    ])  # fmt: skip


def mean_gain(of_cuts: np.ndarray) -> tuple[float, float, float]:
    """The mean of cuts × cells with its 95 % interval, by a bootstrap over cuts and over the cells within each."""
    rng, (cuts, cells) = np.random.default_rng(0), of_cuts.shape
    chosen = rng.integers(cuts, size=(DRAWS, cuts, 1))
    drawn = of_cuts[chosen, rng.integers(cells, size=(DRAWS, cuts, cells))].mean(axis=(1, 2))
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(of_cuts.mean()), float(low), float(high)


def _told(of_cuts: np.ndarray) -> str:
    value, low, high = (f"{one:+.4f}".replace("0.", ".") for one in mean_gain(of_cuts))
    return f"{value} [{low}, {high}]"


def _row(cuts: Cuts, said: str, sizes: Sequence[int]) -> tuple[str, ...]:
    cells = [cell for cut in cuts for cell in cut["cells"] if cell["labels"] in sizes]
    f1 = gains(cuts, "f1_macro", sizes)
    return (
        said, f"{np.mean([cell['learnt'] for cell in cells]):.0f}",
        f"{np.mean([cell['training']['f1_macro'] for cell in cells]):.3f}",
        *(_told(gains(cuts, figure, sizes)) for figure in FIGURES),
        f"{(f1 > 0).sum()} of {f1.size}", f"{(f1 < -WORSE).sum()} of {f1.size}",
    )  # fmt: skip


HEAD = (
    "labels", "fitted on", "macro-F1 as it is", "gain of macro-F1", "of ROC AUC", "of log loss", "better",
    "a point worse",
)  # fmt: skip
KINDS = {"Reviews (Greenlight, Flipkart)": REVIEWS, "Made numbers in which nothing changes": ("made",)}


def page(found: dict[str, Any]) -> list[str]:
    """A table of each kind of streams, and what follows."""
    lines = TEXT.strip().splitlines()
    champions = [size for size in LABELS if size >= SEARCHED]
    for title, streams in KINDS.items():
        cuts = [cut for cut in found["cuts"] if cut["stream"] in streams]
        if cuts:
            rows = [_row(cuts, f"{size}{'' if size >= SEARCHED else ' *'}", (size,)) for size in LABELS]
            rows.append(_row(cuts, f"{champions[0]} to {champions[-1]}", champions))
            judged = min(cut["later"] for cut in cuts), max(cut["later"] for cut in cuts)
            lines += ["", f"**{title}: {len(cuts)} cuts, judged by {judged[0]:,} to {judged[1]:,} rows each**", ""]
            lines += [table(HEAD, rows)]
    return lines


def bounds(found: dict[str, Any]) -> list[Bound]:
    """Nothing was asked of it but to be measured."""
    return []


TEXT = f"""
A fifth of a stream's records is never learnt from: it judges. What that costs is measured here. At a cut the stream
knows its newest {LABELS[0]} to {LABELS[-1]:,} labels, on both sides of the split. The default search chooses a recipe
by the training side. "As it is" it is fitted on that side, as every version is; beside it on the rows of both sides,
calibration included. Both answer the same labelled rows after the cut, of content that neither knew. Reviews: {CUTS}
cuts of each set, whose rows that follow do not overlap. Made streams: {REGIMES} regimes of `made_streams.py`. Each
under {SALTS} salts of the split. Gains are above 0 where the fit on both sides is better, also of log loss; intervals
are of a bootstrap over cuts and salts. "A point worse": by more than {WORSE} of macro-F1.

With `refit_below` a version serves fitted on both sides ([gate.md](gate.md#refitted-on-both-sides)). It is off by
default: without it no model is trained on an evaluation row.

\\* There is no champion: with fewer than 180 labels on the training side (225 or so in all) the search refuses. The
recipe is that of {SEARCHED} labels.
"""
