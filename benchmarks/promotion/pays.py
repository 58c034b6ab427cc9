"""When does retraining pay? Policies of retraining on real sets and on made streams, by what they gain and cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import jobs
from benchmarks.page import share, table
from benchmarks.promotion.course import BIKE, ELEC2, FLIPKART, GREENLIGHT, RealSet, deployed, with_policy, with_training
from benchmarks.promotion.retraining.course_of_models import CourseOfModels
from benchmarks.promotion.retraining.long_streams import (
    CALM,
    FLIPPING,
    HISTORY,
    RETURNING,
    WINDOW,
    WINDOWS,
    long_stream,
)
from benchmarks.promotion.retraining.played import Variant, play
from benchmarks.promotion.section import Bound, Options
from trueup.storage.policy import Policy
from trueup.training.candidates.recipes import Recipe

TITLE = "When retraining pays"
REVIEWS, SERIES = (GREENLIGHT, FLIPKART), (BIKE, ELEC2)
SALTS = 4  # of the split of a real set: the odd ones tune, the even ones are shown
SEEDS = 4  # of each kind of made stream, likewise
EVERY = {ELEC2.name: 12 * 336, BIKE.name: 8 * 7 * 24}  # records between two checks; else a window
FAMILY = {
    True: Recipe("logistic_regression", "tfidf", 10_000, "all", (("C", 10.0),)),
    False: Recipe("logistic_regression", "tabular", None, "aged", (("C", 1.0),)),
}
FOREST = Recipe("random_forest", "tabular", None, "all", (("n_estimators", 20), ("min_samples_leaf", 2)))
BEFORE: dict[str, Any] = {"retrain_on": ("drift", "metric"), "drift_growth": 0.0}
AGAIN = 4  # windows for which a refused challenger is judged again
DRAWS = 2000
FLIPPED = 0.3  # by which always retraining is better than never where labels have flipped
KEPT = "streams.jsonl"


def _grows(growth: float, drift_growth: float) -> dict[str, Any]:
    return {"retrain_on": ("drift", "metric", "growth"), "growth": growth, "drift_growth": drift_growth}


SETTLED: dict[str, Any] = {"rule": "not_worse", "again": AGAIN, "guarded": True, "line": True, "looks": "each"}
EVERY_THIRD, HINDSIGHT = "every third window, no gate", "as many, with hindsight, no gate"
BEFORE_GROWTH, BETTER, NOT_WORSE = "drift and drop, better", "growth .5, better", "growth .5, not worse"
KINDS = {
    "reviews": "Real reviews (Greenlight, Flipkart)",
    "series": "Series (bike, elec2)",
    "calm": "Calm made streams",
    "returning": "Made streams that turn and return",
    "flip": "Made streams whose labels flip for good",
}
VARIANTS = (
    Variant("never", "never"),
    Variant("always, no gate", "always"),
    Variant(EVERY_THIRD, "third"),
    Variant(HINDSIGHT, "hindsight"),
    Variant(BEFORE_GROWTH, policy=BEFORE),
    Variant(BETTER, policy=_grows(0.5, 0.4)),
    Variant("growth .5, drift at once, better", policy=_grows(0.5, 0.0)),
    Variant(NOT_WORSE, policy=_grows(0.5, 0.4), **SETTLED),
    Variant("growth .5, not worse, unguarded", policy=_grows(0.5, 0.4), rule="not_worse", again=AGAIN),
    Variant("growth .4, drift .2, not worse", policy=_grows(0.4, 0.2), **SETTLED),
)


def real(chosen: RealSet, salt: int) -> dict[str, Any]:
    """Every variant on a real set under one split."""
    with deployed(chosen, lambda stream: with_training(stream, split_salt=str(salt))) as deployment:
        confirm = 1 if chosen in SERIES else Policy().confirm  # their checks lie months apart
        stream = with_policy(deployment.stream, cooldown="1d", confirm=confirm)
        times = deployment.known.meta["time"].to_numpy()
        moments = deployment.moments(chosen.starts, EVERY.get(chosen.name))
        ends = [int(np.searchsorted(times, np.datetime64(at.replace(tzinfo=None), "us"), side="right"))
                for at in (chosen.starts, *moments)]  # fmt: skip
        recipe = FOREST if chosen in SERIES else FAMILY[True]
        course = CourseOfModels(stream, deployment.known, tuple(ends), (recipe,))
        return {"stream": chosen.name, "seed": salt, "kind": "series" if chosen in SERIES else "reviews",
                "played": [play(course, variant) for variant in VARIANTS]}  # fmt: skip


def made_long(kind: str, seed: int) -> dict[str, Any]:
    """Every variant on a made stream."""
    stream, rows, ends = long_stream(kind, seed, Policy())
    course = CourseOfModels(stream, rows, ends, (FAMILY[False],))
    sort = "calm" if kind in CALM else "returning" if kind in RETURNING else "flip"
    return {"stream": kind, "seed": seed, "kind": sort, "played": [play(course, variant) for variant in VARIANTS]}


def every_stream() -> dict[str, Callable[[], dict[str, Any]]]:
    """What is measured, by name: those of one salt or seed after the other, of each two the shown one first."""
    kinds, todo = (*CALM, *RETURNING, *FLIPPING), {}
    for number in sorted(range(1, max(SALTS, SEEDS) + 1), key=lambda n: (n + 1) // 2 * 10 + n % 2):
        if number <= SALTS:
            todo |= {f"{one.name}, salt {number}": partial(real, one, number) for one in REVIEWS}
        if number <= SEEDS:
            todo |= {f"{kind}, seed {number}": partial(made_long, kind, number) for kind in kinds}
        if number <= SALTS:
            todo |= {f"{one.name}, salt {number}": partial(real, one, number) for one in SERIES}
    return todo


def measure(options: Options) -> dict[str, Any]:
    """All streams, each kept as soon as it is done."""
    chosen = [jobs.Job(name, work) for name, work in every_stream().items()]
    if options.quick:
        chosen = [job for job in chosen if job.name.endswith("seed 2")][:1]
    return {"streams": jobs.run(options.folder / KEPT, chosen, options.processes)}


def so_far(folder: Path) -> dict[str, Any]:
    """What a run has found by now."""
    return {"streams": jobs.done_so_far(folder / KEPT)}


Streams = Sequence[dict[str, Any]]


def shown(streams: Streams) -> list[dict[str, Any]]:
    """The half that is shown: even salts and seeds."""
    return [one for one in streams if one["seed"] % 2 == 0]


def closed(streams: Streams, variant: str) -> float:
    """How much of the gap between never and always a variant closes, all streams' gaps together."""
    return _ratio(*_closings(streams, variant))


def _closings(streams: Streams, variant: str) -> tuple[np.ndarray, np.ndarray]:
    """Of each stream what a variant gains over never, and what always does: two arrays of shape (streams,)."""
    never, always, ours = (
        np.array([np.mean(_of(one, name)["metrics"]) / _scale(one) for one in streams])
        for name in ("never", "always, no gate", variant)
    )
    return ours - never, always - never


def _ratio(upper: np.ndarray, lower: np.ndarray) -> float:
    """Of the sums; nan where nothing is below."""
    return float(upper.sum() / lower.sum()) if lower.sum() > 0 else float("nan")


def _scale(one: dict[str, Any]) -> float:
    """So that sets of other metrics weigh alike: of an error what never retraining costs."""
    return max(1.0, abs(float(np.mean(_of(one, "never")["metrics"]))))


def _of(one: dict[str, Any], variant: str) -> dict[str, Any]:
    return next(played for played in one["played"] if played["variant"] == variant)


def _retrains(streams: Streams, variant: str) -> float:
    return _ratio(*_trainings(streams, variant))


def _trainings(streams: Streams, variant: str) -> tuple[np.ndarray, np.ndarray]:
    """Of each stream how often a variant trained, and how often always did."""
    asked, always = (np.array([_of(one, v)["retrains"] for one in streams]) for v in (variant, "always, no gate"))
    return asked, always


def with_interval(upper: np.ndarray, lower: np.ndarray) -> str:
    """A ratio of sums over streams with its 95 % interval, by a bootstrap over them; one stream has none."""
    value, count = _ratio(upper, lower), len(upper)
    if np.isnan(value) or count == 1:
        return "–" if np.isnan(value) else f"{value:.2f}"
    drawn = np.random.default_rng(0).integers(count, size=(DRAWS, count))
    ratios = [_ratio(upper[which], lower[which]) for which in drawn]
    low, high = np.nanquantile(ratios, (0.025, 0.975))
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def harm(streams: Streams, variant: str, *, kept: bool = False) -> tuple[int, int]:
    """Promotions that were significantly worse on all rows that followed (of them those not rolled back), of how many.

    Those that fewer than 50 rows followed are not judged.
    """
    judged = [move for one in streams for move in _of(one, variant)["moves"] if "harmful" in move]
    bad = [move for move in judged if move["harmful"] and not (kept and move["back"] is not None)]
    return len(bad), len(judged)


def windows_lost(streams: Streams, variant: str) -> int:
    """Windows after a flip of labels in which a policy's champion still answers as the old one does.

    Those in which it is nearer to never than to always retraining, where these two lie far apart.
    """
    lost = 0
    for one in streams:
        old, new, its = (np.array(_of(one, name)["metrics"]) for name in ("never", "always, no gate", variant))
        lost += int(((new - old > FLIPPED) & (its < (old + new) / 2)).sum())
    return lost


def _rows(streams: Streams) -> list[tuple[str, ...]]:
    found = []
    for variant in (v.name for v in VARIANTS):
        bad, judged = harm(streams, variant)
        found.append((
            variant, with_interval(*_closings(streams, variant)), with_interval(*_trainings(streams, variant)),
            str(sum(len(_of(one, variant)["moves"]) for one in streams)),
            f"{bad} of {judged}: {share(bad, judged)}", str(harm(streams, variant, kept=True)[0]),
        ))  # fmt: skip
    return found


HEAD = ("policy", "gap closed", "share of always's retrains", "promoted", "harmful", "kept")


def page(found: dict[str, Any]) -> list[str]:
    lines = TEXT.strip().splitlines()
    measured, of = len(found["streams"]), len(every_stream())
    if measured < of:
        lines += ["", f"**Measured so far: {measured} of {of} streams.** Too few to choose a default by."]
    for kind, title in KINDS.items():
        mine = [one for one in found["streams"] if one["kind"] == kind]
        for half, streams in (("shown", shown(mine)), ("tuned on", [one for one in mine if one not in shown(mine)])):
            if streams:
                lines += ["", f"**{title}, {half}: {len(streams)} streams**", "", table(HEAD, _rows(streams))]
        if simpler := as_good(shown(mine)) if shown(mine) else "":
            lines += ["", f"A simpler policy is as good here as *{BETTER}*: {simpler}."]
    return lines


def bounds(found: dict[str, Any]) -> list[Bound]:
    streams = {kind: shown([one for one in found["streams"] if one["kind"] == kind]) for kind in KINDS}
    rows: list[Bound] = []
    for ours in (BETTER, NOT_WORSE):
        if reviews := streams["reviews"]:
            told, best = (f"{closed(reviews, v):.2f} at {_retrains(reviews, v):.2f}" for v in (ours, HINDSIGHT))
            rows.append((f"{ours}: real reviews", f"never and always; with hindsight {best}",
                         "gap closed ≥ .90 at ≤ .33 of the retrains", told))  # fmt: skip
        for kind, kept in (("calm", False), ("returning", True)):
            if streams[kind]:
                new, old = (harm(streams[kind], variant, kept=kept) for variant in (ours, BEFORE_GROWTH))
                word = "kept harmful promotions" if kept else "harmful promotions"
                rows.append((f"{ours}: {word}, {kind} made streams", f"{BEFORE_GROWTH}: {old[0]} of {old[1]}",
                             "≤ 2 points more" if kept else "no more", f"{new[0]} of {new[1]}"))  # fmt: skip
        if flip := streams["flip"]:
            lost, before = (windows_lost(flip, variant) for variant in (ours, BEFORE_GROWTH))
            rows.append((f"{ours}: windows lost after a full label flip", f"{BEFORE_GROWTH}: {before}", "no more",
                         f"{lost} in {len(flip)} streams"))  # fmt: skip
    return rows


def as_good(streams: Streams) -> str:
    """Simpler policies that close as much of the gap as trueup's own with no more retrains, in words; "": none."""
    ours, asked = closed(streams, BETTER), _retrains(streams, BETTER)
    shares = {name: (closed(streams, name), _retrains(streams, name)) for name in (EVERY_THIRD, BEFORE_GROWTH)}
    return " and ".join(
        f"*{name}* ({gap:.2f} at {share_of:.2f})"
        for name, (gap, share_of) in shares.items()
        if gap >= ours and share_of <= asked
    )


TEXT = f"""
Policies of retraining on the same streams. Each window's challenger is trained once, by one family (logistic regression
on TF-IDF for reviews, over aged rows for made streams, a small forest on bike and elec2), and met by whichever champion
a policy has by then: checks, decision, gate and probation are trueup's own functions, without store and registry.
"Gap closed" is between the mean metric of never and of always retraining, over all windows; the share of retrains is
of always's. A promotion is harmful where the new model is significantly worse (.01, permutation test) than the one it
replaced on all labelled rows that follow, and kept where probation did not roll it back. Real sets: {SALTS} salts of
the split, windows of `examples/` (bike a check in 8 weeks, elec2 in 12), a cooldown of a day. Made streams: {HISTORY}
rows of history and {WINDOWS} windows of {WINDOW}, {SEEDS} seeds of each kind. Odd salts and seeds are there to choose
settings by, even ones are shown. Intervals are of a bootstrap over streams. "With hindsight" retrains in as many
windows as every third, in those that turned out best: nobody knows them, and no schedule of as many can do better.

"Better" is the gate that asks for proof of a gain, "not worse" the one that asks that a loss of a point is improbable
(`gate.rule`); under it a refused challenger is judged again for {AGAIN} windows, nothing but proof counts while metric
or labels are in trouble, and probation compares at each window. "Unguarded" judges again, and is without the other two.

Of the gap no schedule with a third of the retrains can close more than "with hindsight" does, so little is left between
what the defaults close and that.

The defaults follow from this: growth from .5 and drift from .4, which ask for fewer retrains than .4 and .2 (both by
"not worse") and close as much on the half that was there to choose by. Of a series growth from .4, where the earlier
bound pays, and drift at once: these two were too young to judge drift, so its bound changed nothing. The gate keeps
to "better": "not worse" closes no more, and only under it was a promotion harmful where nothing turned.
"""
